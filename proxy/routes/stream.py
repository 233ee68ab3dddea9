"""Streamed responses, and clients that disconnect. Independent of what is streamed."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..errors import ProxyError
from ..translate.common.frames import Frame, StreamForm
from .failures import ClientGone, from_exception

T = TypeVar("T")

# Seconds of silence after which a comment is not enough: watchdogs of agents give up after 60 to 120 s without an
# event.
LONG_SILENCE = 30.0
HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


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


class ByteStream(Response):
    """Chunks as they come; it stays open in silence and is abandoned when its client goes."""

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        media_type: str,
        sign: Callable[[float], bytes],
        keepalive: float,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`sign` makes what is sent for every `keepalive` seconds of silence."""
        super().__init__(headers={**HEADERS, **headers}, media_type=media_type)
        del self.headers["content-length"]
        self._chunks = chunks
        self._sign = sign
        self._keepalive = keepalive

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
            await self.end()

    async def end(self) -> None:
        """Cleans up; always called at the end."""
        await self._chunks.aclose()

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        async def write(chunk: bytes) -> None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

        async with SignsOfLife(write, self._sign, self._keepalive) as kept:
            async for chunk in self._chunks:
                await kept.write(chunk)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class EventStream(ByteStream):
    """Frames, written in a dialect's form. A failure in the middle becomes its last frames."""

    def __init__(
        self,
        frames: AsyncGenerator[list[Frame]],
        form: StreamForm,
        failed: Callable[[ProxyError], list[Frame]],
        abandon: Callable[[], Awaitable[None]],
        *,
        headers: dict[str, str],
        keepalive: float,
        alive: Callable[[], list[Frame]] = list,
    ) -> None:
        """`keepalive` is the seconds of silence before the form's sign of life; `failed` makes the frames of a failure.

        From LONG_SILENCE on the frames of `alive` are sent with it.

        `abandon` is called at the end in every case: closing `frames` runs nothing of it when it was never begun.
        """
        super().__init__(self._written(), form.media_type, self._sign_of_life, keepalive, headers)
        self._frames = frames
        self._form = form
        self._failed = failed
        self._abandon = abandon
        self._alive = alive

    async def end(self) -> None:
        """Abandons what is not finished."""
        await self._chunks.aclose()
        await self._frames.aclose()
        await self._abandon()

    def _sign_of_life(self, silence: float) -> bytes:
        """What is sent after this many seconds of silence."""
        frames = self._alive() if silence >= LONG_SILENCE else []
        return self._form.keep_alive + b"".join(map(self._form.write, frames))

    async def _written(self) -> AsyncGenerator[bytes]:
        write = self._form.write
        try:
            async for frames in self._frames:
                if frames:
                    yield b"".join(map(write, frames))
            if self._form.end:
                yield self._form.end
        except Exception as error:  # noqa: BLE001 - the status is sent: the only place left for a failure is the stream
            yield b"".join(map(write, self._failed(from_exception(error))))


class SignsOfLife:
    """Writes chunks, and a sign for every `seconds` in which none came. One timer, however many chunks there are."""

    def __init__(
        self, write: Callable[[bytes], Awaitable[None]], sign: Callable[[float], bytes], seconds: float
    ) -> None:
        """`sign` is given how many seconds the silence has lasted; an empty one is not written."""
        self._write = write
        self._sign = sign
        self._seconds = seconds
        self._one_at_a_time = asyncio.Lock()
        self._last = 0.0

    async def __aenter__(self) -> "SignsOfLife":
        self._last = asyncio.get_running_loop().time()
        self._watching = asyncio.ensure_future(self._watch())
        return self

    async def __aexit__(self, *exception: object) -> None:
        await _cancel(self._watching)

    async def write(self, chunk: bytes) -> None:
        """Writes a chunk; not in the middle of a sign."""
        async with self._one_at_a_time:
            await self._write(chunk)
        self._last = asyncio.get_running_loop().time()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        since, signs = self._last, 0
        while True:
            await asyncio.sleep(since + self._seconds * (signs + 1) - loop.time())
            if since != self._last:
                since, signs = self._last, 0
                continue
            signs += 1
            if life := self._sign(self._seconds * signs):
                async with self._one_at_a_time:
                    await self._write(life)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
