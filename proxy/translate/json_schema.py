"""Checks a client's JSON Schema before anything depends on it. Pure."""

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from ..errors import BadRequest
from ..events import JsonObject

# References are looked up in the schema itself; nothing is fetched.
Resolver = Any
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
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    _follow(resolver, schema, where, 0)


def _follow(resolver: Resolver, node: Any, where: str, depth: int) -> None:
    """Walks the whole schema."""
    if depth > DEPTH:
        raise BadRequest(f"{where} is nested too deeply.", param=where)
    if isinstance(node, list):
        for item in node:
            _follow(resolver, item, where, depth + 1)
    if not isinstance(node, dict):
        return
    _circle(resolver, node, where, ())
    for key, child in node.items():
        if key not in ("const", "enum", "default", "examples"):
            _follow(resolver, child, where, depth + 1)


def _circle(resolver: Resolver, node: Any, where: str, through: tuple[str, ...]) -> None:
    """Follows what applies to the same value: references, and schemas that are combined. A circle there never ends."""
    if not isinstance(node, dict):
        return
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference in through:
            raise BadRequest(f"{where}: the reference {reference} leads back to itself.", param=where)
        try:
            target = resolver.lookup(reference).contents
        except (Unresolvable, ValueError):
            raise BadRequest(f"{where}: the reference {reference} leads nowhere.", param=where) from None
        _circle(resolver, target, where, (*through, reference))
    for word in ("allOf", "anyOf", "oneOf"):
        for child in node.get(word) or ():
            _circle(resolver, child, where, through)
    for word in ("not", "if", "then", "else"):
        _circle(resolver, node.get(word), where, through)
