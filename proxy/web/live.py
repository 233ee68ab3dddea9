"""Live updates for all open tabs from one producer, which runs while there are tabs.

A tab gets a snapshot first, then changes (`state`) and each finished request (`request`), as server-sent events. A tab
that does not read loses its waiting events and gets a new snapshot, so it uses at most MOST_WAITING events.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from ..errors import Busy
from ..events import JsonObject
from ..translate.common.frames import Frame, server_sent_event

log = logging.getLogger("claude_max.page")

# Seconds between two readings: at most LONGEST, for values that change by themselves such as memory, and at least
# SHORTEST.
SHORTEST = 0.2
LONGEST = 1.0
# Events that wait for a tab.
MOST_WAITING = 64
MOST_TABS = 64
# A session may have ended: then the tab cannot connect again.
MOST_SECONDS = 3600.0
# Requests in a snapshot.
RECENT = 100


@dataclass(eq=False, slots=True)
class _Tab:
    waiting: deque[bytes] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = True


class Live:
    """`look` returns the current state; `now` is unix seconds."""

    def __init__(self, look: Callable[[], JsonObject], now: Callable[[], float]) -> None:
        self._look = look
        self._now = now
        self._tabs: set[_Tab] = set()
        self._producer: asyncio.Task[None] | None = None
        self._poked = asyncio.Event()
        self._state: JsonObject = {}
        self._snapshot: bytes | None = None
        self._closed = False
        # Finished requests, the latest last; serialized only while a page is open.
        self.recent: deque[Callable[[], JsonObject]] = deque(maxlen=RECENT)

    @property
    def tabs(self) -> int:
        """How many look."""
        return len(self._tabs)

    def poke(self) -> None:
        """Something has changed."""
        self._poked.set()

    def finished(self, row: Callable[[], JsonObject]) -> None:
        """A request has finished; `row` makes its entry."""
        self.recent.append(row)
        self._snapshot = None
        if self._tabs:
            self._send(server_sent_event(Frame(row(), "request")))
        self.poke()

    def snapshot(self) -> JsonObject:
        """All of it, as of now."""
        return {**self._look(), "now": self._now(), "requests": [row() for row in reversed(self.recent)]}

    def events(self, may: Callable[[], bool] = lambda: True) -> AsyncGenerator[bytes]:
        """The events for one tab, while `may` returns true. Raises Busy if there are too many tabs."""
        if len(self._tabs) >= MOST_TABS:
            raise Busy(f"{MOST_TABS} pages are open already; close some.")
        return self._of(_Tab(), may)

    def close(self) -> None:
        """Closes all tabs' streams, for shutdown."""
        self._closed = True
        for tab in self._tabs:
            tab.woken.set()

    def ask_again(self) -> None:
        """A session has ended: its tabs may not look any more."""
        for tab in self._tabs:
            tab.woken.set()

    async def _of(self, tab: _Tab, may: Callable[[], bool]) -> AsyncGenerator[bytes]:
        if len(self._tabs) >= MOST_TABS:
            # Many came at once.
            return
        until = asyncio.get_running_loop().time() + MOST_SECONDS
        # Only now: this does not run for a stream whose client disconnected before it began.
        self._tabs.add(tab)
        if self._producer is None or self._producer.done():
            self._state, self._snapshot = {}, None
            self._producer = asyncio.ensure_future(self._produce())
        try:
            while not self._closed and may() and (left := until - asyncio.get_running_loop().time()) > 0:
                if tab.lost:
                    tab.lost = False
                    tab.waiting.clear()
                    yield self._whole()
                elif tab.waiting:
                    yield tab.waiting.popleft()
                else:
                    tab.woken.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(left):
                            await tab.woken.wait()
        finally:
            self._tabs.discard(tab)
            self.poke()

    def _whole(self) -> bytes:
        """The snapshot, made once for all tabs that need the same one."""
        if self._snapshot is None:
            self._snapshot = server_sent_event(Frame(self.snapshot(), "snapshot"))
        return self._snapshot

    def _send(self, told: bytes) -> None:
        for tab in self._tabs:
            if len(tab.waiting) >= MOST_WAITING:
                tab.lost = True
                tab.waiting.clear()
            elif not tab.lost:
                tab.waiting.append(told)
            tab.woken.set()

    async def _produce(self) -> None:
        while self._tabs and not self._closed:
            try:
                state = self._look()
            except Exception:
                # Keep going: the next reading may succeed, and a tab without events would look idle.
                log.exception("the page's state could not be read")
            else:
                if state != self._state:
                    self._state, self._snapshot = state, None
                    self._send(server_sent_event(Frame({**state, "now": self._now()}, "state")))
            await asyncio.sleep(SHORTEST)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST - SHORTEST):
                    await self._poked.wait()
            self._poked.clear()
