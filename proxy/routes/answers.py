"""Runs the Turns of one request concurrently."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from ..events import Event, Finished, Started, TextDelta, ToolCallDelta, ToolCallStarted, Turn, Usage
from ..translate.common.filters import Filter
from .services import Engine

# Events, each with the number of its answer.
Batch = list[tuple[int, Event]]


class Answers:
    """One answer to each Turn, at most `at_once` at a time, so that one request cannot fill the whole queue.

    Each passes through its own `filters`. `start` first, then iterate, then `aclose` in every case.
    """

    def __init__(
        self, engine: Engine, turns: Sequence[Turn], at_once: int = 8, filters: Sequence[Callable[[], Filter]] = ()
    ) -> None:
        self.usage: Usage | None = None
        self._said: list[str] = []
        self._engine = engine
        self._filters = filters
        self._places = asyncio.Semaphore(at_once)
        self._arrived: deque[tuple[int, Event | Exception | None]] = deque()
        self._awaited = asyncio.Event()
        self._early: deque[tuple[int, Event]] = deque()
        self._running = len(turns)
        self._pumps = [asyncio.ensure_future(self._pump(*numbered)) for numbered in enumerate(turns)]

    async def start(self) -> Started:
        """Waits until every answer has begun; the Started of the first. Raises the ProxyError of one that fails."""
        begun: dict[int, Started] = {}
        try:
            while len(begun) < len(self._pumps):
                for index, event in await self._batch():
                    if isinstance(event, Started):
                        begun[index] = event
                    else:
                        self._early.append((index, event))
        except BaseException:
            await self.aclose()
            raise
        # The first chunk of each choice in order: one SDK uses the order of appearance as the index.
        self._early.extendleft((index, begun[index]) for index in sorted(begun, reverse=True))
        return begun[0]

    @property
    def text(self) -> str:
        """The text and the calls so far, of all answers together, for the log."""
        return "".join(self._said)

    def __aiter__(self) -> AsyncIterator[Batch]:
        """The events of all answers, each with its answer's number, in the order they come.

        What is there already comes as one batch, so that it can be written at once.
        """
        return self._batches()

    async def _batches(self) -> AsyncIterator[Batch]:
        if self._early:
            yield list(self._early)
        while batch := await self._batch():
            yield batch

    async def _batch(self) -> Batch:
        """What has arrived, once there is something; empty after the last. Raises what an answer has failed with."""
        while self._running:
            if batch := self._taken():
                return batch
            if self._arrived and isinstance(failure := self._arrived.popleft()[1], Exception):
                raise failure
            if self._running:
                self._awaited.clear()
                await self._awaited.wait()
        return []

    def _taken(self) -> Batch:
        """What has arrived, up to a failure."""
        batch: Batch = []
        while self._arrived and not isinstance(self._arrived[0][1], Exception):
            index, event = self._arrived.popleft()
            if isinstance(event, TextDelta):
                self._said.append(event.text)
            elif isinstance(event, ToolCallStarted):
                self._said.append(f"\n{event.name} ")
            elif isinstance(event, ToolCallDelta):
                self._said.append(event.json)
            elif isinstance(event, Finished):
                self.usage = (self.usage or Usage()) + event.usage
            if event is None:
                self._running -= 1
            elif not isinstance(event, Exception):
                batch.append((index, event))
        return batch

    def _put(self, index: int, event: Event | Exception | None) -> None:
        self._arrived.append((index, event))
        self._awaited.set()

    async def aclose(self) -> None:
        """Abandons what is not finished."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _pump(self, index: int, turn: Turn) -> None:
        try:
            filters = [make() for make in self._filters]
            async with self._places, contextlib.aclosing(self._engine.events(turn)) as events:
                async for event in events:
                    for each in _filtered(event, filters):
                        self._put(index, each)
                    if any(each.done for each in filters):
                        break
        except Exception as error:  # noqa: BLE001 - raised again where the events are read
            self._put(index, error)
        else:
            self._put(index, None)


def _filtered(event: Event, filters: Sequence[Filter]) -> list[Event]:
    """What becomes of an event on its way through all of them."""
    found = [event]
    for each in filters:
        made: list[Event] = []
        for passing in found:
            if not each.done:
                made += each.feed(passing)
        found = made
    return found
