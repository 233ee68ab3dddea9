"""The result of `claude-max status`, and its output. No I/O."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from .output import WARN, Exit, Result, printable
from .usage import Window, Windows

How = Literal["foreground", "background", "service"]
STATES = {"starting": "starting", "idle": "ready", "busy": "answering", "finishing": "finishing", "closing": "ending"}
MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is not answered yet. `state` is "waiting", "asking" or "answering"."""

    id: str
    since: str
    client: str
    dialect: str
    asked: str
    model: str
    state: str


@dataclass(frozen=True, slots=True)
class Process:
    """A claude process. `memory` is in bytes."""

    id: int
    pid: int | None
    state: str
    turns: int
    since: str
    memory: int


@dataclass(frozen=True, slots=True)
class Workers:
    """`most` is the maximum of processes, `warm` of them are kept ready; `waiting` requests wait, at most `queue`."""

    most: int
    warm: int
    waiting: int
    queue: int
    processes: tuple[Process, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. If its page could not be read, `trouble` says why, and the fields from it are empty or None."""

    how: How
    url: str
    pid: int | None
    since: str | None
    version: str
    cli_version: str
    scripted: bool
    signed_in: bool | None
    plan: str | None
    ready: bool
    windows: tuple[Window, ...]
    extra_usage: bool
    warnings: tuple[str, ...]
    requests: tuple[Asked, ...]
    workers: Workers | None
    trouble: str = ""
    key_refused: bool = False

    def lines(self, now: datetime) -> Iterator[RenderableType]:
        """The lines of its output."""
        age = f", for {_span(self.since, now)}" if self.since else ""
        process = f", process {self.pid}" if self.pid else ""
        about = f"claude-max {self.version}, Claude Code {self.cli_version}"
        yield Text.assemble((self.url, "bold"), f"  {self.how}{process}{age}")
        yield Text(printable(about) + (", demo: every answer is scripted" if self.scripted else ""), "dim")
        signed = {True: "Signed in", False: "Not signed in: claude-max login", None: "Login not known yet"}
        plan = f", plan {printable(self.plan)}" if self.plan else ""
        yield _line(self.signed_in is True, signed[self.signed_in] + plan)
        if self.trouble:
            yield _line(False, self.trouble)
        elif not self.ready:
            yield _line(False, "Not ready: requests are not answered yet")
        yield from (_line(False, printable(text)) for text in self.warnings)
        if self.windows:
            yield Windows(self.windows)
        if self.workers is not None:
            yield Text(_summary(self.workers))
            yield from self._requests(now)

    def _requests(self, now: datetime) -> Iterator[RenderableType]:
        if not self.requests:
            yield Text("No request in flight")
            return
        yield Text(f"{len(self.requests)} in flight:")
        table = Table.grid("", "", "", Column(justify="right"), padding=(0, 2))
        for each in self.requests:
            who = printable(each.client or "unnamed")
            table.add_row(f"  {who}", printable(each.model or each.asked), each.state, _span(each.since, now))
        yield table


@dataclass(frozen=True, slots=True)
class Status(Result):
    """Every claude-max server that answers. `other` is another program that listens at the port, empty for none."""

    servers: tuple[Server, ...]
    other: str = ""

    @property
    def exit(self) -> Exit:
        """FINE if a request would be answered; else a code for the reason."""
        if any(server.ready and not server.key_refused for server in self.servers):
            return Exit.FINE
        if any(server.key_refused for server in self.servers):
            return Exit.WRONG_KEY
        if any(server.signed_in is False for server in self.servers):
            return Exit.NEEDS_LOGIN
        return Exit.PORT_TAKEN if self.other and not self.servers else Exit.FAILED

    def data(self) -> dict[str, Any]:
        """`{"ok": bool, "servers": […], "other": str}`; docs/json.md has the fields."""
        return {"ok": self.exit is Exit.FINE, **Result.data(self)}

    def view(self) -> Iterable[RenderableType]:
        """One block per server."""
        now = datetime.now(UTC)
        for number, server in enumerate(self.servers):
            if number:
                yield Text()
            yield from server.lines(now)
        if not self.servers:
            yield Text("No claude-max server is running.", "bold")
            if self.other:
                yield Text(printable(self.other), WARN)
            yield Text("Start one: `claude-max serve`, or `claude-max start` in the background.")


def _summary(workers: Workers) -> str:
    states = Counter(STATES.get(each.state, each.state) for each in workers.processes)
    turns = sum(each.turns for each in workers.processes)
    memory = sum(each.memory for each in workers.processes) / MEGABYTE
    which = f" ({', '.join(f'{number} {state}' for state, number in states.items())})" if states else ""
    waiting = f"{workers.waiting} waiting" if workers.waiting else "nobody waits"
    return (
        f"Workers: {len(workers.processes)} of {workers.most}{which}, {memory:.0f} MB, {turns} turns served, {waiting}"
    )


def _span(since: str, now: datetime) -> str:
    seconds = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _line(fine: bool, said: str) -> Text:
    mark, style = ("✓", "green") if fine else ("!", WARN)
    return Text.assemble((f"{mark} ", style), said)
