"""Turns content blocks of the Messages API into blocks of a Turn without losing keys. Pure.

A block with exactly the keys of its type in `events` becomes that type. A block with other keys (citations, a
document's context, a caller) or of an unknown type is passed on unchanged, and the service
reports what is wrong. `repairs` covers mistakes that clients are known to make.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from ...errors import BadRequest
from ...events import (
    Block,
    CacheMark,
    JsonObject,
    Media,
    OpaqueBlock,
    RedactedThinking,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from ..common.conversation import arguments_of
from ..common.media import decoded_base64, image_of
from ..common.names import OTHER_NAMES, api_name
from ..common.repairs import REFUSING, Repairs

MARK = "cache_control"
_TTLS: dict[Any, CacheMark] = {"5m": "5m", "1h": "1h", None: "5m"}
_SOURCES = {
    "base64": {"type", "media_type", "data"},
    "text": {"type", "media_type", "data"},
    "url": {"type", "url"},
}


def blocks_of(content: str | Sequence[JsonObject], where: str, repairs: Repairs = REFUSING) -> tuple[Block, ...]:
    """The blocks of a message. Raises BadRequest for a block without a type."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    return tuple(block_of(json, f"{where}[{index}]", repairs) for index, json in enumerate(content))


def mark_of(json: JsonObject) -> CacheMark | None:
    """The cache mark of a block or a tool; None where there is none, and for an unknown one."""
    mark = json.get(MARK)
    if not isinstance(mark, dict) or mark.get("type") != "ephemeral" or not mark.keys() <= {"type", "ttl"}:
        return None
    ttl = mark.get("ttl")
    return _TTLS.get(ttl) if ttl is None or isinstance(ttl, str) else None


def has_only(json: JsonObject, keys: AbstractSet[str]) -> bool:
    """Whether it has all of the keys, and beside them a cache mark at most, in a form that is known."""
    own = {key: value for key, value in json.items() if key != MARK}
    return own.keys() == keys and (json.get(MARK) is None or mark_of(json) is not None)


def block_of(json: JsonObject, where: str, repairs: Repairs = REFUSING) -> Block:
    """One block. Raises BadRequest for one without a type."""
    if not isinstance(json.get("type"), str):
        raise BadRequest(f"{where}.type: Field required", param=f"{where}.type")
    return _known(json, where, repairs) or OpaqueBlock(json)


def _known(json: JsonObject, where: str, repairs: Repairs) -> Block | None:
    """The block in the vocabulary, None where that has no place for all of it."""
    match json:
        case {"type": "text", "text": str(text)} if has_only(json, {"type", "text"}):
            if not text:
                raise BadRequest(f"{where}.text: text content blocks must be non-empty", param=f"{where}.text")
            return Text(text, mark_of(json))
        case {"type": "thinking", "thinking": str(text), "signature": str(signature)} if len(json) == 3:
            return Thinking(text, signature)
        case {"type": "redacted_thinking", "data": str(data)} if len(json) == 2:
            return RedactedThinking(data)
        case {"type": "image", "source": dict(source)} if has_only(json, {"type", "source"}):
            return _media("image", source, None, mark_of(json), f"{where}.source", repairs)
        case {"type": "document", "source": dict(source)} if has_only(json, {"type", "source"}):
            return _media("document", source, None, mark_of(json), f"{where}.source", repairs)
        case {"type": "document", "source": dict(source), "title": str(title)} if title and has_only(
            json, {"type", "source", "title"}
        ):
            return _media("document", source, title, mark_of(json), f"{where}.source", repairs)
        case {"type": "tool_use", "id": str(id), "name": str(name)} if has_only(
            {"input": None, **json}, {"type", "id", "name", "input"}
        ):
            own = api_name(name)
            if own != name:
                repairs.tell("messages", OTHER_NAMES)
            return ToolCall(id, own, input_of(json, where, repairs), mark_of(json))
        case {"type": "tool_result", "tool_use_id": str(id)}:
            return _result(json, id, where, repairs)
    return None


def input_of(json: JsonObject, where: str, repairs: Repairs) -> JsonObject:
    """The input of a `tool_use` block. Raises BadRequest where it is not an object and repairs are off."""
    given = json.get("input")
    if isinstance(given, dict):
        return given
    at = f"{where}.input"
    repairs.note(at, "input is not an object", refusal=f"{at}: Input should be a valid dictionary")
    return arguments_of(given)


def _result(json: JsonObject, id: str, where: str, repairs: Repairs) -> ToolResult | None:
    content, is_error = json.get("content"), json.get("is_error")
    keys = {"type", "tool_use_id", *(key for key in ("content", "is_error") if key in json)}
    is_list = isinstance(content, list) and all(isinstance(item, dict) for item in content)
    if (
        not has_only(json, keys)
        or not isinstance(is_error, bool | None)
        or not (is_list or isinstance(content, str | None))
    ):
        return None
    parts = blocks_of(content or "", f"{where}.content", repairs)
    known = tuple(part for part in parts if isinstance(part, Text | Media | OpaqueBlock))
    return ToolResult(id, known, bool(is_error), mark_of(json)) if len(known) == len(parts) else None


def _media(
    kind: Any, source: JsonObject, title: str | None, mark: CacheMark | None, where: str, repairs: Repairs
) -> Media | None:
    if _SOURCES.get(str(source.get("type"))) != source.keys() or not all(isinstance(v, str) for v in source.values()):
        return None
    if source["type"] == "url":
        return Media(kind, url=source["url"], title=title, cache=mark)
    is_text = source["media_type"] == "text/plain"
    if is_text is not (source["type"] == "text") or (is_text and kind == "image"):
        return None
    if kind == "image":
        return replace(image_of(source["media_type"], source["data"], f"{where}.data", repairs), cache=mark)
    data = source["data"]
    if not is_text:
        data = decoded_base64(data, f"{where}.data", repairs)[0]
    return Media(kind, source["media_type"], data, title=title, cache=mark)
