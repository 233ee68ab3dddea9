"""The conversation with one process below the level of turns: requests and their answers, tool calls, other lines.

Serves the CLI's own requests (its MCP messages) by itself. Knows neither plans nor answers; what a line means for a
turn is for `worker` and `answer` to say.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from .. import errors
from ..events import JsonObject, Tool, ToolResult
from . import mcp, protocol
from .process import ClaudeProcess

log = logging.getLogger("claude_max.engine")


# What comes of reading a line that is not of the shape it should be.
ODD = (KeyError, TypeError, AttributeError)


def odd(error: Exception) -> errors.CliCrashed:
    """One of ODD, in words."""
    return errors.CliCrashed(f"The Claude Code CLI wrote a line of an unknown shape ({error!r}).")


class Doubt(Exception):
    """The process is not where it should be, or did not confirm a step."""


class Silent(Doubt):
    """The process did not answer in time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a process.

    `start`: for the answer to `initialize`, which takes up to 4 s on a busy machine, and 17-19 s without a network,
    when the CLI waits in vain for the service's settings first. `step`: for any other confirmation; 1-50 ms on a quiet
    machine. `silence`: for a model that says nothing.
    """

    silence: float = 300.0
    start: float = 30.0
    step: float = 10.0


class Channel:
    """Reads everything the process says, in a task of its own, until the process ends."""

    def __init__(self, process: ClaudeProcess, patience: Patience) -> None:
        self.process = process
        self._patience = patience
        self.broken: errors.ProxyError | None = None
        self._replies: dict[str, asyncio.Future[JsonObject]] = {}
        self._count = 0
        self._lines: asyncio.Queue[JsonObject | None] = asyncio.Queue()
        self._calls: dict[str, tuple[str, object]] = {}
        self._answered: set[str] = set()
        self._tools: tuple[Tool, ...] = ()
        self._listed: set[str] = set()
        self._changed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @property
    def alive(self) -> bool:
        """Whether the process runs and everything it said could be read."""
        return self.process.alive and self.broken is None

    async def send(self, *lines: JsonObject) -> None:
        """Writes lines. Raises the ProxyError of a process that is gone."""
        if self.broken is not None:
            raise self.broken
        await self.process.send(*lines)

    async def control(self, subtype: str, **fields: object) -> JsonObject:
        """One control request; its answer's payload. Raises Doubt when the CLI refuses it or stays silent."""
        self._count += 1
        request_id = f"r{self._count}"
        reply = self._replies[request_id] = asyncio.get_running_loop().create_future()
        try:
            await self.send(protocol.control_request(request_id, subtype, **fields))
            seconds = self._patience.start if subtype == "initialize" else self._patience.step
            async with asyncio.timeout(seconds):
                response = await reply
        except TimeoutError:
            raise Silent(f"no answer to {subtype}") from None
        finally:
            self._replies.pop(request_id, None)
            if reply.done() and not reply.cancelled():
                # Where sending failed, nobody else asks for the failure that `fail` has put here.
                reply.exception()
        if response.get("subtype") != "success":
            raise Doubt(f"{subtype} was refused: {response.get('error')}")
        payload = response.get("response")
        return payload if isinstance(payload, dict) else {}

    async def line(self, seconds: float) -> JsonObject:
        """The next line that is no request and no reply. Raises TimeoutError, or the ProxyError of a broken process."""
        async with asyncio.timeout(seconds):
            line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise self.broken or self.process.crashed()
        return line

    async def soon(self) -> JsonObject:
        """The next line, where it must come at once. Raises Silent, or the ProxyError of a broken process."""
        try:
            return await self.line(self._patience.step)
        except TimeoutError:
            raise Silent("no answer to a message") from None

    async def until(self, wanted: Callable[[JsonObject], bool]) -> None:
        """Reads lines up to the one that is wanted. Raises Doubt when it does not come."""
        try:
            while not wanted(await self.line(self._patience.step)):
                pass
        except TimeoutError:
            raise Doubt("an expected line did not come") from None

    def stale(self) -> list[JsonObject]:
        """Takes the lines that came while nobody listened. Raises the ProxyError of a broken process."""
        lines = []
        while not self._lines.empty():
            line = self._lines.get_nowait()
            if line is None:
                self._lines.put_nowait(None)
                raise self.broken or self.process.crashed()
            lines.append(line)
        return lines

    async def offer(self, server: str, tools: tuple[Tool, ...]) -> None:
        """Replaces the client's tools and waits until the CLI has asked for the new list. Raises Doubt."""
        self._tools = tools
        self._listed.discard(server)
        await self.control("mcp_set_servers", servers={server: {"type": "sdk", "name": server}} if tools else {})
        if tools:
            # Until then the model would still be shown the old list.
            await self._when(lambda: server in self._listed)

    async def called(self, ids: tuple[str, ...]) -> bool:
        """Waits until the CLI has delivered all these tool calls to us. Raises Doubt.

        False when it has answered one by itself: arguments that do not fit, a tool that it does not know.
        """
        await self._when(lambda: all(call in self._calls for call in ids) or not self._answered.isdisjoint(ids))
        return self._answered.isdisjoint(ids)

    async def answer_call(self, result: ToolResult) -> None:
        """Hands the result of a delivered call to the CLI."""
        request_id, rpc_id = self._calls.pop(result.call_id)
        await self.send(protocol.mcp_response(request_id, mcp.call_result(rpc_id, result)))

    def cut(self) -> None:
        """Interrupts the CLI's turn, and does not wait for its word."""
        self.process.post(protocol.control_request("cut", "interrupt"))

    def forget_calls(self) -> None:
        """After an interrupt the CLI waits for no call any more."""
        self._calls.clear()
        self._answered.clear()

    def fail(self, error: errors.ProxyError) -> None:
        """Ends whatever waits on this process with `error`."""
        self.broken = self.broken or error
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(self.broken)
        self._lines.put_nowait(None)
        self._changed.set()

    async def close(self) -> None:
        """Ends the process; returns when it is gone."""
        await self.process.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def _when(self, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(self._patience.step):
                while not holds():
                    if not self.alive:
                        raise self.broken or self.process.crashed()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise Doubt("an expected request did not come") from None

    async def _read(self) -> None:
        silent = True
        try:
            async for line in self.process.lines():
                silent = False
                self._dispatch(line)
        except errors.ProxyError as error:
            self.fail(error)
        except ODD as error:
            self.fail(odd(error))
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
                gone = [call for call, (request_id, _) in self._calls.items() if request_id == line.get("request_id")]
                for call in gone:
                    del self._calls[call]
            case _:
                self._answered.update(protocol.answered_calls(line))
                self._changed.set()
                self._lines.put_nowait(line)

    def _serve(self, request_id: str, request: JsonObject) -> None:
        """The CLI's own requests: its MCP messages; everything else (permissions, hooks) is refused."""
        if request.get("subtype") != "mcp_message":
            self.process.post(protocol.control_refusal(request_id, "not served by this host"))
            return
        rpc, server = request["message"], request["server_name"]
        call = mcp.call_id(rpc)
        if call is not None:
            self._calls[call] = (request_id, rpc.get("id"))
        else:
            self.process.post(protocol.mcp_response(request_id, mcp.reply(rpc, server, self._tools)))
            if rpc.get("method") == "tools/list":
                self._listed.add(server)
        self._changed.set()
