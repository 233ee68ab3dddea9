"""Server-sent events, and clients that go away. Knows HTTP connections, not what is said on them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..events import JsonObject
from .failures import ClientGone, from_exception

T = TypeVar("T")

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def data(value: JsonObject) -> bytes:
    """One event. U+2028 and U+2029 are escaped: some clients take them for the end of a line."""
    line = orjson.dumps(value).replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return b"data: " + line + b"\n\n"


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Awaits `work`; cancels it and raises ClientGone when the client disconnects first.

    The request's body must have been read.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnect(request.receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGone
    finally:
        await _cancel(working, gone)


class EventStream(Response):
    """A `text/event-stream` of byte chunks that stays open in silence and is abandoned when its client goes.

    A failure in the middle becomes a last `data: {"error": …}` event, which every OpenAI SDK raises.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        headers: dict[str, str],
        keepalive: float,
        abandon: Callable[[], Awaitable[None]],
    ) -> None:
        """`keepalive` is how many seconds of silence bring a comment.

        `abandon` is called at the end in every case: closing `chunks` runs nothing of it when it was never begun.
        """
        super().__init__(headers={**HEADERS, **headers}, media_type="text/event-stream")
        del self.headers["content-length"]
        self._chunks = chunks
        self._keepalive = keepalive
        self._abandon = abandon

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the stream, until its end or the client's."""
        pump = asyncio.ensure_future(self._pump(send))
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                pump.result()
        finally:
            await _cancel(pump, gone)
            await self._chunks.aclose()
            await self._abandon()

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in with_comments(self._caught(), self._keepalive):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _caught(self) -> AsyncGenerator[bytes]:
        try:
            async for chunk in self._chunks:
                yield chunk
        except Exception as error:  # noqa: BLE001 - the status is sent: the only place left for a failure is the stream
            yield data(from_exception(error).body())


async def with_comments(chunks: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The chunks, and a comment for every `seconds` in which none came."""
    coming: asyncio.Future[bytes] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(_next(chunks))
            while not (await asyncio.wait({coming}, timeout=seconds))[0]:
                yield KEEP_ALIVE
            try:
                chunk = coming.result()
            except StopAsyncIteration:
                return
            yield chunk
    finally:
        if coming is not None:
            await _cancel(coming)


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    return await anext(chunks)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
