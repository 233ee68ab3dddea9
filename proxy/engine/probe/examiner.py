"""Runs requests through a CLI under examination, and returns what reached the scripted service.

Uses one process until a failure, then a new one. `contract` decides what to request.
"""

import json
import uuid
from typing import Any

from ...events import Event, JsonObject, Message, Text, Tool, Turn
from ...scripted import ScriptedAPI
from ..planning.compose import Context, composed
from ..planning.want import Want, exact_want, lines_want, plain_want
from ..process.channel import Timeouts
from ..process.worker import Worker
from .baited_home import BaitedHome

# A step may take a second on a busy machine; a CLI that lacks a capability mostly says nothing at all. Its start is
# given more: a service may start while the whole machine does.
TIMEOUTS = Timeouts(silence=3.0, start=20.0, step=3.0)
SYSTEM = "contract system"


class CheckFailed(Exception):
    """A capability does not hold; the message says what was seen instead."""


class Examiner:
    """Runs the CLI of a baited home against `api`."""

    def __init__(self, home: BaitedHome, api: ScriptedAPI) -> None:
        self.home = home
        self._api = api
        self._worker: Worker | None = None
        # What the last turn of the exact way gave the CLI.
        self.sent: JsonObject = {}

    async def close(self) -> None:
        """Ends the process that is examined."""
        if self._worker is not None:
            await self._worker.close()
            self._worker = None

    async def worker(self) -> Worker:
        """The process, with the contract's system prompt where it is new."""
        if self._worker is None:
            home = self.home
            self._worker = await Worker.spawn(home.program, home.environ, home.cwd, TIMEOUTS)
            await self._worker.prepare(SYSTEM)
        return self._worker

    async def exact(self, *messages: Message, **fields: Any) -> list[Event]:
        """The events of a turn of the exact way."""
        turn, context = _turn(messages, fields), Context(base_url=self.home.url)
        self.sent = composed(turn, context).body
        return await self._run(exact_want(turn, str(uuid.uuid4()), context)[0])

    async def lines(self, *messages: Message, **fields: Any) -> list[Event]:
        """The events of a turn of the lines way."""
        return await self._run(lines_want(_turn(messages, fields), str(uuid.uuid4()), Context(base_url=self.home.url)))

    async def plain(self, model: str) -> dict[str, Any]:
        """The body of a request for which the CLI chooses everything itself."""
        await self._run(plain_want(_turn((said("user", "hello"),), {"model": model}), str(uuid.uuid4()), self.home.url))
        return self.body()

    async def _run(self, want: Want) -> list[Event]:
        worker = await self.worker()
        try:
            return [event async for event in worker.run(want)]
        finally:
            if not await worker.finish_turn():
                await self.close()

    # What reached the API

    @property
    def calls(self) -> int:
        """How many requests have arrived."""
        return self._api.arrived

    def body(self) -> dict[str, Any]:
        """The last request."""
        return self._api.bodies()[-1]

    def bodies(self) -> list[dict[str, Any]]:
        """All requests so far."""
        return self._api.bodies()

    def raw(self) -> str:
        """The last request as text."""
        return json.dumps(self.body(), ensure_ascii=False)

    def system_text(self) -> str:
        """The client's part of the system prompt."""
        return str(self.body()["system"][-1]["text"])

    def texts(self) -> list[tuple[str, str]]:
        """Role and text of every message but the CLI's own notes, which have the role `system`."""
        messages = [message for message in self.body()["messages"] if message["role"] != "system"]
        return [(message["role"], _text(message["content"])) for message in messages]


def expect(holds: bool, otherwise: str) -> None:
    """Raises CheckFailed where it does not hold."""
    if not holds:
        raise CheckFailed(otherwise)


def said(role: Any, text: str) -> Message:
    """A message of one text."""
    return Message(role, (Text(text),))


def tool(name: str, **properties: Any) -> Tool:
    """A tool with these properties."""
    return Tool(name, "A tool", {"type": "object", "properties": properties})


def _turn(messages: tuple[Message, ...], fields: dict[str, Any]) -> Turn:
    return Turn(**{"model": "sonnet", "system": SYSTEM, "messages": messages, **fields})


def _text(content: Any) -> str:
    """The text of a message, without the notes that older versions put before it."""
    if isinstance(content, str):
        return content
    texts = [block.get("text", "") for block in content]
    return "".join(text for text in texts if not text.startswith("<system-reminder>"))
