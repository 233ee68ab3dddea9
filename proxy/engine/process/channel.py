"""The conversation with one process below the level of turns: requests and their replies, MCP messages, other lines.

Serves the CLI's own requests by itself. Knows neither steps nor answers; what a line means for a turn is for `worker`
and `answer` to say.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ... import errors
from ...events import JsonObject, Tool
from ..wire import mcp, protocol
from .inbox import Inbox
from .spawn import ClaudeProcess

log = logging.getLogger("claude_max.engine")


# What reading a line of an unexpected shape raises.
LINE_ERRORS = (KeyError, TypeError, AttributeError)

# Lines of a turn. While no turn is under way each of them means that somebody else has written to the process.
TURN_LINES = frozenset({"assistant", "user", "stream_event", "result"})


def unexpected_line(error: Exception) -> errors.CliCrashed:
    """One of LINE_ERRORS, in words."""
    return errors.CliCrashed(f"The Claude Code CLI wrote a line of an unknown shape ({error!r}).")


class Unconfirmed(Exception):
    """The process is not where it should be, or did not confirm a step."""


class NoReply(Unconfirmed):
    """The process did not answer in time."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a process.

    `start`: for the reply to `initialize`, which takes up to 4 s on a busy machine, and 17-19 s without a network,
    when the CLI waits in vain for the service's settings first. `step`: for any other confirmation; 1-50 ms on a quiet
    machine. `silence`: for a model that says nothing.
    """

    silence: float = 300.0
    start: float = 30.0
    step: float = 10.0


class Channel:
    """Reads everything the process says, in a task of its own, until the process ends.

    `idle` says that no turn is under way: a line of a turn then breaks the channel.
    """

    def __init__(self, process: ClaudeProcess, timeouts: Timeouts) -> None:
        self.process = process
        self.idle = True
        self.broken: errors.ProxyError | None = None
        self._timeouts = timeouts
        self._replies: dict[str, asyncio.Future[JsonObject]] = {}
        self._count = 0
        self._inbox = Inbox()
        self._tools: tuple[Tool, ...] = ()
        self._listed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @property
    def alive(self) -> bool:
        """Whether the process runs and everything it said could be read."""
        return self.process.alive and self.broken is None

    async def send(self, *lines: JsonObject | bytes) -> None:
        """Writes lines, encoded or not. Raises the ProxyError of a process that is gone, NoReply where none is read."""
        if self.broken is not None:
            raise self.broken
        try:
            # A process that was stopped takes no more than a pipe holds.
            async with asyncio.timeout(self._timeouts.step):
                await self.process.send(*lines)
        except TimeoutError:
            raise NoReply("it reads nothing") from None

    async def control(self, subtype: str, **fields: object) -> JsonObject:
        """One control request; its reply's payload. Raises Unconfirmed when the CLI refuses it or stays silent."""
        self._count += 1
        request_id = f"r{self._count}"
        with self.expecting(request_id) as reply:
            await self.send(protocol.control_request(request_id, subtype, **fields))
            return await self.confirmed(reply, subtype)

    @contextlib.contextmanager
    def expecting(self, request_id: str) -> Iterator[asyncio.Future[JsonObject]]:
        """The reply to a request that is about to be written, as a future; forgotten when the block ends."""
        reply = self.expect(request_id)
        try:
            yield reply
        finally:
            self.forget(request_id)

    def expect(self, request_id: str) -> asyncio.Future[JsonObject]:
        """As `expecting`, for a reply that is awaited elsewhere; `forget` it."""
        reply = self._replies[request_id] = asyncio.get_running_loop().create_future()
        return reply

    def awaited(self, request_id: str) -> "asyncio.Future[JsonObject] | None":
        """The reply that `expect` waits for, None where it does not."""
        return self._replies.get(request_id)

    def forget(self, request_id: str) -> None:
        """No longer waits for this reply."""
        reply = self._replies.pop(request_id, None)
        if reply is not None and reply.done() and not reply.cancelled():
            # Nobody else may ask for the failure that `fail` put here.
            reply.exception()

    async def confirmed(self, reply: asyncio.Future[JsonObject], subtype: str) -> JsonObject:
        """The payload of a reply. Raises Unconfirmed when the CLI refuses the request or stays silent."""
        try:
            async with asyncio.timeout(self._timeouts.start if subtype == "initialize" else self._timeouts.step):
                response = await asyncio.shield(reply)
        except TimeoutError:
            raise NoReply(f"no answer to {subtype}") from None
        if response.get("subtype") != "success":
            raise Unconfirmed(f"{subtype} was refused: {response.get('error')}")
        payload = response.get("response")
        return payload if isinstance(payload, dict) else {}

    async def line(self, seconds: float) -> JsonObject:
        """The next line that is no request and no reply. Raises TimeoutError, or the ProxyError of a broken process."""
        line = await self._inbox.get(seconds)
        if line is None:
            raise self.broken or self.process.crashed()
        return line

    async def next_reply(self) -> JsonObject:
        """The next line, where it must come at once. Raises NoReply, or the ProxyError of a broken process."""
        try:
            return await self.line(self._timeouts.step)
        except TimeoutError:
            raise NoReply("no answer to a message") from None

    async def read_until(self, wanted: Callable[[JsonObject], bool]) -> None:
        """Reads lines up to the one that is wanted. Raises Unconfirmed when it does not come."""
        try:
            while not wanted(await self.line(self._timeouts.step)):
                pass
        except TimeoutError:
            raise Unconfirmed("an expected line did not come") from None

    def begin_turn(self) -> None:
        """Drops what was said while no turn was under way. Raises the ProxyError of a broken process."""
        while not self._inbox.empty:
            if self._inbox.take() is None:
                raise self.broken or self.process.crashed()
        self.idle = False

    async def offer(self, server: str, tools: tuple[Tool, ...]) -> None:
        """Names the client's tools as an MCP server, and waits until the CLI asked for their list."""
        self._tools = tools
        self._listed.clear()
        await self.control("mcp_set_servers", servers={server: {"type": "sdk", "name": server}})
        try:
            async with asyncio.timeout(self._timeouts.step):
                await self._listed.wait()
        except TimeoutError:
            raise Unconfirmed("the CLI did not ask for the tools") from None

    def interrupt_nowait(self) -> None:
        """Interrupts the CLI's turn, and does not wait for its reply."""
        self.process.post(protocol.control_request("interrupt", "interrupt"))

    def fail(self, error: errors.ProxyError) -> None:
        """Ends whatever waits on this process with `error`."""
        self.broken = self.broken or error
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(self.broken)
                # Nobody may come for it any more.
                reply.exception()
        self._inbox.put(None)

    async def close(self) -> None:
        """Ends the process; returns when it is gone."""
        await self.process.close()
        self._inbox.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        silent = True
        try:
            async for line in self.process.lines():
                silent = False
                self._dispatch(line)
        except errors.ProxyError as error:
            self.fail(error)
        except LINE_ERRORS as error:
            self.fail(unexpected_line(error))
        else:
            # Stderr may hold what a client said, but not before the first line: then it is the reason, and is shown.
            level = logging.WARNING if silent and not self.process.closing else logging.DEBUG
            await self.process.ended()
            log.log(level, "claude %d has ended; its stderr: %s", self.process.pid, self.process.stderr_tail)
            self.fail(self.process.crashed())

    def _dispatch(self, line: JsonObject) -> None:
        match line.get("type"):
            case "control_response":
                reply = self._replies.get(line["response"]["request_id"])
                if reply is not None and not reply.done():
                    reply.set_result(line["response"])
            case "control_request":
                self._serve(line["request_id"], line["request"])
            case "control_cancel_request":
                pass
            case kind if self.idle and kind in TURN_LINES:
                log.warning("claude %d wrote %r while nothing was asked; it is closed", self.process.pid, kind)
                self.fail(errors.CliCrashed("The Claude Code CLI began a turn of its own."))
                self.process.begin_close()
            case _:
                self._inbox.put(line)

    def _serve(self, request_id: str, request: JsonObject) -> None:
        """The CLI's own requests: its MCP messages; everything else (permissions, hooks) is refused.

        A call of a client's tool stays unanswered: the client answers it, in its next request.
        """
        if request.get("subtype") != "mcp_message":
            self.process.post(protocol.control_refusal(request_id, "not served by this host"))
            return
        rpc, server = request["message"], request["server_name"]
        if rpc.get("method") == "tools/call":
            return
        self.process.post(protocol.mcp_response(request_id, mcp.reply(rpc, server, self._tools)))
        if rpc.get("method") == "tools/list":
            self._listed.set()
