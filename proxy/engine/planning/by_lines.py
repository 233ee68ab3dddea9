"""What the lines composition cannot carry, and what the CLI changes in it. Pure.

The CLI composes the request from MCP tools and appended lines, and silently changes some of it (measured on
2.1.330 and 2.1.332). What would be lost is refused by name; what is only changed is named to the client.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import TypeGuard, TypeVar

from ... import errors
from ...events import (
    Block,
    JsonObject,
    Media,
    Message,
    OpaqueBlock,
    RedactedThinking,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from ...json_text import compact
from .cache_marks import lifetime, markable

# Tools with another property name vanish, and so does one of this name.
PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
VANISHING_NAME = "ToolSearch"
# Beside a tool of this name the CLI tells the model which agents it has itself.
AGENTS = "Agent"
# The `caller` of an ordinary call.
DIRECT = {"type": "direct"}
# What is carried of a function's declaration, or has been named elsewhere.
KEPT = {"type", "name", "description", "input_schema", "strict", "cache_control"}
# Characters of a description; the rest is cut.
DESCRIPTION_LENGTH = 4096
# At the root of a tool's schema the CLI puts these first.
FIRST = ("type", "properties", "required")
# At the root of a tool's schema the CLI writes these as a sentence of the description.
FLATTENED = ("allOf", "anyOf", "oneOf")

# Working folder, system, shell and date; the e-mail address where the login is an account.
NOTE = "messages: environment note added (with a normal login the account's e-mail address too)"

B = TypeVar("B", bound=Block)

_WHY = "Such a request needs the exact composition, which this Claude Code CLI, platform or setting does not allow."


def check(turn: Turn) -> None:
    """Raises BadRequest, naming the part, where the lines way would lose some of the Turn (see `adapted`)."""
    given = adapted(turn)
    if given.messages[-1].role == "assistant":
        raise errors.BadRequest(f"The conversation ends with an assistant message. {_WHY}", param="messages")
    for tool in given.tools:
        if isinstance(tool, ServerTool):
            raise errors.BadRequest(f"{tool.json.get('name')!r} is a tool of the service. {_WHY}", param="tools")
        lost = next((name for name in _properties(tool.parameters) if not PROPERTY.fullmatch(name)), None)
        if lost is not None:
            raise errors.BadRequest(f"The tool {tool.name!r} has a property named {lost!r}. {_WHY}", param="tools")
        if tool.name == VANISHING_NAME:
            raise errors.BadRequest(f"A tool is named {tool.name!r}. {_WHY}", param="tools")
    for message in turn.messages:
        if message.role == "system" and not all(isinstance(_known(item), Text) for item in message.content):
            raise errors.BadRequest(f"A system message holds more than text. {_WHY}", param="messages")
    for message in given.messages:
        parts = (item.content if isinstance(item, ToolResult) else (item,) for item in message.content)
        for item in (part for each in parts for part in each):
            if isinstance(item, OpaqueBlock):
                raise errors.BadRequest(f"A message holds a {item.json.get('type')!r} block. {_WHY}", param="messages")


def adapted(turn: Turn) -> Turn:
    """The Turn as the CLI takes it.

    - Texts of system messages end the system prompt.
    - Adjacent messages of one role are one, as the service reads them: the CLI would put a line break between them.
    - Cache marks are left out: the CLI's own of an hour follows them, which the service refuses after a shorter one.
    - Of a client's function only what has a place in a Tool stays: no examples, no deferred loading.
    """
    told = (item for each in turn.messages if each.role == "system" for item in each.content)
    texts = [turn.system] if turn.system else []
    texts += [item.text if isinstance(item, Text) else str(item.json["text"]) for item in told if _has_text(item)]
    said = [each for each in turn.messages if each.role != "system"]
    messages = tuple(
        Message(role, tuple(_unmarked(_known(item)) for each in group for item in each.content))
        for role, group in groupby(said, key=lambda each: each.role)
    )
    return replace(turn, system="\n\n".join(texts), messages=messages, tools=tuple(map(_function, turn.tools)))


def altered(turn: Turn, given: Turn) -> tuple[str, ...]:
    """What is changed in a Turn and by the CLI in `given`, the Turn as adapted, each as a short phrase."""
    found = [f"tool {name}: {words}" for tool in turn.tools for name, words in _altered(tool)]
    names = [tool.name for tool in given.tools if isinstance(tool, Tool)]
    if names != sorted(names, key=_collated):
        found.append("tools: sorted by name")
    if any(isinstance(tool, Tool) and tool.name == AGENTS for tool in given.tools):
        found.append("messages: the CLI's own list of agents added")
    if any(isinstance(item, Thinking | RedactedThinking) for each in turn.messages for item in each.content):
        found.append("messages: the thinking in them left out")
    if any(_is_empty(message.content) for message in given.messages):
        found.append("messages: empty content filled in")
    if any(isinstance(item, ToolResult) and _loses_media(item) for each in turn.messages for item in each.content):
        found.append("messages: a failed call's result left with its text only")
    if any(each.role == "system" for each in turn.messages):
        found.append("messages: system message moved into the system prompt")
    if any(map(lifetime, markable(turn))):
        found.append("cache_control: left out; the CLI sets its own")
    return (NOTE, *found)


def _collated(name: str) -> tuple[str, str]:
    """Where a name stands in JavaScript's `localeCompare`: signs first, then digits, then letters, small ones first."""
    return name.lower().replace("_", " ").replace("-", "!"), name.swapcase()


