"""`claude-max doctor`: runs the checks of proxy/doctor and prints the findings."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from claude_max.proxy import renamed
from claude_max.proxy.config import ConfigError, config_path, rewrite_file, written
from claude_max.proxy.doctor import (
    CHECKS,
    LIVE,
    Check,
    Finding,
    LegacyService,
    Machine,
    ServiceRecord,
    Status,
    describe,
    examine,
    this_machine,
)

from .connect.inspect import clients
from .output import COMMAND, WARN, Exit, Result, fail, render
from .service.actions import settings_of
from .service.choose import choose, unasked
from .service.inside import environment_of
from .service.legacy_npm import legacy_services
from .service.manager import Manager
from .service.rewrite import rewrite
from .service.spec import ServiceError
from .service.steps import Machine as ServiceMachine

MARKS = {Status.OK: ("✓", "green"), Status.WARNING: ("!", WARN), Status.FAILED: ("✗", "red")}
# Exit codes of some findings; the first that failed decides.
EXITS = {
    "config": Exit.USAGE,
    "cli": Exit.NO_CLI,
    "contract": Exit.NO_CLI,
    "login": Exit.NEEDS_LOGIN,
    "port": Exit.PORT_TAKEN,
}


@dataclass(frozen=True, slots=True)
class Diagnosis(Result):
    """The findings of all checks, in order."""

    findings: tuple[Finding, ...]
    fixed: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        """FINE if nothing failed; a specific code if EXITS has one for the reason."""
        failed = [finding.name for finding in self.findings if finding.status is Status.FAILED]
        return next((EXITS[name] for name in EXITS if name in failed), Exit.FAILED if failed else Exit.FINE)

    def data(self) -> dict[str, Any]:
        """`{"ok": bool, "findings": [{name, status, summary, detail, fix}], "fixed": [str]}`."""
        # Not `super()`: a dataclass with slots replaces the class that `super()` refers to.
        return {"ok": self.exit is Exit.FINE, **Result.data(self)}

    def view(self) -> Iterable[RenderableType]:
        """What was fixed; one line per finding; below a warning or failure its detail and the commands that fix it."""
        yield from (Text(f"Fixed: {line}", "green") for line in self.fixed)
        for finding in self.findings:
            mark, style = MARKS[finding.status]
            row = Table.grid(padding=(0, 1))
            row.add_row(
                Text(mark, style), Text.assemble((finding.name, "bold"), "  ", finding.summary, overflow="fold")
            )
            if finding.detail:
                row.add_row("", Text(finding.detail, "dim", overflow="fold"))
            yield row
            for command in finding.fix:
                yield Text(f"    {command}", COMMAND)
        yield Text()
        yield self._summary()

    def _summary(self) -> Text:
        count = {status: sum(finding.status is status for finding in self.findings) for status in Status}
        if count[Status.FAILED]:
            look = f", {count[Status.WARNING]} to look at" if count[Status.WARNING] else ""
            return Text(f"{count[Status.FAILED]} failed{look}", "bold red")
        if count[Status.WARNING]:
            return Text(f"It works; {count[Status.WARNING]} to look at", f"bold {WARN}")
        return Text("All is well", "bold green")


@dataclass(frozen=True, slots=True)
class Listed:
    """A check, and the condition that it verifies."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Checks(Result):
    """The available checks."""

    checks: tuple[Listed, ...]

    def view(self) -> Iterable[RenderableType]:
        """One line per check."""
        table = Table.grid(padding=(0, 2))
        for check in self.checks:
            table.add_row(Text(check.name, "bold", overflow="fold"), Text(check.about, overflow="fold"))
        yield table


def doctor(
    *, json: bool, list_checks: bool, only: Sequence[str], live: bool, fix: bool = False, report: bool = False
) -> NoReturn:
    """Runs the checks named in `only`, or all; with `live` also the one that spends tokens. Exits as Diagnosis says."""
    if list_checks:
        render(lambda: Checks(tuple(Listed(*describe(check)) for check in (*CHECKS, LIVE))), json=json)
    named = {describe(check)[0]: check for check in (*CHECKS, LIVE)}
    unknown = [name for name in only if name not in named]
    if unknown:
        fail(f"Unknown check {unknown[0]!r}. Available: {', '.join(named)}.", Exit.USAGE, json=json)
    chosen: list[Check] = [named[name] for name in dict.fromkeys(only)] if only else list(CHECKS)
    if live and LIVE not in chosen:
        chosen.append(LIVE)
    if report:
        from .report import report as made

        render(lambda: made(tuple(examine(_machine(), chosen))), json=json, doing="Checking…")
    render(lambda: _diagnosis(chosen, fix=fix), json=json, doing="Checking…")


def _diagnosis(chosen: Sequence[Check], *, fix: bool) -> Diagnosis:
    fixed = _fix() if fix else ()
    return Diagnosis(tuple(examine(_machine(), chosen)), fixed)


def _fix() -> tuple[str, ...]:
    """Rewrites old names in the files that contain them. Returns one line per change. Raises ConfigError."""
    done = []
    file = config_path()
    names = [name for name in written(file) if name in renamed.SETTINGS]
    if names:
        rewrite_file(file)
        done.append(f"{file}: {', '.join(renamed.now_called(name, renamed.SETTINGS[name]) for name in names)}")
    try:
        machine = ServiceMachine()
        done += rewrite(choose(machine), machine)
    except ServiceError as error:
        # Without a service manager there is no service.
        if names or (there := unasked(ServiceMachine())) is None or not there.file.is_file():
            return tuple(done)
        raise ConfigError(error.message) from None
    return tuple(done)


def _machine() -> Machine:
    try:
        manager = choose()
    except ServiceError:
        # No service manager, so no service: nothing to check.
        return this_machine(clients=clients)
    return this_machine(
        service=lambda: _record(manager),
        legacy_services=lambda port: [
            LegacyService(legacy.file, legacy.undo) for legacy in legacy_services(manager.file.parent, port)
        ],
        clients=clients,
    )


def _record(manager: Manager) -> ServiceRecord | None:
    state = manager.state()
    if not state.installed:
        return None
    try:
        settings = settings_of(manager)
    except (ConfigError, ServiceError):
        # `config` reports that, or `service status`.
        settings = None
    claude_path = settings.claude_path if settings else None
    program = _named_program(manager)
    return ServiceRecord(
        manager.file,
        state.loaded,
        state.running,
        environment_of(manager),
        claude_path,
        settings,
        program,
        _version_of(program),
    )


def _named_program(manager: Manager) -> Path | None:
    try:
        words = manager.command()
    except ServiceError:
        return None
    return Path(words[0]) if words else None


def _version_of(program: Path | None) -> str | None:
    """The version of another claude-max; None if it is this one, or does not answer."""
    if program is None or not program.exists():
        return None
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.fullmatch(r"claude-max (\S+)", done.stdout.strip())
    return found[1] if found else None
