"""Reads a request's bytes into its shape; everything wrong with them is a BadRequest that names the field."""

from typing import TypeVar, cast

import orjson
from pydantic import BaseModel, ValidationError

from ...errors import BadRequest
from ...events import JsonObject

M = TypeVar("M", bound=BaseModel)


def parse_object(body: bytes, depth: int) -> JsonObject:
    """The JSON object in `body`. orjson refuses what JSON does not allow (NaN, lone surrogates).

    More than `depth` levels are refused: what is passed on must be written again, and writers have limits of their own.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadRequest("The request body must be a JSON object.")
    if too_deep(value, depth):
        raise BadRequest(f"The request body has more than {depth} levels (setting json_depth).")
    return cast("JsonObject", value)


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
        # Of a union every member complains; the one that got furthest is the one that was meant.
        union = found[0]["loc"][:-1]
        first = max((each for each in found if each["loc"][: len(union)] == union), key=lambda each: len(each["loc"]))
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
