"""Conversations of any shape, mapped by one written rule or refused. Pure.

The rule:
- System and developer messages, wherever they stand, join the system prompt in their order, a blank line between.
- Neighbours of one role become one message; its blocks keep their order. Blank texts are dropped, and messages with
  nothing left in them.
- Tool messages become results at the head of the user message that follows their calls. Every call needs exactly one
  result directly after its message, in any order; a result needs its call.
- The last message must be the user's or a tool's: models do not continue an answer that was begun for them.
- A conversation that opens with an assistant message gets a user message before it, because the API wants one first.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Literal

import orjson

from ...errors import BadRequest
from ...events import Block, JsonObject, Message, Text, ToolCall, ToolResult
from ..chat.schema import MessageParam
from .media import blocks_of, text_of
from .validation import too_deep

OPENING = "(The conversation begins with the assistant.)"
ARGUMENT_DEPTH = 100
_API_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def conversation(messages: Sequence[MessageParam]) -> tuple[str, tuple[Message, ...]]:
    """The system prompt and the messages with alternating roles, the last one the user's. Raises BadRequest."""
    system: list[str] = []
    merged: list[tuple[Literal["user", "assistant"], list[Block], int]] = []
    open_calls: dict[str, str] = {}
    used: set[str] = set()

    def add(role: Literal["user", "assistant"], blocks: Sequence[Block], index: int) -> None:
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(blocks)
        elif blocks:
            merged.append((role, list(blocks), index))

    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if message.role in ("system", "developer"):
            system.extend(text_of(message.content, f"{where}.content"))
            continue
        if message.role in ("tool", "function"):
            add("user", [_result(message, open_calls, where)], index)
            continue
        _require_answered(open_calls, where)
        if message.role == "user":
            if message.content is None:
                raise BadRequest(f"{where}.content is missing.", param=f"{where}.content")
            add("user", blocks_of(message.content, f"{where}.content"), index)
        else:
            calls = _calls(message, where, used)
            add("assistant", [*_said(message, where), *calls.values()], index)
            open_calls = {given: call.id for given, call in calls.items()}
    _require_answered(open_calls, f"messages[{len(messages) - 1}]")
    return "\n\n".join(system), _alternating(merged, messages)


def _alternating(
    merged: Sequence[tuple[Literal["user", "assistant"], list[Block], int]], messages: Sequence[MessageParam]
) -> tuple[Message, ...]:
    if not merged:
        raise BadRequest("messages: there is no user message with any content.", param="messages")
    if merged[-1][0] == "assistant":
        if messages[-1].role == "assistant":
            raise BadRequest(
                "messages: the last message is the assistant's; Claude models do not continue a begun answer. "
                "End with a user message.",
                param="messages",
            )
        raise BadRequest("messages: the last message has no content.", param="messages")
    opening = [Message("user", (Text(OPENING),))] if merged[0][0] == "assistant" else []
    return (*opening, *(Message(role, tuple(blocks)) for role, blocks, _ in merged))


def _said(message: MessageParam, where: str) -> list[Block]:
    if not message.content and message.refusal:
        return [Text(message.refusal)]
    return [Text(text) for text in text_of(message.content, f"{where}.content")]


def _calls(message: MessageParam, where: str, used: set[str]) -> dict[str, ToolCall]:
    """The calls of an assistant message, by the id the client uses for them.

    The API wants every id once in a conversation: one that is in `used` already is made another.
    """
    calls: dict[str, ToolCall] = {}
    for index, call in enumerate(message.tool_calls or ()):
        at = f"{where}.tool_calls[{index}]"
        if call.type != "function" or call.function is None:
            raise BadRequest(f"{at}.type: only function calls are carried.", param=f"{at}.type")
        if call.id in calls:
            raise BadRequest(f"{at}.id: {call.id!r} is given twice.", param=f"{at}.id")
        arguments = _arguments(call.function.arguments, f"{at}.function.arguments")
        own = api_id(call.id)
        own = own if own not in used else f"call_{_digest(f'{where} {call.id}')}"
        used.add(own)
        calls[call.id] = ToolCall(own, call.function.name, arguments)
    if message.function_call is not None:
        called = message.function_call
        arguments = _arguments(called.arguments, f"{where}.function_call.arguments")
        # The legacy form has no ids: the name is the link, so an id is made from what the call is.
        seed = f"{where} {called.name} {called.arguments}"
        calls[called.name] = ToolCall(f"call_{_digest(seed)}", called.name, arguments)
    return calls


def _result(message: MessageParam, open_calls: dict[str, str], where: str) -> ToolResult:
    field = "tool_call_id" if message.role == "tool" else "name"
    given = message.tool_call_id if message.role == "tool" else message.name
    if given is None:
        raise BadRequest(f"{where}.{field} is missing.", param=f"{where}.{field}")
    if given not in open_calls:
        raise BadRequest(
            f"{where}.{field}: {given!r} answers no open call; a tool message must follow the assistant message whose "
            "call it answers, once.",
            param=f"{where}.{field}",
        )
    return ToolResult(open_calls.pop(given), tuple(blocks_of(message.content, f"{where}.content")))


def _require_answered(open_calls: dict[str, str], where: str) -> None:
    if open_calls:
        missing = ", ".join(open_calls)
        raise BadRequest(f"{where}: these tool calls have no result: {missing}.", param="messages")


def _arguments(text: str, where: str) -> JsonObject:
    """A model may have written what is no JSON object, and must see that it did; the service takes objects only."""
    try:
        value = orjson.loads(text.strip() or "{}")
    except orjson.JSONDecodeError:
        return {"arguments": text}
    if not isinstance(value, dict):
        return {"arguments": text}
    if too_deep(value, ARGUMENT_DEPTH):
        raise BadRequest(f"{where} has more than {ARGUMENT_DEPTH} levels.", param=where)
    return value


def api_id(given: str) -> str:
    """An id the API takes: the client's own where it has the right form, else one made from it."""
    return given if _API_ID.fullmatch(given) else f"call_{_digest(given)}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
