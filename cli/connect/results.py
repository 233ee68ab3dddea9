"""The results of the commands, and their output."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from ..output import WARN, Exit, Result

# In a narrower terminal a table would break words.
NARROW = 60
Outcome = Literal["written", "removed", "unchanged", "dry-run", "refused", "by hand", "absent"]


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is known. `set_up` says whether it is set up for this proxy; `files` need not exist."""

    name: str
    title: str
    found: bool
    set_up: bool
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Clients(Result):
    """All of them; those on this machine first."""

    clients: tuple[Client, ...]

    def view(self) -> Iterable[RenderableType]:
        """One line per client."""
        yield Listed(self.clients)
        yield Text()
        yield Text("`claude-max connect NAME` sets one up, after showing what it would write.", "dim")


@dataclass(frozen=True, slots=True)
class Listed:
    """One row per client; two lines in a narrow terminal."""

    clients: tuple[Client, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        for title in ("Client", "Here", "Set up", "File"):
            table.add_column(title, overflow="fold", no_wrap=title != "File")
        for client in self.clients:
            style = "" if client.found or client.set_up else "dim"
            file = str(client.files[0]) if client.files else "by hand"
            here, set_up = "found" if client.found else "-", "yes" if client.set_up else "-"
            table.add_row(*(Text(cell, style) for cell in (client.name, here, set_up, file)))
            if options.max_width < NARROW:
                known = [word for word, holds in (("found", client.found), ("set up", client.set_up)) if holds]
                yield Text(f"{client.name}{': ' if known else ''}{', '.join(known)}", style)
                yield Text(f"  {file}", style, overflow="fold")
        if options.max_width >= NARROW:
            yield table


@dataclass(frozen=True, slots=True)
class Changed:
    """The result for one file. `backup` is the path of the original."""

    path: Path
    outcome: Outcome
    diff: str = ""
    backup: Path | None = None
    why: str = ""
    paste: str = ""


@dataclass(frozen=True, slots=True)
class Connected(Result):
    """The result for a client. `steps` are manual steps, `use` is a command that uses it."""

    client: str
    outcome: Outcome
    files: tuple[Changed, ...]
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    use: str = ""

    @property
    def exit(self) -> Exit:
        """FAILED if a file was not changed."""
        return Exit.FAILED if self.outcome == "refused" else Exit.FINE

    def view(self) -> Iterable[RenderableType]:
        """One line per file; the lines to paste if one was not changed; then the manual steps."""
        for file in self.files:
            yield from _file(file)
        if self.outcome == "absent":
            yield Text(f"claude-max wrote nothing for {self.client}.")
        for number, step in enumerate(self.steps, 1):
            yield Text(f"{number}. {step}" if len(self.steps) > 1 else step)
        yield from (Text(note, "dim") for note in self.notes)
        if self.use and self.outcome in ("written", "unchanged"):
            yield Text(f"Try it: {self.use}", "bold")


def _file(file: Changed) -> Iterable[RenderableType]:
    match file.outcome:
        case "written":
            backup = f" (as it was: {file.backup})" if file.backup else ""
            yield Text(f"Wrote {file.path}{backup}")
        case "removed":
            yield Text(f"{file.path} was restored" if not file.why else f"Removed what was written from {file.path}")
        case "unchanged":
            yield Text(f"{file.path}: nothing to change")
        case "dry-run":
            yield from shown(file.diff)
        case "refused":
            yield Text(file.why, "bold red")
            if file.paste:
                yield Text("The lines:")
                yield Text(file.paste)
            return
        case _:
            return
    if file.why:
        yield Text(file.why, WARN)


def shown(diff: str) -> Iterable[Text]:
    """A difference with colours."""
    for line in diff.splitlines():
        style = "bold" if line[:3] in ("---", "+++") else {"+": "green", "-": "red", "@": "dim"}.get(line[:1], "")
        yield Text(line, style)
