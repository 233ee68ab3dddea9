"""Sends an answer as SSE or JSON, with the script's timing, and notices when the client disconnects.

The content is decided elsewhere.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .events import Cut, Wait, message, steps
from .exchange import Exchange, Record
from .reply import Drop, Failure, Reply

# Seconds. A client that sees the connection close right after the last event may drop both: Claude Code 2.1.330
# (Bun's fetch) showed none of the deltas then. Real connections do not break in the same instant either.
_BEFORE_CUT = 0.05
_BETWEEN_PIECES = 0.001  # seconds
# Of the ASGI scope's extensions: closes the connection. serving.py puts it there.
CLOSE = "scripted.close"


class ScriptedResponse(Response):
    """Sends a Reply, a Failure or a Drop, and notices when the client disconnects."""

    def __init__(self, record: Record, exchange: Exchange, answer: Reply | Failure | Drop) -> None:
        super().__init__()
        self._record, self._exchange, self._answer = record, exchange, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, unless the client disconnects or the server closes the connection first."""
        writing = asyncio.create_task(self._write(scope, send))
        leaving = asyncio.create_task(_left(receive))
        self._record.writing.add(writing)
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            self._exchange.aborted = not writing.done() and not isinstance(self._answer, Drop)
        finally:
            self._record.writing.discard(writing)
            for task in (writing, leaving):
                task.cancel()
            # To cut the connection, return with the response unfinished: uvicorn then closes it.
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            self._record.changed()

    async def _write(self, scope: Scope, send: Send) -> None:
        answer, exchange = self._answer, self._exchange
        await asyncio.sleep(answer.first_byte)
        if isinstance(answer, Drop):
            complete = await self._dropped(answer, scope, send)
        elif isinstance(answer, Reply) and exchange.body.get("stream") is True:
            complete = await self._stream(answer, send)
        else:
            complete = await self._whole(answer, send)
        exchange.finished = complete

    async def _whole(self, answer: Reply | Failure, send: Send) -> bool:
        """An answer that is not streamed; the waits of a stream all come before it. False when the script cuts it."""
        if isinstance(answer, Reply):
            broken: Wait | Cut | dict[str, Any] = {}
            for broken in steps(answer, "", ""):
                if isinstance(broken, Wait):
                    await asyncio.sleep(broken.seconds)
            if isinstance(broken, dict) and broken["type"] == "error":
                return await self._whole(answer.error, send)
            value = message(answer, self._message_id(), self._exchange.body["model"])
            cut, status = isinstance(broken, Cut), 200
        else:
            value, cut, status = answer.body(), False, answer.status
        this_request = request_id()
        if status != 200:
            value["request_id"] = this_request
        content = dumps(value)
        await self._start(send, status, "application/json", this_request, {"content-length": str(len(content))})
        body = content[: len(content) // 2] if cut else content
        await send({"type": "http.response.body", "body": body, "more_body": cut})
        return not cut

    async def _stream(self, reply: Reply, send: Send) -> bool:
        await self._start(send, 200, "text/event-stream; charset=utf-8", request_id(), {"cache-control": "no-cache"})
        for step in steps(reply, self._message_id(), self._exchange.body["model"]):
            if isinstance(step, Cut):
                await asyncio.sleep(_BEFORE_CUT)
                return False
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                continue
            told = step.get("usage") or step.get("message", {}).get("usage")
            if told is not None:
                self._exchange.usage = {**(self._exchange.usage or {}), **told}
            event = b"event: %s\ndata: %s\n\n" % (step["type"].encode(), dumps(step))
            for piece in _pieces(event, reply.chunk):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                # Without it the pieces would be sent in one packet.
                await asyncio.sleep(_BETWEEN_PIECES if reply.chunk else 0)
            await asyncio.sleep(reply.event_pause)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return True

    async def _dropped(self, drop: Drop, scope: Scope, send: Send) -> bool:
        if drop.headers:
            await self._start(send, 200, "text/event-stream; charset=utf-8", request_id(), {})
            await asyncio.sleep(_BEFORE_CUT)
            return False
        scope["extensions"][CLOSE]()
        # uvicorn would turn an answer that ends before its connection is closed into a 500.
        await asyncio.Event().wait()
        return False

    async def _start(self, send: Send, status: int, kind: str, this_request: str, extra: Mapping[str, str]) -> None:
        own = {} if isinstance(self._answer, Drop) else self._answer.headers
        headers = {"content-type": kind, "request-id": this_request, **extra, **own}
        if isinstance(self._answer, Failure) and self._answer.reset_in is not None:
            headers["anthropic-ratelimit-unified-reset"] = f"+{int(self._answer.reset_in)}"
        for name, value in headers.items():
            if name.lower().endswith("-reset") and value.startswith("+"):
                headers[name] = str(int(time.time()) + int(value))
        self._exchange.status = status
        self._record.changed()
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})

    def _message_id(self) -> str:
        return f"msg_scripted{self._exchange.number:012d}"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def request_id() -> str:
    """A new id for the `request-id` header."""
    return f"req_{secrets.token_hex(12)}"


def dumps(value: Any) -> bytes:
    """`value` as JSON; half of a surrogate pair, which has no bytes in UTF-8, as an escape."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()


def _pieces(event: bytes, size: int) -> list[bytes]:
    return [event[at : at + size] for at in range(0, len(event), size)] if size else [event]