def _unmarked(item: B) -> B:
    if isinstance(item, ToolResult):
        return replace(item, content=tuple(map(_unmarked, item.content)), cache=None)
    return replace(item, cache=None) if isinstance(item, Text | Media | ToolCall) else item


def _altered(given: Tool | ServerTool) -> Iterator[tuple[str, str]]:
    """The tool's name with each change."""
    tool = _function(given)
    if isinstance(tool, ServerTool):
        return
    declared = given.json if isinstance(given, ServerTool) else {}
    if lost := {key for key, value in declared.items() if value is not None} - KEPT:
        yield tool.name, f"{' and '.join(sorted(lost))} left out"
    if tool.strict:
        yield tool.name, "strict left out"
    ordered = [*(key for key in FIRST if key in tool.parameters), *(key for key in tool.parameters if key not in FIRST)]
    if ordered != list(tool.parameters):
        yield tool.name, "keys of the schema in another order"
    if len(tool.description) > DESCRIPTION_LENGTH:
        yield tool.name, f"description cut at {DESCRIPTION_LENGTH} characters"
    text = tool.description + compact(tool.parameters)
    if not unicodedata.is_normalized("NFKC", text) or _has_unseen(text):
        yield tool.name, "characters normalized"
    yield from ((tool.name, f"{word} flattened") for word in FLATTENED if word in tool.parameters)


def _function(tool: Tool | ServerTool) -> Tool | ServerTool:
    """A client's function as a Tool without a mark, also where it is declared with more than that has a place for."""
    if isinstance(tool, Tool):
        return replace(tool, cache=None)
    if (tool.json.get("type") or "custom") != "custom" or "input_schema" not in tool.json:
        return tool
    json = tool.json
    return Tool(str(json["name"]), str(json.get("description") or ""), json["input_schema"], bool(json.get("strict")))


def _known(item: Block) -> Block:
    """A block in our own form where all that it has besides says nothing, as an SDK writes fields without a value."""
    if not isinstance(item, OpaqueBlock):
        return item
    match {key: value for key, value in item.json.items() if value not in (None, DIRECT) and key != "cache_control"}:
        case {"type": "text", "text": str(text), **more} if not more:
            return Text(text)
        case {"type": "tool_use", "id": str(id), "name": str(name), "input": dict(given), **more} if not more:
            return ToolCall(id, name, given)
    return item


def _has_text(item: Block) -> TypeGuard[Text | OpaqueBlock]:
    """Whether it is a text, or one with more keys than that has a place for (citations)."""
    return isinstance(item, Text) or (isinstance(item, OpaqueBlock) and isinstance(item.json.get("text"), str))


def _has_unseen(text: str) -> bool:
    """Whether there are format characters (U+200B, U+202E) or private ones, which vanish."""
    return not text.isascii() and any(unicodedata.category(character) in ("Cf", "Co") for character in text)


def _properties(schema: JsonObject) -> Iterator[str]:
    properties = schema.get("properties")
    if isinstance(properties, dict):
        yield from properties


def _loses_media(result: ToolResult) -> bool:
    return result.is_error and not all(isinstance(part, Text) for part in result.content)


def _is_empty(content: object) -> bool:
    blocks = content if isinstance(content, tuple) else ()
    parts = [part for item in blocks for part in (item.content if isinstance(item, ToolResult) else (item,))]
    return all(isinstance(part, Text) and not part.text.strip() for part in parts)
