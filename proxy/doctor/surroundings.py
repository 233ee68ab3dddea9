"""The checks of everything around the CLI: environment, configuration, port, folders, memory."""

import contextlib
import os
import shlex
import tempfile
from importlib.metadata import version
from pathlib import Path

from ..config import WORKER_MB, ConfigError, open_to_all, unknown, without_password
from ..engine.probe.locate import Cli
from ..engine.wire.command import API_KEYS
from ..errors import ProxyError
from ..port_check import Kind, Listener, address
from ..translate.common.models import lost_aliases
from .finding import Finding, failed, ok, warning
from .machine import Machine

WORKER_BYTES = WORKER_MB[1] * 1024 * 1024


def check_environment(machine: Machine) -> Finding | None:
    """No variable makes the CLI bill an API key, or send its requests to another address."""
    keys = [name for name in API_KEYS if machine.environ.get(name)]
    base = machine.environ.get("ANTHROPIC_BASE_URL")
    said, reasons = [], []
    if keys:
        said.append(f"{' and '.join(keys)} {'is' if len(keys) == 1 else 'are'} set")
        if machine.settings.allow_anthropic_api_key:
            reasons.append(
                "`allow_anthropic_api_key` passes it to the CLI: requests are billed to it, not to the plan."
            )
        else:
            reasons.append("claude-max does not pass it on, so the plan is used; `claude` run by hand is billed to it.")
    if base:
        said.append(f"ANTHROPIC_BASE_URL is set to {without_password(base)}")
        reasons.append("Every request goes there instead of to Anthropic.")
    if not said:
        return ok("environment", "No API key or base URL is set in the environment")
    names = [*keys, *(["ANTHROPIC_BASE_URL"] if base else [])]
    return warning("environment", ", ".join(said), " ".join(reasons), f"unset {' '.join(names)}")


def check_config(machine: Machine) -> Finding | None:
    """The configuration can be used."""
    try:
        settings = machine.load()
    except ConfigError as error:
        edit = f"${{EDITOR:-vi}} {shlex.quote(str(machine.config_path))}"
        fix = error.fix or (f"unset {error.variable}" if error.variable else edit)
        return failed("config", str(error), "claude-max does not start with it.", fix)
    if why := open_to_all(settings):
        return failed("config", why, "claude-max does not start without one.", "claude-max serve --host 127.0.0.1")
    there = machine.config_path.exists()
    mode = machine.config_path.stat().st_mode if there and os.name == "posix" else 0
    if settings.api_key is not None and mode & 0o077 and "CLAUDE_MAX_API_KEY" not in machine.environ:
        detail = "It contains the key that clients must send."
        fix = f"chmod 600 {shlex.quote(str(machine.config_path))}"
        return warning("config", f"Other users of this machine can read {machine.config_path}", detail, fix)
    if odd := unknown(machine.environ):
        detail = "A misspelt variable is not read, and the default applies."
        return warning("config", " ".join(odd.values()), detail, f"unset {' '.join(odd)}")
    if not there:
        return ok("config", f"Defaults and CLAUDE_MAX_* variables; there is no {machine.config_path}")
    return ok("config", f"{machine.config_path} is valid")


def check_aliases(machine: Machine) -> Finding | None:
    """Every alias resolves to a model: one that is known here, or that the CLI lists."""
    aliases = machine.settings.aliases
    lost = lost_aliases((), aliases)
    if lost and machine.models is not None and isinstance(machine.cli, Cli):
        with contextlib.suppress(ProxyError):
            lost = lost_aliases(machine.models(machine.cli.path, machine.cli_environ()), aliases)
    if not lost:
        return ok("aliases", f"{len(aliases)} aliases point to models" if aliases else "No aliases are configured")
    summary = "; ".join(f"the alias {name} points to {target!r}, which is not a model" for name, target in lost.items())
    fix = [f"claude-max config set aliases.{name} sonnet" for name in lost]
    return failed("aliases", summary, "Requests that use it end with a 404.", *fix)


