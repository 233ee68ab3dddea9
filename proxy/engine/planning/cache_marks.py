"""Places prompt cache marks (`cache_control`) on the messages of a request. Pure.

The service accepts four marks per request. The CLI sets two, on its own line and on the system prompt, which leaves
two. The client's own marks take precedence. Without any, the last block of the last two user messages is marked: the
last one writes the cache, and the one before it is where a retry or the next request reads it.

No mark may stand behind a shorter one, in the order tools, system, messages. So our own marks, and those on tools, last
an hour where a mark of an hour follows: that one writes all before it for an hour anyway. The CLI's own follow the
tools.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ...events import Block, CacheMark, JsonObject, OpaqueBlock, ServerTool, Tool, ToolResult, Turn
from ..wire.protocol import cache_control

# What the CLI's own two marks leave of the service's four.
LEFT = 2
DROPPED = "cache_control: more than the service takes"
# Blocks that the service takes no mark on.
_UNMARKED = ("thinking", "redacted_thinking")


def marked(
    messages: Sequence[JsonObject],
    tools: Sequence[JsonObject],
    ttl: CacheMark,
    *,
    system: CacheMark = "5m",
    short: bool = False,
) -> tuple[list[JsonObject], list[JsonObject], frozenset[str]]:
    """Messages and tools with their marks, and what was repaired.

    `ttl` is for our own marks, `system` that of the CLI's. `short` makes five minutes of an hour in the messages, where
    the service refused the order: the CLI's own marks are not what they were taken for.
    """
    repaired: frozenset[str] = frozenset()
    spare = LEFT - sum(1 for _ in _marks_of(messages, tools))
    if spare < 0:
        # The later a mark, the more it covers.
        messages, tools = _without_first(messages, tools, -spare)
        repaired |= {DROPPED}
    if short and any(map(_is_long, _marks_of(messages))):
        messages = [_each(message, partial(_lasting, ttl="5m")) for message in messages]
        repaired |= {"cache_control: 5 minutes instead of an hour"}
    if (short or system == "1h") and not all(map(_is_long, _marks(tools))):
        tools = [_lasting(tool, "1h") for tool in tools]
        repaired |= {"tools: cache_control of an hour instead of 5 minutes"}
    found = list(messages)
    for index in [i for i, message in enumerate(found) if message["role"] == "user"][::-1][:2]:
        if spare > 0 and (message := _with_mark(found[index], _fitting(index, found, tools, ttl))) is not None:
            found[index] = message
            spare -= 1
    return found, list(tools), repaired


def markable(turn: Turn) -> Iterator[Block | Tool | ServerTool]:
    """Everything in a Turn that may have a mark of the client's."""
    yield from turn.tools
    for item in (item for message in turn.messages for item in message.content):
        yield item
        if isinstance(item, ToolResult):
            yield from item.content


def lifetime(item: Block | Tool | ServerTool) -> str | None:
    """For how long the client marks it, None for no mark."""
    if isinstance(item, OpaqueBlock | ServerTool):
        mark = item.json.get("cache_control")
        return mark.get("ttl") or "5m" if mark else None
    return getattr(item, "cache", None)


def _blocks(message: JsonObject) -> Sequence[JsonObject]:
    return message["content"] if isinstance(message["content"], list) else ()


def _marks_of(messages: Sequence[JsonObject], tools: Sequence[JsonObject] = ()) -> Iterator[JsonObject]:
    yield from _marks(tools)
    for message in messages:
        yield from _marks(_blocks(message))


def _marks(blocks: Sequence[JsonObject]) -> Iterator[JsonObject]:
    for block in blocks:
        if block.get("cache_control"):
            yield block["cache_control"]
        inner = block.get("content")
        if isinstance(inner, list):
            yield from _marks([item for item in inner if isinstance(item, dict)])


def _fitting(index: int, messages: Sequence[JsonObject], tools: Sequence[JsonObject], ttl: CacheMark) -> CacheMark:
    """The lifetime of a mark at the end of a message: an hour before one of an hour, which costs nothing more there."""
    if any(map(_is_long, _marks_of(messages[index + 1 :]))):
        return "1h"
    return ttl if all(map(_is_long, _marks_of(messages[: index + 1], tools))) else "5m"


def _is_long(mark: JsonObject) -> bool:
    return mark.get("ttl") == "1h"


def _with_mark(message: JsonObject, ttl: CacheMark) -> JsonObject | None:
    """The message with a mark on its last block; None where that cannot have one, or has one."""
    blocks = _blocks(message)
    if not blocks or next(_marks(blocks[-1:]), None) is not None:
        return None
    last = blocks[-1]
    is_blank = last.get("type") == "text" and not str(last.get("text", "")).strip()
    if last.get("type") in _UNMARKED or is_blank:
        return None
    return {**message, "content": [*blocks[:-1], {**last, "cache_control": cache_control(ttl)}]}


def _without_first(
    messages: Sequence[JsonObject], tools: Sequence[JsonObject], drop: int
) -> tuple[Sequence[JsonObject], Sequence[JsonObject]]:
    """Without the first `drop` marks."""

    def without(block: JsonObject) -> JsonObject:
        nonlocal drop
        inner = block.get("content")
        if drop and isinstance(inner, list):
            block = {**block, "content": [without(item) if isinstance(item, dict) else item for item in inner]}
        if drop and block.get("cache_control"):
            drop -= 1
            block = {key: value for key, value in block.items() if key != "cache_control"}
        return block

    kept_tools = [without(tool) for tool in tools]
    return [_each(message, without) for message in messages], kept_tools


def _each(message: JsonObject, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
    blocks = _blocks(message)
    return {**message, "content": [change(block) for block in blocks]} if blocks else message


def _lasting(block: JsonObject, ttl: CacheMark) -> JsonObject:
    """The block with every mark of this lifetime."""
    inner = block.get("content")
    if isinstance(inner, list):
        block = {**block, "content": [_lasting(item, ttl) if isinstance(item, dict) else item for item in inner]}
    return {**block, "cache_control": cache_control(ttl)} if block.get("cache_control") else block
