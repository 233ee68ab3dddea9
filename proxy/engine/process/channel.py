"""The protocol with one process below the level of turns: control requests and replies, MCP messages, other lines.

Answers the CLI's own requests. Knows nothing of steps and answers: `worker` and `answer` interpret the other lines.
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


# Raised when a line does not have the expected shape.
LINE_ERRORS = (KeyError, TypeError, AttributeError)

# Types of lines that belong to a turn. Between turns, one of them means that somebody else wrote to the process.
TURN_LINES = frozenset({"assistant", "user", "stream_event", "result"})


def unexpected_line(error: Exception) -> errors.CliCrashed:
    """The error for one of LINE_ERRORS."""
    return errors.CliCrashed(f"The Claude Code CLI wrote a line of an unknown shape ({error!r}).")


class Unconfirmed(Exception):
    """The process did not confirm a step, so its state is unknown."""


class NoReply(Unconfirmed):
    """The process did not reply in time."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds.

    `start`: for the reply to `initialize`, which takes up to 4 s on a busy machine, and 17-19 s without a network,
    because the CLI first tries to fetch the service's settings. `step`: for any other reply, 1-50 ms on a quiet
    machine. `silence`: between two lines of an answer.
    """

    silence: float = 300.0
    start: float = 30.0
    step: float = 10.0


class Channel:
    """Reads the output of the process in a separate task, until it ends.

    While `idle` (no turn is under way), a line of a turn breaks the channel. `on_start` is called as soon as a message
    of the model's begins.
    """

    def __init__(self, process: ClaudeProcess, timeouts: Timeouts) -> None:
        self.process = process
        self.idle = True
        self.on_start: Callable[[], None] = lambda: None
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
        """Whether the process is running and all its output could be parsed."""
        return self.process.alive and self.broken is None

    async def send(self, *lines: JsonObject | bytes) -> None:
        """Writes lines, encoded or not. Raises the ProxyError of an ended process, NoReply where it does not read."""
        if self.broken is not None:
            raise self.broken
        try:
            # A stopped process reads nothing, and a full pipe blocks.
            async with asyncio.timeout(self._timeouts.step):
                await self.process.send(*lines)
        except TimeoutError:
            raise NoReply("it reads nothing") from None

    async def control(self, subtype: str, **fields: object) -> JsonObject:
        """Sends a control request and returns the payload of its reply. Raises Unconfirmed on a refusal or no reply."""
        self._count += 1
        request_id = f"r{self._count}"
        with self.expecting(request_id) as reply:
            await self.send(protocol.control_request(request_id, subtype, **fields))
            return await self.confirmed(reply, subtype)

    @contextlib.contextmanager
    def expecting(self, request_id: str) -> Iterator[asyncio.Future[JsonObject]]:
        """A future for the reply to a request that is about to be written, valid within the block."""
        reply = self.expect(request_id)
        try:
            yield reply
        finally:
            self.forget(request_id)

    def expect(self, request_id: str) -> asyncio.Future[JsonObject]:
        """As `expecting`, where the reply is awaited elsewhere. Call `forget` afterwards."""
        reply = self._replies[request_id] = asyncio.get_running_loop().create_future()
        return reply

    def awaited(self, request_id: str) -> "asyncio.Future[JsonObject] | None":
        """The future that `expect` made, if any."""
        return self._replies.get(request_id)

    def forget(self, request_id: str) -> None:
        """Drops the future of this reply."""
        reply = self._replies.pop(request_id, None)
        if reply is not None and reply.done() and not reply.cancelled():
            # Marks the exception that `fail` may have set as retrieved.
            reply.exception()

    async def confirmed(self, reply: asyncio.Future[JsonObject], subtype: str) -> JsonObject:
        """The payload of a reply. Raises Unconfirmed on a refusal or no reply."""
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
        """The next line but requests and replies. Raises TimeoutError, or the ProxyError of a broken channel."""
        line = await self._inbox.get(seconds)
        if line is None:
            raise self.broken or self.process.crashed()
        return line

    async def next_reply(self) -> JsonObject:
        """The next line, which must come at once. Raises NoReply, or the ProxyError of a broken channel."""
        try:
            return await self.line(self._timeouts.step)
        except TimeoutError:
            raise NoReply("no answer to a message") from None

    async def read_until(self, wanted: Callable[[JsonObject], bool]) -> None:
        """Reads lines up to the wanted one. Raises Unconfirmed where it does not come."""
        try:
            while not wanted(await self.line(self._timeouts.step)):
                pass
        except TimeoutError:
            raise Unconfirmed("an expected line did not come") from None

    def begin_turn(self) -> None:
        """Drops lines from between turns. Raises the ProxyError of a broken channel."""
        while not self._inbox.empty:
            if self._inbox.take() is None:
                raise self.broken or self.process.crashed()
        self.idle = False

    async def offer(self, server: str, tools: tuple[Tool, ...]) -> None:
        """Registers the client's tools as an MCP server, and waits until the CLI has listed them."""
        self._tools = tools
        self._listed.clear()
        await self.control("mcp_set_servers", servers={server: {"type": "sdk", "name": server}})
        try:
            async with asyncio.timeout(self._timeouts.step):
                await self._listed.wait()
        except TimeoutError:
            raise Unconfirmed("the CLI did not ask for the tools") from None

    def interrupt_nowait(self) -> None:
        """Interrupts the CLI's turn without waiting for the reply."""
        self.process.post(protocol.control_request("interrupt", "interrupt"))

    def fail(self, error: errors.ProxyError) -> None:
        """Raises `error` in everything that waits for this process, now and later."""
        self.broken = self.broken or error
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(self.broken)
                # Marks it as retrieved: it may no longer be awaited.
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
            # Stderr may hold a client's words, but not before the first line: then it holds the reason.
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
            case "stream_event" if line["event"].get("type") == "message_start":
                # At once: what the CLI does after a short answer is only milliseconds away.
                self.on_start()
                self._inbox.put(line)
            case _:
                self._inbox.put(line)

    def _serve(self, request_id: str, request: JsonObject) -> None:
        """Answers the CLI's own requests: MCP messages. All others (permissions, hooks) are refused.

        A call of a client's tool gets no reply here: its result comes with the client's next request.
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
