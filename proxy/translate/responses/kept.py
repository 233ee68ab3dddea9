"""Stored responses: what is stored, and the answers to `GET`, `DELETE` and input items. Pure.

Shapes after OpenAI's API reference ("Get a model response", "List input items").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import BadRequest, NotFound
from ...events import JsonObject
from ...records import Record, Wanted
from ..common.dialect import Keeping, ResponseMeta

PAGE, MOST = 20, 100
# The prefix of an item's id by its type.
PREFIXES: Mapping[str, str] = {
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
    "compaction": "cmp",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "additional_tools": "at",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is kept of a request. `store` False keeps nothing."""

    input: tuple[JsonObject, ...] = ()
    previous: str | None = None
    store: bool = False


def wanted(body: JsonObject) -> Wanted:
    """What an unchecked body names of what is kept."""
    previous, items = body.get("previous_response_id"), body.get("input")
    named = (
        [item for item in items if isinstance(item, dict) and _is_reference(item)] if isinstance(items, list) else []
    )
    ids = tuple(item["id"] for item in named if isinstance(item.get("id"), str))
    return Wanted(previous if isinstance(previous, str) else None, ids)


def _is_reference(item: JsonObject) -> bool:
    """A reasoning item without its content can only be meant as one."""
    kind = item.get("type")
    if not isinstance(item.get("id"), str):
        return False
    return kind == "item_reference" or (kind == "reasoning" and not item.get("encrypted_content"))


def record_of(asked: Asked, meta: ResponseMeta, object: JsonObject, output: tuple[JsonObject, ...]) -> Record | None:
    """The record of an answer; None where none is wanted."""
    if not asked.store:
        return None
    return Record(object["id"], meta.created, object, with_ids(asked.input, meta), output, asked.previous)


def with_ids(items: tuple[JsonObject, ...], meta: ResponseMeta) -> tuple[JsonObject, ...]:
    """The items, each with a type and an id, by which they can be named."""
    found = []
    for item in items:
        kind = item.get("type") or "message"
        content = item.get("content")
        if kind == "message" and isinstance(content, str):
            part = "output_text" if item.get("role") == "assistant" else "input_text"
            item = {**item, "content": [{"type": part, "text": content}]}
        found.append({**item, "type": kind, "id": item.get("id") or f"{PREFIXES.get(kind, 'msg')}_{meta.new_id()}"})
    return tuple(found)


def _found(record: Record) -> JsonObject:
    return record.object


def _deleted(id: str) -> JsonObject:
    return {"id": id, "object": "response", "deleted": True}


def _cancelled(record: Record) -> JsonObject:
    """Raises BadRequest: only a background response can be cancelled, and there are none."""
    raise BadRequest(
        "Only responses that are made in the background can be cancelled.",
        hint="Close the connection of a response in the making.",
    )


def _missing(id: str) -> NotFound:
    return NotFound(f"Response with id '{id}' not found.")


def _items(record: Record, query: Mapping[str, str]) -> JsonObject:
    """A page of the input items; the newest first, unless `order` is `asc`. Raises BadRequest."""
    order, limit, after = query.get("order", "desc"), query.get("limit", str(PAGE)), query.get("after")
    if order not in ("asc", "desc"):
        raise BadRequest("order: must be asc or desc.", param="order")
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= MOST:
        raise BadRequest(f"limit: must be a number from 1 to {MOST}.", param="limit")
    items = list(record.input if order == "asc" else reversed(record.input))
    if after is not None:
        at = next((index for index, item in enumerate(items) if item["id"] == after), None)
        if at is None:
            raise BadRequest(f"after: no input item has the id {after!r}.", param="after")
        items = items[at + 1 :]
    page = items[: int(limit)]
    ends: dict[str, Any] = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
    return {
        "object": "list",
        "data": page,
        "first_id": None,
        "last_id": None,
        **ends,
        "has_more": len(items) > len(page),
    }


KEEPING = Keeping(wanted=wanted, found=_found, items=_items, deleted=_deleted, cancelled=_cancelled, missing=_missing)
