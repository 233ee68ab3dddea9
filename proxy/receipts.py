"""The cost of a request: the engine reports each call to the tab of the current request.

A call's cost comes with the CLI's `result` line, after the client has its answer. So a tab is called twice: when a
worker is found, and when that worker has settled. No logic.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .events import JsonObject, Usage

# How a request is sent: whole in one write, or line by line.
Way = Literal["exact", "lines"]


@dataclass(frozen=True, slots=True)
class Call:
    """A worker was found for a call. `warm`: its process was ready. `queued`: seconds waited for it."""

    way: Way
    warm: bool
    queued: float


@dataclass(frozen=True, slots=True)
class Spent:
    """The usage of a call, as the CLI counted it.

    `cost` is its value in US dollars, None if the CLI did not report it; `basis` names the prices ("list").
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
    """Adds up the calls of one request. Each `opened` is followed by one `settled`."""

    def opened(self, call: Call) -> None:
        """A call begins."""
        ...

    def settled(self, receipt: Receipt) -> None:
        """A call has ended, possibly after the request has."""
        ...


class _NoTab:
    def opened(self, call: Call) -> None:
        pass

    def settled(self, receipt: Receipt) -> None:
        pass


NO_TAB: Tab = _NoTab()
_current: ContextVar[Tab] = ContextVar("tab", default=NO_TAB)


def tab() -> Tab:
    """The tab of the current request."""
    return _current.get()


@contextmanager
def on(tab: Tab) -> Iterator[None]:
    """Calls within the block, and in tasks that it starts, are reported to this tab."""
    token = _current.set(tab)
    try:
        yield
    finally:
        _current.reset(token)
