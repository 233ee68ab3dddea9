"""Repairs a conversation that the service would refuse, by the rule of `common.conversation`. Pure.

Calls and results are brought together, blank texts and empty messages left out, ids replaced that the service does not
take. Texts of system messages go into the system prompt, as they do in other dialects.
"""

from collections.abc import Sequence

from ...events import Media, Message, OpaqueBlock, Text, ToolCall, ToolResult
from ..common.conversation import Conversation, is_blank
from ..common.names import digest
from ..common.repairs import Repairs
from .checks import ID, IDS, Placed, Said, every_block
from .content import block_of, input_of, mark_of


def rebuilt(said: Said, repairs: Repairs) -> tuple[str, tuple[Message, ...]]:
    """The system messages' texts, and the messages. Raises BadRequest for what cannot be repaired.

    `said` are the messages with their paths. The last message is the user's, or the assistant's for the model to
    continue.
    """
    made = Conversation(repairs=repairs)
    ids: set[str] = set()
    for where, param in said:
        placed = list(every_block(f"{where}.content", param.content))
        kept = [each for each in placed if not _is_blank(each)]
        if len(kept) < len(placed) or not placed:
            repairs.tell(where, "blank text left out")
        _tell_ids(placed, ids, where, repairs)
        for each in kept:
            _add(made, param.role, each, where, repairs)
    _tell_end(said, repairs)
    return made.build(may_continue=True)


def _is_blank(placed: Placed) -> bool:
    text = placed.json.get("text")
    return placed.json.get("type") == "text" and isinstance(text, str) and is_blank(text)


def _tell_ids(placed: Sequence[Placed], seen: set[str], where: str, repairs: Repairs) -> None:
    """Names ids that are replaced; `seen` are those of the calls before."""
    for _, json in placed:
        id = json.get(IDS.get(str(json.get("type")), ""))
        is_call = json.get("type") == "tool_use"
        if isinstance(id, str) and (not ID.fullmatch(id) or (is_call and id in seen)):
            repairs.tell(where, "ids that the service does not take")
        if is_call and isinstance(id, str):
            seen.add(id)


def _tell_end(said: Said, repairs: Repairs) -> None:
    where, param = said[-1]
    *_, last = [None, *(json.get("text") for _, json in every_block(where, param.content))]
    if param.role == "assistant" and isinstance(last, str) and last != last.rstrip():
        repairs.tell(where, "white space at the end left out")


def _add(made: Conversation, role: str, placed: Placed, where: str, repairs: Repairs) -> None:
    at, json = placed
    if json.get("type") == "tool_use" and role == "assistant":
        id, name = _id(json.get("id")) or f"call_{digest(at)}", json.get("name")
        called = name if isinstance(name, str) else ""
        made.call(ToolCall(id, called, input_of(json, at, repairs), mark_of(json)), f"{at}.id")
        return
    if json.get("type") == "tool_result":
        made.result(_result(placed, repairs), f"{at}.tool_use_id")
        return
    if role == "assistant":
        made.assistant([block_of(json, at, repairs)])
    elif role == "user":
        made.user([block_of(json, at, repairs)], where)
    elif json.get("type") == "text" and isinstance(json.get("text"), str):
        # Other keys of such a block (citations) say nothing in a system prompt.
        made.system([json["text"]], where)
    else:
        repairs.tell(at, "left out; a system message holds texts")


def _result(placed: Placed, repairs: Repairs) -> ToolResult:
    at, json = placed
    given = list(every_block(f"{at}.content", json.get("content")))
    kept = [each for each in given if not _is_blank(each)]
    if len(kept) < len(given) and isinstance(json.get("content"), list):
        repairs.tell(at, "blank text left out")
    parts = [block_of(each.json, each.where, repairs) for each in kept]
    known = tuple(part for part in parts if isinstance(part, Text | Media | OpaqueBlock))
    return ToolResult(_id(json.get("tool_use_id")), known, json.get("is_error") is True, mark_of(json))


def _id(given: object) -> str:
    return str(given) if isinstance(given, str | int) else ""
