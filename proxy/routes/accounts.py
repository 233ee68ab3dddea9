"""What requests cost and what is left of the plan: a tab per request, and the limits that the CLI last reported.

A tab is complete when its response was sent and all its calls are finished; then it is passed on as a Row. The guard
against extra usage is here too.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ExtraUsageRequired
from ..events import Usage
from ..plan import Limits, Window, limits, when
from ..receipts import Call, Receipt
from ..records import Row
from .clients import known_name
from .journal import Entry

log = logging.getLogger("claude_max.plan")

Overage = Literal["allow", "warn", "refuse"]
# Receives a row, the windows reported with it, and the client's trace context (its headers, if it sent any).
Sink = Callable[[Row, tuple[Window, ...], Mapping[str, str]], None]
# W3C Trace Context, level 1.
TRACE_CONTEXT = ("traceparent", "tracestate")
# If extra usage is refused: how long a request may wait for earlier calls to settle, since they report extra usage.
FINISH_SECONDS = 2.0
# A refusal without a known end is retried at this interval, since nothing else would show that it is over.
UNKNOWN_END_SECONDS = 600.0
# Resets of a window that are closer than this are the same.
SAME_WINDOW_SECONDS = 600.0
# Maximum characters of a client's own text in a row.
LONGEST = 200


@dataclass(eq=False, slots=True)
class Tab:
    """The calls of one request, added up; times in seconds."""

    begun: float
    now: float
    closed: Callable[["Tab"], None]
    agent: str = ""
    calls: int = 0
    open: int = 0
    call: Call | None = None
    queued: float = 0.0
    found: float | None = None
    usage: Usage = field(default_factory=Usage)
    cost: float | None = 0.0
    bases: set[str] = field(default_factory=set)
    limit: Mapping[str, Any] = field(default_factory=dict)
    is_over: bool = False
    told: Callable[[Receipt], None] = lambda _: None

    def opened(self, call: Call) -> None:
        """A call begins."""
        if self.call is None:
            self.call, self.found = call, time.monotonic()
        self.queued += call.queued
        self.open += 1

    def settled(self, receipt: Receipt) -> None:
        """A call is over."""
        self.open -= 1
        if receipt.spent is not None:
            self.calls += 1
            self.usage += receipt.spent.usage
            both = self.cost is not None and receipt.spent.cost is not None
            self.cost = (self.cost or 0.0) + (receipt.spent.cost or 0.0) if both else None
            self.bases |= {receipt.spent.basis} - {""}
        self.limit = receipt.limit
        self.told(receipt)
        self._maybe()

    def over(self) -> None:
        """The response is out."""
        self.is_over = True
        self._maybe()

    def _maybe(self) -> None:
        if self.is_over and not self.open:
            self.closed(self)


@dataclass(frozen=True, slots=True)
class Running:
    """A request that is not answered yet. `at` is unix seconds; `state` is "waiting" until it has a worker."""

    id: str
    at: float
    dialect: str
    client: str
    asked: str
    model: str
    state: Literal["waiting", "asking", "answering"]


class Accounts:
    """Of one server. `sinks` take each finished request; `now` is unix seconds."""

    def __init__(
        self,
        overage: Overage = "warn",
        sinks: tuple[Sink, ...] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.overage = overage
        self.sinks = sinks
        self._now = now
        self._info: Mapping[str, Any] = {}
        self._told = 0.0
        self._warned: dict[tuple[str, float], float] = {}
        self._was_extra = False
        self._settling: set[Tab] = set()
        self._changed = asyncio.Event()
        self._running: dict[Tab, tuple[Entry, str]] = {}
        # Called whenever a request arrives or is answered.
        self.on_change: Callable[[], None] = lambda: None

    @property
    def running(self) -> list[Running]:
        """The requests that are not answered yet, in the order they came."""
        return [_running(tab, *known) for tab, known in self._running.items()]

    @property
    def limits(self) -> Limits:
        """What the CLI said of the plan last, as of now."""
        return limits(self._info, self._now())

    def begin(self, entry: Entry, headers: Mapping[str, str], dialect: str) -> Tab:
        """The tab of a request to an endpoint of `dialect`; `headers` are the request's, by lower-case name."""
        trace = {name: headers[name] for name in TRACE_CONTEXT if name in headers}

        def closed(tab: Tab) -> None:
            self._settling.discard(tab)
            self._changed.set()
            row, told = _row(entry, tab, dialect, limits(tab.limit, self._now()))
            for sink in self.sinks:
                sink(row, told, trace)

        tab = Tab(entry.begun, self._now(), closed, headers.get("user-agent", ""), told=self._receive)
        self._running[tab] = (entry, dialect)
        self.on_change()
        return tab

    def end(self, tab: Tab) -> None:
        """The response of a request is out."""
        if tab.open:
            self._settling.add(tab)
        tab.over()
        self._running.pop(tab, None)
        self.on_change()

    async def admit(self) -> None:
        """Raises ExtraUsageRequired where requests are billed on top of the plan now and that is refused."""
        if self.overage != "refuse":
            return
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while self._settling:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass
        found = self.limits
        is_unknown = found.ends is None and self._now() - self._told > UNKNOWN_END_SECONDS
        if not found.next_is_extra or is_unknown:
            return
        end = "" if found.ends is None else f" It ends at {when(found.ends)}."
        state = "is billed as extra usage now" if found.extra else "would be billed as extra usage"
        raise ExtraUsageRequired(
            f"Your plan's limit is reached: what is asked {state}.{end}",
            hint='It is refused by the setting `overage = "refuse"`.',
            retry_after=None if found.ends is None else found.ends - self._now(),
        )

    def warnings(self) -> list[str]:
        """What a person should know of the plan now, in short sentences."""
        found = self.limits
        said = [_warning(window) for window in found.windows if window.warning is not None]
        if found.extra and self.overage != "allow":
            said.append(
                "extra usage is billed on top of the plan" + (f" until {when(found.ends)}" if found.ends else "")
            )
        return said

    def _receive(self, receipt: Receipt) -> None:
        if not receipt.limit or receipt.limit is self._info:
            return
        self._info, self._told = receipt.limit, self._now()
        found = self.limits
        for window in found.windows:
            if window.warning is None:
                continue
            # After a window has reset, its warnings are reported again.
            known, resets = self._warned.get((window.name, window.warning)), window.resets or 0.0
            if known is None or resets - known > SAME_WINDOW_SECONDS:
                self._warned[window.name, window.warning] = resets
                log.warning("%s", _warning(window))
        if found.extra and not self._was_extra and self.overage != "allow":
            log.warning("%s", self.warnings()[-1])
        self._was_extra = found.extra


