"""Checks a client's JSON Schema before anything depends on it. Pure."""

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from ..errors import BadRequest
from ..events import JsonObject

DEPTH = 64


def check_schema(schema: JsonObject, where: str) -> None:
    """Raises BadRequest for a schema that is none: unknown types, references that lead nowhere or round in a circle."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)
        raise BadRequest(f"{where}{path}: {error.message}", param=where) from None
    except RecursionError:
        raise BadRequest(f"{where} is nested too deeply.", param=where) from None
    _follow(schema, schema, where, (), 0)


def _follow(root: JsonObject, node: Any, where: str, through: tuple[str, ...], depth: int) -> None:
    """Walks the schema; `through` are the references followed since the last step into the instance's structure."""
    if depth > DEPTH:
        raise BadRequest(f"{where} is nested too deeply.", param=where)
    if isinstance(node, list):
        for item in node:
            _follow(root, item, where, (), depth + 1)
    if not isinstance(node, dict):
        return
    reference = node.get("$ref")
    while isinstance(reference, str):
        if reference in through:
            raise BadRequest(f"{where}: the reference {reference} leads back to itself.", param=where)
        through = (*through, reference)
        target = _lookup(root, reference)
        if target is None:
            raise BadRequest(f"{where}: the reference {reference} leads nowhere.", param=where)
        reference = target.get("$ref") if isinstance(target, dict) else None
    for key, child in node.items():
        if key not in ("const", "enum", "default", "examples"):
            _follow(root, child, where, (), depth + 1)


def _lookup(root: JsonObject, reference: str) -> Any:
    """What a local reference (`#/…`) points to, None for nothing; there is no fetching of others."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    node: Any = root
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            return None
        node = node[key]
    return node
