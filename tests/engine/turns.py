"""Short ways to say messages and turns. No tests here."""

from typing import Any

from claude_max.proxy.engine.limits import Limits, limits
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


def wants(wanted: Turn) -> Limits:
    """The limits the engine would ask the pool for."""
    return limits(wanted)