def check_port(machine: Machine) -> Finding | None:
    """The port is free, or the proxy already answers there."""
    settings = machine.listening
    port = settings.port
    if port == 0:
        return ok("port", "Port 0: a free port is picked at each start")
    found, legacy_services = machine.listener(settings), machine.legacy_services(port)
    undo = [legacy.undo for legacy in legacy_services]
    units = " and ".join(str(legacy.unit) for legacy in legacy_services)
    another = f"claude-max serve --port {port + 1 if port < 65535 else port - 1}"
    match found.kind:
        case Kind.OURS:
            return _ours(machine, found, address(settings))
        case Kind.LEGACY_NPM:
            who = f" ({found.detail})" if found.detail else ""
            return failed(
                "port",
                f"Port {port} is in use by claude-max-api-proxy{who}, the npm package that claude-max replaces",
                "Two servers cannot share a port." + (f" It is started at login by {units}." if undo else ""),
                *undo,
                another,
            )
        case Kind.OTHER:
            who = found.detail or "another program"
            see = f"lsof -nP -iTCP:{port} -sTCP:LISTEN"
            return failed("port", f"Port {port} is in use by {who}", "Two servers cannot share a port.", see, another)
        case Kind.UNUSABLE:
            detail = f"The system says: {found.detail}."
            return failed("port", f"{settings.host} port {port} cannot be used", detail, another)
        case Kind.FREE:
            if legacy_services:
                detail = "It starts claude-max-api-proxy at login, on this port."
                return warning("port", f"Port {port} is free now, but there is {units}", detail, *undo)
            return ok("port", f"Port {port} is free; `claude-max serve` would take it")


def check_folders(machine: Machine) -> Finding | None:
    """The folders that are written to can be written to."""
    troubles = {}
    for purpose, folder in machine.folders.items():
        try:
            _write(folder)
        except OSError as error:
            troubles[purpose, folder] = error.strerror or str(error)
    if not troubles:
        return ok("folders", f"Writable: {', '.join(machine.folders)}")
    summary = "; ".join(f"the {purpose} folder {folder}: {why}" for (purpose, folder), why in troubles.items())
    fix = [f"ls -ld {shlex.quote(str(folder))}" for _, folder in troubles]
    return failed("folders", f"Not writable: {summary}", "The proxy and the CLI keep files there.", *fix)


def check_memory(machine: Machine) -> Finding | None:
    """There is memory for the configured number of claude processes."""
    workers, available = machine.settings.workers, machine.available_memory()
    needed = workers * WORKER_BYTES
    summary = f"{workers} workers may need {_gib(needed)}, {_gib(available)} is available"
    if needed <= available:
        return ok("memory", summary)
    fitting = max(1, available // WORKER_BYTES)
    detail = "The machine may swap or end processes when many requests come at once."
    return warning("memory", summary, detail, f"claude-max serve --workers {fitting}")


def _ours(machine: Machine, found: Listener, url: str) -> Finding:
    record = machine.service() if machine.service is not None else None
    again = _restart(record is not None and record.running)
    health, installed = found.health, version("claude-max-toolkit")
    summary = f"claude-max {health['version']} answers at {url}, with Claude Code {health['cli_version']}"
    if health["version"] != installed:
        return warning("port", summary, f"{installed} is installed; restart to run it.", again)
    if health.get("scripted"):
        return warning(
            "port", f"{summary}, in demo mode", "Every answer is scripted. Stop it, and start it without --demo."
        )
    if health.get("signed_in") is False:
        lost = "It reports that Claude Code is not signed in: the login expired or was removed while it was running."
        return warning("port", summary, lost, "claude-max login", again)
    if health.get("ready") is False:
        return warning(
            "port",
            summary,
            "It is not ready: it is still starting, or claude does not start.",
            "claude-max service logs",
        )
    return ok("port", f"{summary}, and is healthy")


def _restart(service: bool) -> str:
    """The command that restarts the server, which depends on how it was started."""
    return "claude-max service restart" if service else "claude-max stop; claude-max start   # or Ctrl-C where it runs"


def _write(folder: Path) -> None:
    """Writes a file there, or in the nearest folder above that exists. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