def _warning(window: Window) -> str:
    resets = f", resets {when(window.resets)}" if window.resets else ""
    return f"{(window.used or 0) * 100:.0f} % of the {window.label} used{resets}"


def _running(tab: Tab, entry: Entry, dialect: str) -> Running:
    model = entry.model[:LONGEST] if entry.first is not None else ""
    state: Literal["waiting", "asking", "answering"] = "asking" if tab.call is not None else "waiting"
    state = "answering" if entry.first is not None else state
    return Running(entry.id, tab.now, dialect, known_name(tab.agent), entry.asked[:LONGEST], model, state)


def _row(entry: Entry, tab: Tab, dialect: str, found: Limits) -> tuple[Row, tuple[Window, ...]]:
    fullest = max(found.windows, key=lambda window: window.used or 0.0, default=None)
    usage = tab.usage
    queue = round(tab.queued * 1000)
    row = Row(
        at=tab.now,
        id=entry.id,
        dialect=dialect,
        client=known_name(tab.agent),
        asked=entry.asked[:LONGEST],
        model=entry.model[:LONGEST] if entry.first is not None else "",
        status=entry.status if entry.error is None else max(entry.status, entry.error.status),
        error=entry.error.kind if entry.error is not None else "",
        calls=tab.calls,
        input=usage.input,
        cache_read=usage.cache_read,
        cache_write=usage.cache_creation,
        output=usage.output,
        reasoning=usage.reasoning,
        prepare_ms=None if tab.found is None else max(0, round((tab.found - tab.begun - _first_queue(tab)) * 1000)),
        queue_ms=None if tab.call is None else queue,
        first_ms=entry.first,
        total_ms=entry.total if entry.total is not None else entry.elapsed(),
        way=tab.call.way if tab.call is not None else "",
        warm=tab.call.warm if tab.call is not None else False,
        cost=tab.cost if tab.calls else None,
        basis="+".join(sorted(tab.bases)),
        window=fullest.name if fullest is not None else "",
        used=fullest.used if fullest is not None else None,
        resets=fullest.resets if fullest is not None else None,
        overage=found.extra,
    )
    return row, found.windows


def _first_queue(tab: Tab) -> float:
    return tab.call.queued if tab.call is not None else 0.0
