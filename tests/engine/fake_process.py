"""A claude process that is none: lines put in come out, and what is written to it is kept. No tests here.

It answers control requests by itself, as the CLI does, unless they are in `silent` or `refused`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from claude_max.proxy import errors
from claude_max.proxy.engine.process.channel import Channel, Timeouts
from claude_max.proxy.engine.process.spawn import ClaudeProcess
from claude_max.proxy.engine.process.worker import Accept, Worker
from claude_max.proxy.events import JsonObject
from claude_max.proxy.json_text import parsed

# For a confirmation that never comes.
SHORT = Timeouts(silence=0.05, start=0.05, step=0.05)
LONG = Timeouts(silence=10, start=10, step=10)


class FakeProcess:
    """The ClaudeProcess interface."""

    def __init__(self) -> None:
        self.pid = 7
        self.alive = True
        self.closing = False
        self.stderr_tail = "the last words"
        self.written: list[JsonObject] = []
        # How many lines each `send` had.
        self.sends: list[int] = []
        self.silent: set[str] = set()
        self.refused: set[str] = set()
        self.takes_up = True
        self.payloads: dict[str, JsonObject] = {"rewind_conversation": {"rewound": True}}
        self.reads = asyncio.Event()
        self.reads.set()
        # What follows each line that asks.
        self.answers: list[Sequence[JsonObject]] = []
        self._out: asyncio.Queue[JsonObject | Exception | None] = asyncio.Queue()

    def says(self, *lines: JsonObject) -> None:
        """Lines on its stdout."""
        for line in lines:
            self._out.put_nowait(line)

    def breaks(self, error: Exception) -> None:
        """Its stdout cannot be read any further."""
        self._out.put_nowait(error)

    def dies(self) -> None:
        """Its stdout ends."""
        self.alive = False
        self._out.put_nowait(None)

    async def send(self, *lines: JsonObject | bytes) -> None:
        if not self.alive:
            raise self.crashed()
        self.sends.append(len(lines))
        self.post(*(cast("JsonObject", parsed(line)) if isinstance(line, bytes) else line for line in lines))
        await self.reads.wait()

    def post(self, *lines: JsonObject) -> None:
        for line in lines:
            self.written.append(line)
            if line["type"] == "control_request":
                self._reply(line["request_id"], line["request"]["subtype"])
            elif line["type"] == "user" and line.get("shouldQuery") is False:
                self.says(lifecycle(line["uuid"], "completed"))
            elif line["type"] == "user":
                if self.takes_up:
                    self.says(lifecycle(line["uuid"], "started"))
                if self.answers:
                    self.says(*self.answers.pop(0))

    def _reply(self, request_id: str, subtype: str) -> None:
        if subtype in self.silent:
            return
        response: JsonObject = {"subtype": "success", "request_id": request_id}
        if subtype in self.refused:
            response = {"subtype": "error", "request_id": request_id, "error": "not now"}
        elif subtype in self.payloads:
            response["response"] = self.payloads[subtype]
        self.says({"type": "control_response", "response": response})
        if subtype == "interrupt":
            self.says({"type": "result", "is_error": True, "terminal_reason": "aborted_streaming"})

    async def lines(self) -> AsyncIterator[JsonObject]:
        while (line := await self._out.get()) is not None:
            if isinstance(line, Exception):
                raise line
            yield line

    async def ended(self) -> None:
        """Has its exit code already."""

    def crashed(self) -> errors.CliCrashed:
        return errors.CliCrashed("it is gone")

    async def close(self) -> None:
        self.closing = True
        self.dies()

    # What was written

    def asked(self) -> list[str]:
        """The subtypes of the control requests, and `user` for a line that asks, in order."""
        return [
            line["request"]["subtype"] if line["type"] == "control_request" else str(line["type"])
            for line in self.written
        ]

    def requests(self, subtype: str) -> list[JsonObject]:
        """The control requests of this kind."""
        found = [line["request"] for line in self.written if line["type"] == "control_request"]
        return [request for request in found if request["subtype"] == subtype]


def lifecycle(uuid: str, state: str) -> JsonObject:
    """What the CLI says of a line it was given."""
    return {"type": "command_lifecycle", "command_uuid": uuid, "state": state}


def channel_on(process: FakeProcess, timeouts: Timeouts = LONG) -> Channel:
    """A channel to it."""
    return Channel(cast("ClaudeProcess", process), timeouts)


def worker_on(process: FakeProcess, timeouts: Timeouts = LONG, accept: Accept = lambda _: None) -> Worker:
    """A worker around it."""
    return Worker(cast("ClaudeProcess", process), timeouts, accept)


def control(request_id: str, **request: Any) -> JsonObject:
    """A request of the CLI's own."""
    return {"type": "control_request", "request_id": request_id, "request": request}
