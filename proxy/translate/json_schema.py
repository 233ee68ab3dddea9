"""Checks a client's JSON Schema before anything depends on it. Pure."""

from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from ..errors import BadRequest
from ..events import JsonObject

# References are looked up in the schema itself; nothing is fetched.
Resolver = Any
# Of the draft that the service takes, whatever `$schema` says. It is compiled: in Python a list of 20 tools would cost
# more time than the CLI itself. Patterns are the service's to judge; there is more than one language of them.
SCHEMA_OF_SCHEMAS = Draft202012Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})
Seen = dict[int, bool]
DEPTH = 64


def check_schema(schema: JsonObject, where: str) -> None:
    """Raises BadRequest for a schema that is none: unknown types, references that lead nowhere or round in a circle."""
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    _follow(resolver, schema, where, 0, {})
    try:
        SCHEMA_OF_SCHEMAS.validate(schema)
    except ValidationError as error:
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.instance_path)
        raise BadRequest(f"{where}{path}: {error.message}", param=where) from None


def _follow(resolver: Resolver, node: Any, where: str, depth: int, seen: Seen) -> None:
    """Walks the whole schema."""
    if depth > DEPTH:
        raise BadRequest(f"{where} is nested too deeply.", param=where)
    if isinstance(node, list):
        for item in node:
            _follow(resolver, item, where, depth + 1, seen)
    if not isinstance(node, dict):
        return
    _circle(resolver, node, where, 0, seen)
    for key, child in node.items():
        if key not in ("const", "enum", "default", "examples"):
            _follow(resolver, child, where, depth + 1, seen)


def _circle(resolver: Resolver, node: Any, where: str, depth: int, seen: Seen) -> None:
    """Follows what applies to the same value: references, and schemas that are combined. A circle there never ends.

    `seen` has each part that was come to, by its identity: False while it is being followed, True once nothing in it
    leads back. So each is followed once, however often it is referred to.
    """
    if not isinstance(node, dict) or seen.get(id(node)):
        return
    if id(node) in seen:
        reference = node.get("$ref", "#")
        raise BadRequest(f"{where}: the reference {reference} leads back to itself.", param=where)
    if depth > DEPTH:
        raise BadRequest(f"{where}: references lead on too far.", param=where)
    seen[id(node)] = False
    reference = node.get("$ref")
    if isinstance(reference, str):
        try:
            target = resolver.lookup(reference).contents
        except (Unresolvable, ValueError, TypeError, LookupError):
            raise BadRequest(f"{where}: the reference {reference} leads nowhere.", param=where) from None
        _circle(resolver, target, where, depth + 1, seen)
    for word in ("allOf", "anyOf", "oneOf"):
        # Something else under this name is a property's schema, or a keyword that nobody knows.
        for child in children if isinstance(children := node.get(word), list) else ():
            _circle(resolver, child, where, depth + 1, seen)
    for word in ("not", "if", "then", "else"):
        _circle(resolver, node.get(word), where, depth + 1, seen)
    seen[id(node)] = True
