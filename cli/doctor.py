"""`claude-max doctor`: runs the checks of proxy/doctor and draws what they found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from claude_max.proxy.config import ConfigError
from claude_max.proxy.doctor import (
    CHECKS,
    LIVE,
    Check,
    Finding,
    Machine,
    SeedService,
    ServiceRecord,
    Status,
    describe,
    examine,
    this_machine,
)

from .output import Exit, Result, render, stop
from .service.actions import settings_of
from .service.choose import choose
from .service.inside import environment_of
from .service.manager import Manager
from .service.seed import seeds
from .service.spec import ServiceError

MARKS = {Status.OK: ("✓", "green"), Status.WARNING: ("!", "yellow"), Status.FAILED: ("✗", "red")}
# What some findings mean for the whole; the first that failed decides.
EXITS = {
    "config": Exit.USAGE,
    "cli": Exit.NO_CLI,
    "contract": Exit.NO_CLI,
    "login": Exit.NEEDS_LOGIN,
    "port": Exit.PORT_TAKEN,
}


@dataclass(frozen=True, slots=True)
class Diagnosis(Result):
    """What all checks found, in order."""

    findings: tuple[Finding, ...]

    @property
    def exit(self) -> Exit:
        """FINE when nothing failed; a code of its own where EXITS knows the reason."""
        failed = [finding.name for finding in self.findings if finding.status is Status.FAILED]
        return next((EXITS[name] for name in EXITS if name in failed), Exit.FAILED if failed else Exit.FINE)

    def data(self) -> dict[str, Any]:
        """`{"ok": bool, "findings": [{name, status, what, why, mend}]}`."""
        # Not `super()`: a dataclass with slots is another class than the one that it names.
        return {"ok": self.exit is Exit.FINE, **Result.data(self)}

    def drawn(self) -> Iterable[RenderableType]:
        """A line a finding; what a warning or failure means and the commands that mend it below."""
        for finding in self.findings:
            mark, style = MARKS[finding.status]
            row = Table.grid(padding=(0, 1))
            row.add_row(Text(mark, style), Text.assemble((finding.name, "bold"), "  ", finding.what, overflow="fold"))
            if finding.why:
                row.add_row("", Text(finding.why, "dim", overflow="fold"))
            yield row
            for command in finding.mend:
                yield Text(f"    {command}", "cyan")
        yield Text()
        yield self._summary()

    def _summary(self) -> Text:
        count = {status: sum(finding.status is status for finding in self.findings) for status in Status}
        if count[Status.FAILED]:
            look = f", {count[Status.WARNING]} to look at" if count[Status.WARNING] else ""
            return Text(f"{count[Status.FAILED]} failed{look}", "bold red")
        if count[Status.WARNING]:
            return Text(f"It works; {count[Status.WARNING]} to look at", "bold yellow")
        return Text("All is well", "bold green")


@dataclass(frozen=True, slots=True)
class Listed:
    """A check, and what holds when it is content."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Checks(Result):
    """The checks there are."""

    checks: tuple[Listed, ...]

    def drawn(self) -> Iterable[RenderableType]:
        """A line a check."""
        table = Table.grid(padding=(0, 2))
        for check in self.checks:
            table.add_row(Text(check.name, "bold", overflow="fold"), Text(check.about, overflow="fold"))
        yield table


def doctor(*, json: bool, list_checks: bool, only: Sequence[str], live: bool) -> NoReturn:
    """Runs the checks named in `only`, or all; with `live` also the one that spends tokens. Exits as Diagnosis says."""
    if list_checks:
        render(lambda: Checks(tuple(Listed(*describe(check)) for check in (*CHECKS, LIVE))), json=json)
    named = {describe(check)[0]: check for check in (*CHECKS, LIVE)}
    unknown = [name for name in only if name not in named]
    if unknown:
        stop(f"There is no check {unknown[0]!r}. There are: {', '.join(named)}.", Exit.USAGE, json=json)
    chosen: list[Check] = [named[name] for name in dict.fromkeys(only)] if only else list(CHECKS)
    if live and LIVE not in chosen:
        chosen.append(LIVE)
    render(lambda: Diagnosis(tuple(examine(_machine(), chosen))), json=json, doing="Looking…")


def _machine() -> Machine:
    try:
        manager = choose()
    except ServiceError:
        # No service manager, so no service: nothing to find out, and nothing wrong.
        return this_machine()
    return this_machine(
        service=lambda: _record(manager),
        seeds=lambda port: [SeedService(seed.file, seed.undo) for seed in seeds(manager.file.parent, port)],
    )


def _record(manager: Manager) -> ServiceRecord | None:
    state = manager.state()
    if not state.installed:
        return None
    try:
        settings = settings_of(manager)
    except (ConfigError, ServiceError):
        # `config` reports that, or `agent status`.
        settings = None
    claude_path = settings.claude_path if settings else None
    return ServiceRecord(manager.file, state.loaded, state.running, environment_of(manager), claude_path, settings)
