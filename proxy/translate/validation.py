"""Reads a request's bytes into its shape; everything wrong with them is a BadRequest that names the field."""

from typing import TypeVar, cast

import orjson
from pydantic import BaseModel, ValidationError

from ..errors import BadRequest
from ..events import JsonObject

M = TypeVar("M", bound=BaseModel)


def parse_object(body: bytes) -> JsonObject:
    """The JSON object in `body`. orjson refuses what JSON does not allow (NaN, lone surrogates) and 1,024 levels."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadRequest("The request body must be a JSON object.")
    return cast("JsonObject", value)


def shaped(model: type[M], value: JsonObject) -> M:
    """`value` as `model`; the first thing that does not fit is the error."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
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
