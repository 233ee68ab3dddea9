"""The messages of a request, one for one, and what the service refuses about them all together. Pure.

Nothing is merged, dropped or renamed: the service takes consecutive messages of one role, and the client's own ids.
What is checked here is what costs nothing to see: the service's refusal reaches a client only after several requests of
the CLI's. The sentences are the service's own, as far as they are publicly known.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from ...errors import BadRequest
from ...events import JsonObject, Message
from .content import MARK, blocks_of
from .schema import Asked, Content, MessageParam

MARKS = 4
# What Claude Code puts at the head of its system prompt, for the service and not for the model.
_BILLING = re.compile(r"\s*x-anthropic-billing-header:[^\n]*\n*")


class Placed(NamedTuple):
    """A block, and where it stands."""

    where: str
    json: JsonObject


def messages_of(params: Sequence[MessageParam]) -> tuple[Message, ...]:
    """The messages. Raises BadRequest.

    A system message without content is left out: it carries a setting (the CLI's own carry the effort), and `unread`
    names it.
    """
    _check_content(params)
    _check_pairs(params)
    kept = [(index, param) for index, param in enumerate(params) if param.content or param.role != "system"]
    if not kept:
        raise BadRequest("messages: at least one message is required", param="messages")
    return tuple(Message(each.role, blocks_of(each.content, f"messages[{index}].content")) for index, each in kept)


def unread(params: Sequence[MessageParam]) -> list[str]:
    """The names of what messages hold beside a role and content."""
    return sorted({f"messages.{name}" for param in params for name in param.model_extra or {}})


def system_of(content: Content | None) -> tuple[str, list[str]]:
    """The system prompt of a request, and the names of what else its blocks hold. Raises BadRequest.

    Blocks become one text, a blank line between them: the CLI takes one, and sets cache marks of its own on it. Where
    the client is Claude Code, its billing line is left out: the CLI (2.1.332) takes a prompt that begins with one for
    its own first block, and says no billing line itself.
    """
    if content is None or isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    texts = []
    for index, block in enumerate(content):
        text, where = block.get("text"), f"system[{index}]"
        if block.get("type") != "text" or not isinstance(text, str):
            raise BadRequest(f"{where}: system must be a text, or a list of text blocks", param=where)
        if not text:
            raise BadRequest(f"{where}: text content blocks must be non-empty", param=where)
        texts.append(_BILLING.sub("", text))
    named = [f"system.{key}" for key in sorted({key for block in content for key in block} - {"type", "text"})]
    billed = ["system.billing_header"] if any(_BILLING.match(block["text"]) for block in content) else []
    return "\n\n".join(text for text in texts if text), named + billed


def check_marks(request: Asked) -> None:
    """Raises BadRequest for more cache marks than the service takes, those on the system prompt counted too."""
    found = sum(bool(block.json.get(MARK)) for block in _marked(request)) + bool((request.model_extra or {}).get(MARK))
    if found > MARKS:
        raise BadRequest(f"A maximum of {MARKS} blocks with cache_control may be provided. Found {found}.")


def _marked(request: Asked) -> Iterator[Placed]:
    """Everything that may have a mark."""
    yield from (Placed("tools", tool) for tool in request.tools or ())
    yield from _blocks("system", request.system or "")
    for index, message in enumerate(request.messages):
        for placed in _blocks(f"messages[{index}].content", message.content):
            yield placed
            if placed.json.get("type") == "tool_result":
                yield from _blocks(f"{placed.where}.content", placed.json.get("content") or "")


def _blocks(where: str, content: object) -> Iterator[Placed]:
    if isinstance(content, list):
        yield from (Placed(f"{where}[{n}]", block) for n, block in enumerate(content) if isinstance(block, dict))


def _check_content(params: Sequence[MessageParam]) -> None:
    for index, param in enumerate(params):
        is_last_answer = index == len(params) - 1 and param.role == "assistant"
        if not param.content and param.role != "system" and not is_last_answer:
            where = f"messages[{index}]"
            raise BadRequest(
                f"{where}: all messages must have non-empty content except for the optional final assistant message",
                param=where,
            )


def _check_pairs(params: Sequence[MessageParam]) -> None:
    """Every call has its result at the head of what the user says next, and every result its call."""
    spoken = [(index, param) for index, param in enumerate(params) if param.role != "system"]
    turns = [list(group) for _, group in groupby(spoken, key=lambda each: each[1].role)]
    open_calls: dict[str, str] = {}
    for turn in turns:
        blocks = [block for index, param in turn for block in _blocks(f"messages[{index}].content", param.content)]
        if turn[0][1].role == "assistant":
            open_calls = {str(json.get("id")): where for where, json in blocks if json.get("type") == "tool_use"}
            continue
        _check_results(blocks, open_calls, f"messages[{turn[0][0]}]")
        open_calls = {}
    if open_calls and turns[-1][0][1].role == "assistant":
        raise _unanswered(open_calls, f"messages[{turns[-1][0][0]}]")


def _check_results(blocks: Sequence[Placed], calls: dict[str, str], where: str) -> None:
    given: set[str] = set()
    for at, json in blocks:
        if json.get("type") != "tool_result":
            continue
        id = str(json.get("tool_use_id"))
        if id not in calls:
            raise BadRequest(
                f"{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must "
                "have a corresponding `tool_use` block in the previous message.",
                param=at,
            )
        if id in given:
            raise BadRequest(
                f"{at}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}",
                param=at,
            )
        given.add(id)
    missing = {id: at for id, at in calls.items() if id not in given}
    if missing:
        raise _unanswered(missing, where)


def _unanswered(calls: dict[str, str], where: str) -> BadRequest:
    return BadRequest(
        f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(calls)}. Each "
        "`tool_use` block must have a corresponding `tool_result` block in the next message.",
        param=where,
    )
