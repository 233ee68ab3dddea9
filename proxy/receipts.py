"""What a request cost: the engine tells it, call by call, to whoever keeps the tab of the request at hand.

A call's cost comes with the CLI's `result` line, after the client has its answer. So a tab is told twice: when a worker
is found, and when that worker has settled. No logic.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .events import JsonObject, Usage

# How a request travels: whole in one write, or line by line.
Way = Literal["exact", "lines"]


@dataclass(frozen=True, slots=True)
class Call:
    """A worker was found for a call. `warm`: its process stood ready. `queued`: seconds waited for it."""

    way: Way
    warm: bool
    queued: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call used, as the CLI counted it.

    `cost` is its value in US dollars, None where the CLI did not say it, `basis` by which prices ("list").
    """

    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A call whose worker has settled.

    `spent` is None where nothing was asked. `limit` is the latest `rate_limit_info` now.
    """

    spent: Spent | None
    limit: JsonObject


class Tab(Protocol):
    """Whatever adds up the calls of one request. Each `opened` is followed by one `settled`."""

    def opened(self, call: Call) -> None:
        """A call begins."""
        ...

    def settled(self, receipt: Receipt) -> None:
        """A call is over, perhaps after the request is."""
        ...


class _NoTab:
    def opened(self, call: Call) -> None:
        pass

    def settled(self, receipt: Receipt) -> None:
        pass


NO_TAB: Tab = _NoTab()
_current: ContextVar[Tab] = ContextVar("tab", default=NO_TAB)


def tab() -> Tab:
    """The tab of the request at hand."""
    return _current.get()


@contextmanager
def on(tab: Tab) -> Iterator[None]:
    """Within the block, and the tasks that it starts, calls go on this tab."""
    token = _current.set(tab)
    try:
        yield
    finally:
        _current.reset(token)
