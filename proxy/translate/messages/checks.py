"""Finds what the service would refuse in the messages of a request. Pure.

The service's own refusal reaches a client only after several requests of the CLI. The messages are the service's, as
far as they are publicly known.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile
from typing import NamedTuple

from ...errors import BadRequest
from ...events import JsonObject
from ..common.conversation import is_blank
from .schema import MessageParam

ID = re.compile(r"[a-zA-Z0-9_-]+")
# The field that has a block's id, by the block's type.
IDS = {"tool_use": "id", "tool_result": "tool_use_id"}
Said = Sequence[tuple[str, MessageParam]]


class Placed(NamedTuple):
    """A block, and where it stands."""

    where: str
    json: JsonObject


def blocks_in(where: str, content: object) -> Iterator[Placed]:
    """The blocks of a content, each with its path; none of a text."""
    if isinstance(content, list):
        yield from (Placed(f"{where}[{n}]", block) for n, block in enumerate(content) if isinstance(block, dict))


def every_block(where: str, content: object) -> Iterator[Placed]:
    """The blocks of a content; a text is one block."""
    if isinstance(content, str):
        yield Placed(where, {"type": "text", "text": content})
    yield from blocks_in(where, content)


def check(said: Said) -> None:
    """Raises BadRequest for the first thing that the service would refuse. `said` are messages with their paths."""
    _check_types(said)
    _check_first(said)
    _check_places(said)
    _check_content(said)
    _check_ids(said)
    _check_pairs(said)


def _check_types(said: Said) -> None:
    for where, param in said:
        for at, json in blocks_in(f"{where}.content", param.content):
            if not isinstance(json.get("type"), str):
                raise BadRequest(f"{at}.type: Field required", param=f"{at}.type")


def _check_first(said: Said) -> None:
    first = next((param for _, param in said if param.role != "system"), None)
    if first is not None and first.role == "assistant":
        raise BadRequest('messages: first message must use the "user" role', param="messages")


def _check_places(said: Said) -> None:
    """The places of system messages (platform.claude.com, "Mid-conversation system messages", limitations)."""
    placed = [None, *(param for _, param in said), None]
    for (where, param), before, after in zip(said, placed, placed[2:], strict=False):
        if param.role != "system":
            continue
        follows = before is not None and (before.role != "assistant" or _ends_served(before))
        if not follows or (after is not None and after.role == "user"):
            raise BadRequest(
                f"{where}: `system` messages must follow a `user` turn and precede an `assistant` turn or the end of "
                "the conversation",
                param=where,
            )


def _ends_served(param: MessageParam) -> bool:
    """Whether an answer ends with the result of a tool that runs on the service's side."""
    *_, last = [None, *blocks_in("", param.content)]
    return last is not None and str(last.json.get("type")).endswith("_tool_result")


def _check_content(said: Said) -> None:
    for number, (where, param) in enumerate(said):
        is_last_answer = number == len(said) - 1 and param.role == "assistant"
        if not param.content and not is_last_answer:
            raise BadRequest(
                f"{where}: all messages must have non-empty content except for the optional final assistant message",
                param=where,
            )
        texts: list[tuple[str, object]] = (
            [(where, param.content)] if isinstance(param.content, str) and param.content else []
        )
        texts += [(at, json.get("text")) for at, json in blocks_in(f"{where}.content", param.content)
                  if json.get("type") == "text"]  # fmt: skip
        # In a result the service takes blank ones, but none that are empty.
        within = ((at, json.get("text")) for placed in blocks_in(f"{where}.content", param.content)
                  for at, json in blocks_in(f"{placed.where}.content", placed.json.get("content")))  # fmt: skip
        texts += [(at, text) for at, text in within if text == ""]
        for at, text in texts:
            if text == "":
                raise BadRequest(f"{at}.text: text content blocks must be non-empty", param=f"{at}.text")
            if isinstance(text, str) and is_blank(text):
                raise BadRequest(f"{at}: text content blocks must contain non-whitespace text", param=at)
        if is_last_answer and texts and isinstance(texts[-1][1], str) and texts[-1][1] != texts[-1][1].rstrip():
            raise BadRequest("messages: final assistant content cannot end with trailing whitespace", param=where)


def _check_ids(said: Said) -> None:
    seen: set[str] = set()
    for where, param in said:
        for at, json in blocks_in(f"{where}.content", param.content):
            field = IDS.get(str(json.get("type")))
            if field is None:
                continue
            id = json.get(field)
            if not isinstance(id, str) or not ID.fullmatch(id):
                raise BadRequest(f"{at}.{field}: String should match pattern '^[a-zA-Z0-9_-]+$'", param=f"{at}.{field}")
            if field == "id" and id in seen:
                raise BadRequest(f"{at}: `tool_use` ids must be unique", param=at)
            if field == "id":
                seen.add(id)


def _check_pairs(said: Said) -> None:
    """Every call has its result at the head of what the user says next, and every result its call."""
    spoken = [(where, param) for where, param in said if param.role != "system"]
    turns = [list(group) for _, group in groupby(spoken, key=lambda each: each[1].role)]
    open_calls: dict[str, str] = {}
    for turn in turns:
        blocks = [block for where, param in turn for block in every_block(f"{where}.content", param.content)]
        if turn[0][1].role == "assistant":
            open_calls = {str(json.get("id")): where for where, json in blocks if json.get("type") == "tool_use"}
            continue
        _check_results(blocks, open_calls, turn[0][0])
        open_calls = {}
    if open_calls and turns[-1][0][1].role == "assistant":
        raise _unanswered(open_calls, turns[-1][0][0])


def _check_results(blocks: Sequence[Placed], calls: dict[str, str], where: str) -> None:
    given: set[str] = set()
    # The service sees no result behind another block.
    leading = takewhile(lambda block: block.json.get("type") == "tool_result", blocks)
    answered = {str(json.get("tool_use_id")) for _, json in leading}
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
    missing = {id: at for id, at in calls.items() if id not in answered}
    if missing:
        raise _unanswered(missing, where)


def _unanswered(calls: dict[str, str], where: str) -> BadRequest:
    return BadRequest(
        f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(calls)}. Each "
        "`tool_use` block must have a corresponding `tool_result` block in the next message.",
        param=where,
    )
