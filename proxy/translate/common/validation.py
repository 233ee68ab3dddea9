"""Parses a request body into its model; any error is a BadRequest that names the field."""

import codecs
import re
from collections.abc import Sequence
from typing import TypeVar, cast

import orjson
from pydantic import BaseModel, ValidationError

from ...errors import BadRequest
from ...events import JsonObject
from ...json_text import loads
from .repairs import REFUSING, Repairs

# A surrogate pair, half of one, or any other escape: in this order, so that an escaped backslash does not start an
# escape.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
M = TypeVar("M", bound=BaseModel)


def parse_object(body: bytes, depth: int, repairs: Repairs = REFUSING) -> JsonObject:
    """The JSON object in `body`. orjson refuses what JSON does not allow (NaN, lone surrogates).

    More than `depth` levels are refused: what is passed on must be serialized again, and serializers have limits, too.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        value = _parsed(body, repairs)
    except orjson.JSONDecodeError as error:
        raise BadRequest(_encoding(body) or f"The request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadRequest("The request body must be a JSON object.")
    if too_deep(value, depth):
        raise BadRequest(f"The request body has more than {depth} levels (setting json_depth).")
    return cast("JsonObject", value)


def _parsed(body: bytes, repairs: Repairs) -> object:
    try:
        return loads(body)
    except orjson.JSONDecodeError:
        whole = whole_escapes(body)
        if repairs.strict or whole == body:
            raise
        value = loads(whole)
        repairs.note("body", "lone surrogates replaced by U+FFFD")
        return value


def whole_escapes(json: bytes) -> bytes:
    r"""JSON text with each escape of half a character (`\ud83d` without its other half) as that of U+FFFD."""
    return _ESCAPE.sub(_whole_escape, json)


def _whole_escape(found: re.Match[bytes]) -> bytes:
    """An escape as it is, half a character as U+FFFD."""
    return b"\\ufffd" if len(found[0]) == len(b"\\ud83d") else found[0]


def _encoding(body: bytes) -> str:
    """What to say of text that is not UTF-8; "" for any other fault."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in body[:2]:
        return "The request body is UTF-16 text. Send JSON as UTF-8."
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return (
            f"The request body is not UTF-8 (byte {body[error.start]:#04x} at {error.start}); it looks like Latin-1 "
            "or Windows-1252. Send JSON as UTF-8."
        )
    return ""


def too_deep(value: object, depth: int) -> bool:
    """Whether a JSON value has more than `depth` levels of objects and lists."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        if not level:
            return False
        children = (child for node in level for child in (node.values() if isinstance(node, dict) else node))
        level = [child for child in children if isinstance(child, dict | list)]
    return bool(level)


def shaped(model: type[M], value: JsonObject) -> M:
    """`value` as `model`; the first thing that does not fit is the error."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        # Every member of a union reports errors; the one that got furthest is the intended one. Where an integer and a
        # float are allowed, the error for the float is the true one.
        union = found[0]["loc"][:-1]
        members = [each for each in found if each["loc"][: len(union)] == union]
        first = max(members, key=lambda each: (len(each["loc"]), each["type"] == "float_type"))
        path = field_path(first["loc"])
        raise BadRequest(f"{path}: {first['msg']}" if path else first["msg"], param=path or None) from None


def field_path(loc: tuple[int | str, ...]) -> str:
    """`messages[0].content`, from a pydantic location; the names of union members it inserts are left out."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier() and part not in ("str", "int", "float", "bool", "constrained"):
            path += f".{part}" if path else part
    return path


def whole_numbers(body: JsonObject, names: Sequence[str], repairs: Repairs, path: str = "") -> JsonObject:
    """The body with `4096.0` as 4096 in these fields, which stand at `path`.

    OpenAI refuses it, and many clients know one kind of number.
    """
    made = dict(body)
    for name in names:
        value = body.get(name)
        if isinstance(value, float) and value.is_integer():
            repairs.note(f"{path}{name}", "whole number", refusal=f"{path}{name}: Input should be a valid integer")
            made[name] = int(value)
    return made


def without_no_limit(body: JsonObject, names: Sequence[str], repairs: Repairs) -> JsonObject:
    """The body without -1 in these fields, by which clients of llama.cpp and LM Studio say "no limit"."""
    made = dict(body)
    for name in names:
        if body.get(name) == -1:
            refusal = f"{name}: Input should be greater than or equal to 1"
            repairs.note(name, "-1 taken for no limit", refusal=refusal)
            del made[name]
    return made
