"""Builds the API request of a Turn for the exact composition: messages, tools, parameters, cache marks. Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from ...events import (
    CacheMark,
    JsonObject,
    Message,
    RedactedThinking,
    ServerTool,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from ..wire.protocol import api_message, api_tools
from .body import DISABLED, Defaults, parameters
from .cache_marks import lifetime, markable, marked
from .thinking_memory import Digest, ThinkingMemory, has_thinking


@dataclass(frozen=True, slots=True)
class Context:
    """What a request depends on besides its Turn.

    `cache_ttl` is the lifetime of our own marks, `system_ttl` that of the CLI's on the system prompt, as far as known.
    """

    defaults: Defaults = field(default_factory=Defaults)
    cache_ttl: CacheMark = "5m"
    system_ttl: CacheMark = "5m"
    cli_version: str = ""
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """A request's body. `prefix` identifies its messages, under which the thinking of the answer is kept.

    `repaired` says in short phrases what was changed on the way.
    """

    body: JsonObject
    prefix: Digest
    repaired: frozenset[str]


def composed(
    turn: Turn, context: Context, memory: ThinkingMemory | None = None, without: AbstractSet[str] = frozenset()
) -> Composed:
    """The whole request. `without` names what its model refuses (keys of `negotiate.WORDS`)."""
    tools = api_tools(turn.tools, strict="strict" not in without)
    turn, left_out = without_refused_thinking(turn, without)
    messages = [api_message(message) for message in turn.messages]
    asked = parameters(turn, context.defaults, without)
    prefix: Digest = b""
    if memory is not None and not turn.carries_thinking and asked.get("thinking") != DISABLED:
        scope = (turn.model, context.cli_version, turn.system, tools)
        messages, prefix = memory.restored(scope, messages, restore="thinking_blocks" not in without)
    if (prefix or left_out) and lacks_thinking(turn, messages, context.defaults):
        asked["thinking"] = DISABLED
    short = "cache_ttl" in without
    ttl = "5m" if short else context.cache_ttl
    messages, tools, repaired = marked(messages, tools, ttl, system=context.system_ttl, short=short)
    body: JsonObject = {"messages": messages, "tools": tools, "max_tokens": context.defaults.max_tokens, **asked}
    return Composed(body, prefix, repaired | left_out)


def without_refused_thinking(turn: Turn, without: AbstractSet[str]) -> tuple[Turn, frozenset[str]]:
    """The Turn without the thinking in its history, where the service refused that, and what to tell of it.

    A message that held nothing else is left as it is.
    """
    if "thinking_blocks" not in without:
        return turn, frozenset()
    messages = []
    for message in turn.messages:
        content = tuple(item for item in message.content if not isinstance(item, Thinking | RedactedThinking))
        messages.append(replace(message, content=content) if content else message)
    if tuple(messages) == turn.messages:
        return turn, frozenset()
    return replace(turn, messages=tuple(messages)), frozenset({"thinking that the service refused was left out"})


def lacks_thinking(turn: Turn, messages: list[JsonObject], defaults: Defaults) -> bool:
    """Whether a model that thinks with a budget would refuse to go on: its thinking before the last calls is missing.

    Models with adaptive thinking take such a request.
    """
    if (defaults.thinking or {}).get("type") != "enabled" or not answers_calls(turn.messages[-1]):
        return False
    last = next((message for message in reversed(messages) if message["role"] == "assistant"), None)
    return last is not None and not has_thinking(last)


def depends_on_system(turn: Turn) -> bool:
    """Whether the client's marks are right only beside certain ones of the CLI's: an hour's, or any on a tool."""
    found = ((item, lifetime(item)) for item in markable(turn))
    return any(ttl == "1h" or (ttl and isinstance(item, Tool | ServerTool)) for item, ttl in found)


def answers_calls(message: Message) -> bool:
    """Whether it is in the middle of a round of tools."""
    return any(isinstance(item, ToolResult | ToolCall) for item in message.content)
