"""Install, uninstall, restart, status, logs: decides on steps, runs them, waits for the proxy, and returns a result.

Returns frozen results; raises ServiceError, ConfigError (settings) and CliUnavailable (search for `claude`). `commands`
prints.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from claude_max.proxy.config import ConfigError, Settings, config_path, load
from claude_max.proxy.engine.probe.locate import BUNDLED, Cli, locate
from claude_max.proxy.port_check import Kind, address, listener

from ..output import Exit
from ..stored import everything
from .choose import choose, is_installed
from .legacy_npm import MARK, legacy_services
from .manager import Manager, State
from .program import program
from .results import Change, Outcome, Status
from .spec import Service, ServiceError, arguments, environment, left_out
from .steps import POLL_SECONDS, Machine, Step, Write, shown

# From the start of the process to the first answer: 1 s measured, more on a machine that is just booting.
HEALTHY_SECONDS = 20.0
LAST_LINES = 15


def install(manager: Manager, machine: Machine, *, port: int | None, claude_path: str | None, dry_run: bool) -> Change:
    """Makes sure that the service of this program is installed, loaded and answering."""
    if claude_path is not None:
        claude_path = os.path.abspath(os.path.expanduser(claude_path))  # noqa: PTH100, PTH111 - links are kept
    settings = load(port=port, claude_path=claude_path)
    if settings.port == 0:
        raise ServiceError("A service needs a fixed port: `--port 3456`", Exit.USAGE)
    service = Service(
        (program(machine.environ), *arguments(port=port, claude_path=claude_path)),
        _environment(manager, machine.environ, settings),
    )
    content = manager.render(service)
    before, steps = manager.state(), manager.install(content)
    notes = _notes(manager, machine.environ, settings)
    done = tuple(shown(step) for step in steps)
    if dry_run:
        return Change("dry-run", manager.file, done, content.decode(), notes=notes)
    if not (before.installed and before.running and settings_of(manager).port == settings.port):
        _free(settings, notes)
    machine.perform(steps)
    health = _healthy(manager, machine, settings, notes)
    outcome = _outcome(before, steps)
    hints = () if outcome == "unchanged" else tuple(manager.hints())
    return Change(outcome, manager.file, done, "", f"{address(settings)}/v1", health, (*notes, *hints))


def uninstall(manager: Manager, machine: Machine, *, dry_run: bool) -> Change:
    """Stops the service and removes its file."""
    steps = manager.uninstall()
    done = tuple(shown(step) for step in steps)
    if dry_run:
        return Change("dry-run", manager.file, done)
    machine.perform(steps)
    return Change("uninstalled" if steps else "absent", manager.file, done, notes=_left(manager))


def _left(manager: Manager) -> tuple[str, ...]:
    """Files that remain on disk after the service is removed, with descriptions."""
    places = [
        (manager.secrets, "may contain a token: remove it if nothing else needs it"),
        (manager.file.with_name(f"{manager.file.name}.d"), "your own changes to the unit"),
        (getattr(manager, "log", None), "its log"),
        (config_path(), "the settings"),
    ]
    places += [(file, f"{each.about}: `claude-max purge {each.name}`") for each in everything() for file in each.files]
    return tuple(f"Left in place: {place} ({what})" for place, what in places if place is not None and place.exists())


def restart(manager: Manager, machine: Machine) -> Change:
    """Restarts the installed service and waits until it answers."""
    state = _installed(manager)
    try:
        settings = settings_of(manager)
    except ConfigError as error:
        raise ServiceError(f"Not restarted, because it would not start: {error}", Exit.USAGE) from None
    notes = _notes(manager, machine.environ, settings)
    if not state.running:
        _free(settings, notes)
    steps = manager.restart()
    machine.perform(steps)
    health = _healthy(manager, machine, settings, notes)
    return Change("restarted", manager.file, tuple(map(shown, steps)), url=f"{address(settings)}/v1", signed_in=health)


def status(manager: Manager) -> Status:
    """Queries the manager and the proxy. Changes nothing."""
    state, trouble = manager.state(), ""
    settings: Settings | None = None
    try:
        settings = settings_of(manager) if state.installed else load()
    except (ConfigError, ServiceError) as error:
        trouble = str(error)
    health = listener(settings).health if settings else {}
    return Status(
        manager=manager.name,
        file=manager.file,
        installed=state.installed,
        loaded=state.loaded,
        running=state.running,
        pid=state.pid,
        last_exit=state.last_exit,
        url=f"{address(settings)}/v1" if settings else "",
        healthy=bool(health),
        signed_in=_signed_in(health),
        trouble=trouble,
        version=str(health["version"]) if "version" in health else None,
    )


def logs(manager: Manager, machine: Machine, *, lines: int, follow: bool) -> int:
    """Prints the service's last log lines. Returns the exit code of the command that printed them."""
    _installed(manager)
    return machine.show(manager.logs(lines, follow=follow))


