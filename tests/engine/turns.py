"""Short ways to say messages, turns and wants. No tests here."""

from typing import Any
from uuid import uuid4

from claude_max.proxy.engine.planning.compose import Context
from claude_max.proxy.engine.planning.want import Want, exact_want, lines_want
from claude_max.proxy.events import JsonObject, Media, Message, Text, Tool, ToolCall, ToolResult, Turn

PLAIN: JsonObject = {"type": "object", "properties": {}}
LOOK = Tool("look", "Looks", PLAIN)
PNG = Media("image", "image/png", "aGk=")
SEEK = Tool("seek", "Seeks", {"type": "object", "properties": {"q": {"type": "string"}}})


def user(*texts: str) -> Message:
    """A user message of these texts."""
    return Message("user", tuple(Text(text) for text in texts))


def said(text: str) -> Message:
    """An answer."""
    return Message("assistant", (Text(text),))


def called(*ids: str, text: str = "", name: str = "look", **arguments: Any) -> Message:
    """An answer that calls, once for each id."""
    words = (Text(text),) if text else ()
    return Message("assistant", (*words, *(ToolCall(id, name, arguments) for id in ids)))


def results(*ids: str, text: str = "fine") -> Message:
    """The user message that answers these calls."""
    return Message("user", tuple(ToolResult(id, (Text(text),)) for id in ids))


def talk(*texts: str) -> tuple[Message, ...]:
    """Messages of alternating roles, user first."""
    return tuple(user(text) if index % 2 == 0 else said(text) for index, text in enumerate(texts))


def turn(*messages: Message, model: str = "sonnet", **more: Any) -> Turn:
    """A Turn."""
    return Turn(model=model, messages=messages, **more)


def wants(wanted: Turn, uuid: str = "") -> Want:
    """The want of the exact way, under a name of its own."""
    return exact_want(wanted, uuid or str(uuid4()), Context())[0]


def by_lines(wanted: Turn, uuid: str = "") -> Want:
    """The want of the lines way."""
    return lines_want(wanted, uuid or str(uuid4()), Context())
