"""Streams that stay open in silence, and clients that go away in the middle."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from starlette.requests import Request
from starlette.types import Message

from claude_max.proxy import errors
from claude_max.proxy.events import Event, Finished, JsonObject, Started, TextDelta, Turn, Usage
from claude_max.proxy.routes.answers import Answers
from claude_max.proxy.routes.endpoint import LARGE, parsed
from claude_max.proxy.routes.failures import ClientGone
from claude_max.proxy.routes.services import Services
from claude_max.proxy.routes.stream import LONG_SILENCE, EventStream, SignsOfLife, while_connected
from claude_max.proxy.translate.common.dialect import RequestContext
from claude_max.proxy.translate.common.frames import NDJSON, SSE, Frame, json_line, server_sent_event
from claude_max.proxy.translate.common.openai_completions import STREAM
from claude_max.proxy.translate.common.openai_errors import error_object

TURN = Turn("sonnet", ())
KEEP_ALIVE = SSE.keep_alive
ASK: list[Event] = [Started("m"), TextDelta("a"), Finished("end_turn", Usage(output=1))]


def alive(written: list[bytes], seconds: float, sign: bytes = KEEP_ALIVE) -> SignsOfLife:
    async def write(chunk: bytes) -> None:
        await asyncio.sleep(0)
        written.append(chunk)

    return SignsOfLife(write, lambda _: sign, seconds)


async def test_a_comment_for_every_silence_and_the_chunks_in_order() -> None:
    written: list[bytes] = []
    async with alive(written, 0.001) as kept:
        await kept.write(b"one")
        while written.count(KEEP_ALIVE) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await kept.write(b"two")
    assert written[0] == b"one"
    assert written[-1] == b"two"
    assert set(written[1:-1]) == {KEEP_ALIVE}
    await asyncio.sleep(0.005)
    assert written[-1] == b"two", "none after the end"


async def test_the_length_of_a_silence_is_counted_from_the_last_chunk() -> None:
    told: list[float] = []

    async def write(chunk: bytes) -> None:
        """Goes nowhere."""

    def sign(seconds: float) -> bytes:
        told.append(seconds)
        return b"x"

    async with SignsOfLife(write, sign, 0.02) as kept:
        await asyncio.sleep(0.05)
        before = len(told)
        await kept.write(b"one")
        while len(told) < before + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert told[:before] == pytest.approx([0.02 * (n + 1) for n in range(before)])
    assert told[before : before + 2] == pytest.approx([0.02, 0.04])


async def test_without_silence_there_is_no_comment() -> None:
    written: list[bytes] = []
    async with alive(written, 60) as kept:
        for number in range(50):
            await kept.write(str(number).encode())
    assert written == [str(number).encode() for number in range(50)]


async def test_a_sign_is_not_written_into_a_chunk() -> None:
    """A client that takes nothing for a while: the chunk under way is finished first."""
    written: list[bytes] = []
    takes = asyncio.Event()

    async def write(chunk: bytes) -> None:
        written.append(chunk + b"(")
        await takes.wait()
        written.append(b")")

    async with SignsOfLife(write, lambda _: KEEP_ALIVE, 0.001) as kept:
        writing = asyncio.ensure_future(kept.write(b"one"))
        await asyncio.sleep(0.01)
        assert written == [b"one("]
        takes.set()
        await writing
    assert written[:2] == [b"one(", b")"]


async def test_an_empty_sign_of_life_is_not_sent() -> None:
    written: list[bytes] = []
    async with alive(written, 0.001, NDJSON.keep_alive) as kept:
        await kept.write(b"one")
        await asyncio.sleep(0.01)
    assert written == [b"one"]


def test_a_long_silence_has_events_that_say_nothing() -> None:
    """And a comment has no empty line behind it: openai-go before 3.43 fails on one."""
    empty = Frame({"empty": True})

    async def silent() -> AsyncGenerator[list[Frame]]:
        await asyncio.Event().wait()
        yield [ONE]

    async def abandon() -> None:
        """Nothing to end."""

    stream = EventStream(silent(), STREAM, failed, abandon, headers={}, keepalive=60, alive=lambda: [empty])
    assert stream._sign(15) == b": keep-alive\n"
    assert stream._sign(LONG_SILENCE) == b": keep-alive\n" + server_sent_event(empty)


def test_lines_hold_no_separator_of_lines() -> None:
    value = {"a": "x\u2028y\u2029z\n"}
    found = server_sent_event(Frame(value))
    assert found == b'data: {"a":"x\\u2028y\\u2029z\\n"}\n\n'
    assert orjson.loads(found[6:]) == value
    assert server_sent_event(Frame(value, "said")) == b"event: said\n" + found
    assert json_line(Frame(value, "said")) == found[6:-1]


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


async def gone() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def test_work_for_a_client_that_leaves_is_cancelled() -> None:
    async def test() -> None:
        cancelled = asyncio.Event()

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        with pytest.raises(ClientGone):
            await while_connected(Request({"type": "http"}, gone), work())
        assert cancelled.is_set()

    asyncio.run(test())


def test_work_for_a_client_that_stays_is_done() -> None:
    async def test() -> None:
        async def work() -> int:
            return 5

        assert await while_connected(Request({"type": "http"}, never), work()) == 5

    asyncio.run(test())


def failed(error: errors.ProxyError) -> list[Frame]:
    return [Frame(error_object(error))]


ONE, LAST = Frame({"n": 1}), Frame({"n": 2})
ONE_WRITTEN = server_sent_event(ONE)


async def sent(frames: AsyncGenerator[list[Frame]], receive: Callable[[], Awaitable[Any]] = never) -> list[bytes]:
    bodies: list[bytes] = []

    async def send(message: Any) -> None:
        bodies.append(message.get("body", b"start"))

    async def abandon() -> None:
        """Nothing more to end than the chunks themselves."""

    stream = EventStream(frames, STREAM, failed, abandon, headers={"x-a": "b"}, keepalive=60)
    await stream({"type": "http"}, receive, send)
    return bodies


def test_the_end_follows_the_last_frame_of_a_whole_answer() -> None:
    async def chunks() -> AsyncGenerator[list[Frame]]:
        yield [ONE, LAST]
        yield [LAST]

    written = [ONE_WRITTEN + server_sent_event(LAST), server_sent_event(LAST), b"data: [DONE]\n\n"]
    assert asyncio.run(sent(chunks())) == [b"start", *written, b""]


def test_a_failure_in_mid_stream_is_its_last_event() -> None:
    async def chunks() -> AsyncGenerator[list[Frame]]:
        yield [ONE]
        raise errors.Overloaded("too much")

    found = asyncio.run(sent(chunks()))
    assert found[:2] == [b"start", ONE_WRITTEN]
    assert orjson.loads(found[2][6:])["error"]["code"] == "overloaded"
    assert found[3:] == [b""]


def test_a_client_that_leaves_ends_the_stream_and_what_makes_it() -> None:
    async def test() -> None:
        closed = asyncio.Event()
        first = asyncio.Event()

        async def chunks() -> AsyncGenerator[list[Frame]]:
            try:
                yield [ONE]
                first.set()
                await asyncio.Event().wait()
            finally:
                closed.set()

        async def leaves() -> dict[str, Any]:
            await first.wait()
            return {"type": "http.disconnect"}

        assert await sent(chunks(), leaves) == [b"start", ONE_WRITTEN]
        assert closed.is_set()

    asyncio.run(test())


class Scripted:
    """An engine that gives each answer its own list of events; a failure in it is raised."""

    def __init__(self, *answers: list[Event | Exception]) -> None:
        self.answers = list(answers)
        self.closed = 0

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        mine = self.answers.pop(0)
        try:
            for event in mine:
                await asyncio.sleep(0)
                if isinstance(event, Exception):
                    raise event
                yield event
            if not isinstance(mine[-1], Finished):
                await asyncio.Event().wait()
        finally:
            self.closed += 1


def test_several_answers_begin_in_their_order_and_each_is_whole() -> None:
    async def test() -> None:
        answers = Answers(Scripted([*ASK], [*ASK[:1], TextDelta("b"), *ASK[2:]]), (TURN, TURN))
        started = await answers.start()
        found = [item async for batch in answers for item in batch]
        await answers.aclose()
        assert started == Started("m")
        assert found[:2] == [(0, ASK[0]), (1, ASK[0])]
        assert [event for index, event in found if index == 0] == ASK
        assert len([event for index, event in found if index == 1]) == 3
        assert answers.usage == Usage(output=2)

    asyncio.run(asyncio.wait_for(test(), 10))


@pytest.mark.parametrize("large", [False, True])
def test_a_large_body_is_read_beside_the_event_loop(large: bool) -> None:
    where: list[int] = []

    def to_turn(body: JsonObject, context: RequestContext) -> JsonObject:
        where.append(threading.get_ident())
        return body

    async def body() -> Message:
        return {"type": "http.request", "body": orjson.dumps({"x": "y" * (LARGE if large else 1)})}

    async def test() -> None:
        limits = SimpleNamespace(json_depth=3, all_aliases={}, web_search=False, strict=False, body_limit=2**30)
        services = cast("Services", SimpleNamespace(settings=limits, models=tuple))
        read = await parsed(Request({"type": "http", "headers": []}, body), services, to_turn)
        assert read.keys() == {"x"}
        assert where != [threading.get_ident()] if large else where == [threading.get_ident()]

    asyncio.run(asyncio.wait_for(test(), 10))


def test_one_that_fails_before_all_have_begun_ends_them_all() -> None:
    async def test() -> None:
        engine = Scripted([Started("m"), TextDelta("a")], [errors.Busy("full")])
        answers = Answers(engine, (TURN, TURN))
        with pytest.raises(errors.Busy):
            await answers.start()
        assert engine.closed == 2

    asyncio.run(asyncio.wait_for(test(), 10))


def test_one_that_fails_later_is_raised_where_it_is_read() -> None:
    async def test() -> None:
        engine = Scripted([Started("m"), TextDelta("a"), errors.UpstreamFault("cut")])
        answers = Answers(engine, (TURN,))
        await answers.start()
        found = []
        with pytest.raises(errors.UpstreamFault):
            async for batch in answers:
                found += batch
        assert found == [(0, Started("m")), (0, TextDelta("a"))]
        await answers.aclose()
        assert engine.closed == 1

    asyncio.run(asyncio.wait_for(test(), 10))


def test_a_client_that_leaves_before_the_first_byte_ends_the_answer_too() -> None:
    async def test() -> None:
        engine = Scripted([Started("m"), TextDelta("a")])
        answers = Answers(engine, (TURN,))
        await answers.start()

        async def lines() -> AsyncGenerator[list[Frame]]:
            try:
                async for _ in answers:
                    yield [ONE]
            finally:
                await answers.aclose()

        async def blocked(message: Any) -> None:
            await asyncio.Event().wait()

        # The connection takes nothing any more, and then it is gone.
        stream = EventStream(lines(), STREAM, failed, answers.aclose, headers={}, keepalive=60)
        await stream({"type": "http"}, gone, blocked)
        assert engine.closed == 1

    asyncio.run(asyncio.wait_for(test(), 10))
