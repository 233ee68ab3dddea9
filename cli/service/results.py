"""The results of the service commands, and their output. No I/O."""

import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from rich.console import RenderableType
from rich.text import Text

from ..output import COMMAND, WARN, Exit, Result
from ..signals import BY_SIGNAL

Outcome = Literal["installed", "updated", "started", "unchanged", "restarted", "uninstalled", "absent", "dry-run"]

SENTENCES: dict[Outcome, str] = {
    "installed": "Installed. It will start at login.",
    "updated": "Updated and restarted.",
    "started": "It was already installed, and is running again.",
    "unchanged": "Nothing to do: it is installed and running.",
    "restarted": "Restarted.",
    "uninstalled": "Stopped and removed.",
    "absent": "Nothing to do: it is not installed.",
    "dry-run": "Nothing was changed.",
}


@dataclass(frozen=True, slots=True)
class Change(Result):
    """What an action did, or in a dry run would do. `signed_in` is None if it was not checked or is not known."""

    outcome: Outcome
    file: Path
    commands: tuple[str, ...]
    content: str = ""
    url: str = ""
    signed_in: bool | None = None
    notes: tuple[str, ...] = ()

    def view(self) -> Iterable[RenderableType]:
        """The file and the commands of a dry run; else one sentence and the address."""
        if self.outcome == "dry-run":
            if self.content:
                yield Text(f"# {self.file}", style="bold")
                yield Text(self.content.rstrip())
            yield from (Text(f"$ {command}", style=COMMAND) for command in self.commands)
        yield Text(SENTENCES[self.outcome], style="bold")
        if self.url:
            yield Text(self.url)
        if self.signed_in is False:
            yield Text("Claude Code is not signed in there: claude-max login", style=WARN)
        yield from (Text(f"· {note}", style=WARN) for note in self.notes)


@dataclass(frozen=True, slots=True)
class Status(Result):
    """The state of the service: its manager's view, and whether the proxy answers at its address.

    `version` is that of the proxy that answers. `trouble` is an error in its settings; `url` is then empty, because the
    address is not known.
    """

    manager: str
    file: Path
    installed: bool
    loaded: bool
    running: bool
    pid: int | None
    last_exit: int | None
    url: str
    healthy: bool
    signed_in: bool | None
    trouble: str = ""
    version: str | None = None

    @property
    def exit(self) -> Exit:
        """FINE if it is running and answering."""
        return Exit.FINE if self.running and self.healthy else Exit.FAILED

    def view(self) -> Iterator[RenderableType]:
        """One line per fact, and what to do next."""
        process = f"running, pid {self.pid}" if self.running else "not running"
        if not self.running and self.last_exit is not None:
            process += f", {_ended(self.last_exit)}"
        yield _line("installed", self.installed, str(self.file) if self.installed else "no")
        yield _line("loaded", self.loaded, f"by {self.manager}" if self.loaded else f"not by {self.manager}")
        yield _line("process", self.running, process)
        if self.trouble:
            yield _line("settings", False, self.trouble)
        else:
            yield _line("answers", self.healthy, self.url if self.healthy else f"no claude-max at {self.url}")
        if self.version:
            installed = version("claude-max-toolkit")
            same = self.version == installed
            yield _line("version", same, self.version if same else f"{self.version}; {installed} is installed")
        if self.healthy:
            login = {True: "yes", False: "no: claude-max login", None: "not known yet"}[self.signed_in]
            yield _line("signed in", self.signed_in is True, login)
        if not self.installed:
            yield Text("Install it: claude-max install-agent")
        elif self.exit is not Exit.FINE:
            yield Text("See why: claude-max service logs · try again: claude-max service restart")


def _ended(code: int) -> str:
    if code <= BY_SIGNAL:
        return f"last exit code {code}"
    number = code - BY_SIGNAL
    names = {each.value: each.name for each in signal.Signals}
    return f"ended by signal {names.get(number, number)}"


def _line(name: str, fine: bool, said: str) -> Text:
    mark, style = ("✓", "green") if fine else ("✗", "red")
    return Text.assemble((f"{mark} ", style), f"{name:<10} ", said)