def settings_of(manager: Manager) -> Settings:
    """The settings the installed service runs with: its flags, its variables, its configuration file."""
    words = manager.command()
    flags = {name: words[at + 1] for at, name in enumerate(words[:-1]) if name in ("--port", "--claude-path")}
    # As `serve` does there: a service keeps running across an upgrade.
    return load(
        manager.environment(), accept_old_names=True, port=flags.get("--port"), claude_path=flags.get("--claude-path")
    )


def installed() -> Settings | None:
    """The settings of this user's service; None if there is none, or they cannot be read."""
    machine = Machine()
    try:
        # Most users have no service, and querying the manager is slow; checking for the file is not.
        return settings_of(choose(machine)) if is_installed(machine) else None
    except (ConfigError, ServiceError):
        return None


def _installed(manager: Manager) -> State:
    state = manager.state()
    if not state.installed:
        raise ServiceError("The service is not installed: `claude-max install-agent`")
    return state


def _environment(manager: Manager, inherited: Mapping[str, str], settings: Settings) -> dict[str, str]:
    cli = locate(settings.claude_path, inherited)
    search = (*_folders(cli, inherited), *manager.search)
    return {**environment(inherited, search, manager.language), **manager.told}


def _folders(cli: Cli, inherited: Mapping[str, str]) -> list[str]:
    """The folder in which `claude` was found, and that of its interpreter if it is an npm script."""
    if cli.source == BUNDLED:
        return []
    folders = [str(cli.path.parent.absolute())]
    with cli.path.open("rb") as file:
        if file.read(2) == b"#!":
            places = (Path(place) for place in inherited.get("PATH", "").split(os.pathsep) if place)
            folders += [str(place) for place in places if os.access(place / "node", os.X_OK)][:1]
    return folders


def _notes(manager: Manager, inherited: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    notes = left_out(inherited, secrets=manager.secrets, config=config_path())
    for legacy in legacy_services(manager.file.parent, settings.port):
        notes.append(f"{legacy.file} starts claude-max-api-proxy on port {legacy.port}, too. Remove it: {legacy.undo}")
    if manager.secrets is not None and manager.secrets.exists() and manager.secrets.stat().st_mode & 0o077:
        notes.append(f"Others can read {manager.secrets}: chmod 600 {shlex.quote(str(manager.secrets))}")
    return tuple(notes)


def _free(settings: Settings, notes: tuple[str, ...]) -> None:
    found = listener(settings)
    if found.kind is Kind.FREE:
        return
    if found.kind is Kind.UNUSABLE:
        raise ServiceError(f"{settings.host}:{settings.port} cannot be used ({found.detail}).", Exit.PORT_TAKEN)
    who = {Kind.OURS: "Another claude-max", Kind.LEGACY_NPM: "claude-max-api-proxy"}.get(found.kind, "Another program")
    which = f", {found.detail}," if found.detail else ""
    hint = " ".join(note for note in notes if MARK in note)
    raise ServiceError(
        f"{who}{which} is listening on port {settings.port}: stop it, or choose another with --port. {hint}".rstrip(),
        Exit.PORT_TAKEN,
    )


def _outcome(before: State, steps: list[Step]) -> Outcome:
    if not before.installed:
        return "installed"
    if any(isinstance(step, Write) for step in steps):
        return "updated"
    return "started" if steps else "unchanged"


def _healthy(manager: Manager, machine: Machine, settings: Settings, notes: tuple[str, ...]) -> bool | None:
    """Waits until the proxy answers and knows its login state. Returns it; raises ServiceError with the end of the
    log.
    """
    url, patience = address(settings), manager.put_off + HEALTHY_SECONDS
    deadline = machine.clock() + patience
    health = listener(settings).health
    while _signed_in(health) is None and machine.clock() < deadline:
        machine.pause(POLL_SECONDS)
        health = listener(settings).health
    if health:
        return _signed_in(health)
    if not manager.state().running:
        _free(settings, notes)
    last = machine.ask(manager.logs(LAST_LINES, follow=False)).stdout.rstrip()
    raise ServiceError(f"The service was started but does not answer at {url} after {patience:.0f} s.\n{last}")


def _signed_in(health: Mapping[str, object]) -> bool | None:
    said = health.get("signed_in")
    return said if isinstance(said, bool) else None
