"""One Turn answered once or several times, side by side, and sent as one object or as a stream.

The status waits for the model's first event, so that a failure keeps its own status also when `stream` is true.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import orjson
from fastapi import Request, Response

from ..events import Event, Finished, JsonObject, Started, TextDelta, ToolCallDelta, ToolCallStarted, Turn, Usage
from ..translate.chat_request import ChatOptions
from ..translate.models import Model
from ..translate.validation import parse_object
from .journal import entry_of, log_answer, log_prompt
from .services import Engine, Services
from .stream import DONE, EventStream, data, while_connected

IGNORED = "x-claude-max-ignored"
# Bodies above this are read in a thread: 256 KiB of tools and their schemas take some 10 ms.
LARGE = 256 * 1024
T = TypeVar("T")


class Answers:
    """`n` answers to the same Turn, `at_once` of them side by side: one request must not fill everybody's queue.

    `start` first, then iterate, then `aclose` in every case.
    """

    def __init__(self, engine: Engine, turn: Turn, n: int = 1, at_once: int = 8) -> None:
        self.turn = turn
        self.usage: Usage | None = None
        self._said: list[str] = []
        self._engine = engine
        self._places = asyncio.Semaphore(at_once)
        self._arrived: asyncio.Queue[tuple[int, Event | Exception | None]] = asyncio.Queue()
        self._early: deque[tuple[int, Event]] = deque()
        self._running = n
        self._pumps = [asyncio.ensure_future(self._pump(index)) for index in range(n)]

    async def start(self) -> Started:
        """Waits until every answer has begun; the Started of the first. Raises the ProxyError of one that fails."""
        begun: dict[int, Started] = {}
        try:
            while len(begun) < len(self._pumps):
                index, event = await self._next()
                if isinstance(event, Started):
                    begun[index] = event
                else:
                    self._early.append((index, event))
        except BaseException:
            await self.aclose()
            raise
        # The first chunk of each choice in the choices' order: an SDK takes the order of appearance for the index.
        self._early.extendleft((index, begun[index]) for index in sorted(begun, reverse=True))
        return begun[0]

    @property
    def text(self) -> str:
        """The text and the calls so far, of all answers together, for the log."""
        return "".join(self._said)

    def __aiter__(self) -> AsyncIterator[tuple[int, Event]]:
        """The events of all answers, each with its answer's number, in the order they come."""
        return self._events()

    async def _events(self) -> AsyncIterator[tuple[int, Event]]:
        while self._early:
            yield self._early.popleft()
        with contextlib.suppress(StopAsyncIteration):
            while True:
                yield await self._next()

    async def _next(self) -> tuple[int, Event]:
        while self._running:
            index, event = await self._arrived.get()
            if isinstance(event, Exception):
                raise event
            if isinstance(event, TextDelta):
                self._said.append(event.text)
            elif isinstance(event, ToolCallStarted):
                self._said.append(f"\n{event.name} ")
            elif isinstance(event, ToolCallDelta):
                self._said.append(event.json)
            elif isinstance(event, Finished):
                self.usage = (self.usage or Usage()) + event.usage
            if event is not None:
                return index, event
            self._running -= 1
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Abandons what is not finished."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _pump(self, index: int) -> None:
        try:
            async with self._places, contextlib.aclosing(self._engine.events(self.turn)) as events:
                async for event in events:
                    self._arrived.put_nowait((index, event))
        except Exception as error:  # noqa: BLE001 - raised again where the events are read
            self._arrived.put_nowait((index, error))
        else:
            self._arrived.put_nowait((index, None))


async def translated(
    request: Request, services: Services, to_turn: Callable[[JsonObject, Sequence[Model], Mapping[str, str]], T]
) -> T:
    """What `to_turn` makes of the request's body. Raises BadRequest, ModelNotFound.

    A large one beside the event loop: thousands of schemas take seconds to check, and others should not wait for them.
    """
    raw = await request.body()

    def work() -> T:
        body = parse_object(raw, services.settings.json_depth)
        return to_turn(body, services.models(), services.settings.aliases)

    return await asyncio.to_thread(work) if len(raw) > LARGE else work()


async def respond(
    request: Request,
    services: Services,
    answers: Answers,
    options: ChatOptions,
    whole: Callable[[Answers, Started], Awaitable[JsonObject]],
    chunks: Callable[[Answers, Started], AsyncGenerator[JsonObject]],
) -> Response:
    """The response to a request: what `whole` makes of the answers, or the events of `chunks`.

    Raises the ProxyError of an answer that fails before it began, and ClientGone.
    """

    entry = entry_of(request)
    entry.model = answers.turn.model
    if services.settings.log_content:
        log_prompt(entry, answers.turn)

    async def collect() -> tuple[JsonObject, Started]:
        async with contextlib.aclosing(answers):
            started = await answers.start()
            entry.model, entry.first = started.model, entry.elapsed()
            try:
                return await whole(answers, started), started
            finally:
                note()

    def note() -> None:
        entry.usage = answers.usage
        if services.settings.log_content:
            log_answer(entry, answers.text)

    async def lines(started: Started) -> AsyncGenerator[bytes]:
        async with contextlib.aclosing(answers), contextlib.aclosing(chunks(answers, started)) as made:
            try:
                async for chunk in made:
                    yield data(chunk)
            finally:
                note()
            yield DONE

    if options.stream:
        begun = await while_connected(request, answers.start())
        entry.model, entry.first = begun.model, entry.elapsed()
        return EventStream(lines(begun), _headers(options, begun), services.settings.keepalive_interval, answers.aclose)
    found, begun = await while_connected(request, collect())
    return Response(orjson.dumps(found), headers=_headers(options, begun), media_type="application/json")


def _headers(options: ChatOptions, started: Started) -> dict[str, str]:
    """Names every parameter that had no effect."""
    ignored = [*options.ignored, *sorted(started.ignored.difference(options.ignored))]
    return {IGNORED: ", ".join(ignored)} if ignored else {}
