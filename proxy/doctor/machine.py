"""The inputs of the checks: each part can be replaced, so that a test can cause every finding."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from ..config import ConfigError, Settings, config_path, load
from ..engine.probe import queries
from ..engine.probe.locate import Cli, locate
from ..engine.wire.command import environment
from ..errors import CliUnavailable
from ..events import JsonObject, Model
from ..port_check import Listener, listener

if TYPE_CHECKING:
    from ..engine.probe.contract import ContractResult


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """The service as its manager (launchd, systemd) knows it.

    `environ` is the one that it runs in, and may hold the user's token: never show it. `claude_path` is the program
    that it was told to run; `settings` those that it runs with, None where they are broken. `program` is the claude-max
    that its file names, `version` what that one says of itself; None where it cannot be known.
    """

    unit: Path
    loaded: bool
    running: bool
    environ: Mapping[str, str] = field(repr=False)
    claude_path: str | None = None
    settings: Settings | None = None
    program: Path | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class LegacyService:
    """A service of `claude-max-api-proxy`, and the command that removes it."""

    unit: Path
    undo: str


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A program that is set up for a claude-max, as its `file` says: `url` without a path. `key` is never shown."""

    name: str
    title: str
    file: Path
    url: str
    key: str | None = field(default=None, repr=False)
    model: str | None = None


def _no_legacy(port: int) -> Sequence[LegacyService]:
    return ()


def _contract(cli: Cli) -> "ContractResult":
    """The cached contract check of this CLI; without one, it is run now, which takes about two seconds."""
    # Imported here because it loads a web server, which no other check needs.
    from ..engine.probe.contract_store import record_of

    file = user_cache_path("claude-max") / "contracts.json"
    return asyncio.run(record_of(cli, file, version("claude-max-toolkit"), os.environ))


def _models(program: Path, environ: Mapping[str, str]) -> Sequence[Model]:
    """As `queries.models`."""
    return asyncio.run(queries.models(program, environ))


def managed_settings() -> tuple[Path, ...]:
    """Where an administrator's settings for Claude Code are, by platform (code.claude.com/docs/en/settings)."""
    match sys.platform:
        case "darwin":
            folder = Path("/Library/Application Support/ClaudeCode")
        case "win32":
            folder = Path(os.environ.get("ProgramFiles", "C:/Program Files")) / "ClaudeCode"  # noqa: SIM112 - its name
        case _:
            folder = Path("/etc/claude-code")
    return (folder / "managed-settings.json",)


def ask_login(program: Path, environ: Mapping[str, str]) -> JsonObject:
    """As `queries.login`."""
    return asyncio.run(queries.login(program, environ))


def _available_memory() -> int:
    import psutil

    return int(psutil.virtual_memory().available)


@dataclass(frozen=True)
class Machine:
    """This machine, as far as the proxy depends on it.

    `folders` are those that must be writable, by purpose. `contract` and `service` are None if they cannot be
    determined; `service` returns None if it is not installed. `seeds` are npm services that use a port. `clients` are
    the programs that are set up for a claude-max, as far as their files can be read. `models` returns those that a CLI
    lists; it raises a ProxyError.
    """

    environ: Mapping[str, str]
    config_path: Path
    folders: Mapping[str, Path]
    load: Callable[[], Settings] = load
    login: Callable[[Path, Mapping[str, str]], JsonObject] = ask_login
    listener: Callable[[Settings], Listener] = listener
    available_memory: Callable[[], int] = _available_memory
    reach: Callable[[str, Mapping[str, str]], str | None] | None = None
    start: Callable[[Path, Mapping[str, str]], None] | None = None
    managed: Sequence[Path] = ()
    contract: "Callable[[Cli], ContractResult] | None" = None
    service: Callable[[], ServiceRecord | None] | None = None
    legacy_services: Callable[[int], Sequence[LegacyService]] = _no_legacy
    clients: Callable[[Settings], Sequence[ClientRecord]] | None = None
    models: Callable[[Path, Mapping[str, str]], Sequence[Model]] | None = None

    @cached_property
    def settings(self) -> Settings:
        """The effective settings; the defaults if they are invalid, which only `check_config` reports."""
        try:
            return self.load()
        except ConfigError:
            return Settings.model_construct()

    @cached_property
    def listening(self) -> Settings:
        """The settings of the installed service, else this terminal's."""
        record = self.service() if self.service is not None else None
        return self.settings if record is None or record.settings is None else record.settings

    @cached_property
    def cli(self) -> Cli | CliUnavailable:
        """The CLI that would be used, or why there is none."""
        try:
            return locate(self.settings.claude_path, self.environ)
        except CliUnavailable as error:
            return error

    def cli_environ(self, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment that the proxy gives the CLI, from this machine's own or from a service's."""
        source = self.environ if inherited is None else inherited
        return environment(source, allow_api_key=self.settings.allow_anthropic_api_key)


def this_machine(
    *,
    service: Callable[[], ServiceRecord | None] | None = None,
    legacy_services: Callable[[int], Sequence[LegacyService]] = _no_legacy,
    clients: Callable[[Settings], Sequence[ClientRecord]] | None = None,
) -> Machine:
    """The real one."""
    # They need a Machine themselves.
    from .reach import reach, start

    environ, home = os.environ, Path.home()
    return Machine(
        environ=environ,
        config_path=config_path(),
        folders={
            "cache": user_cache_path("claude-max"),
            "configuration": config_path().parent,
            "temporary": Path(tempfile.gettempdir()),
            "Claude Code's own": Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude"),
        },
        reach=reach,
        start=start,
        managed=managed_settings(),
        contract=_contract,
        service=service,
        legacy_services=legacy_services,
        clients=clients,
        models=_models,
    )
