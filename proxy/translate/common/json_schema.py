"""Checks a client's JSON Schema before anything depends on it. Pure."""

from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from ...errors import BadRequest
from ...events import JsonObject

Resolver = Any
DEPTH = 64
# Validates with the draft that the service uses, whatever `$schema` says. Compiled, because in pure Python a list of 20
# tools would take longer than the CLI itself. Patterns are left to the service, since regular expression dialects
# differ.
SCHEMA_OF_SCHEMAS = Draft202012Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})
COMBINING = ("allOf", "anyOf", "oneOf")
CONDITIONAL = ("not", "if", "then", "else")


def check_schema(schema: JsonObject, where: str, of: str = "") -> None:
    """Raises BadRequest for an invalid schema: unknown types, references that cannot be resolved or form a cycle.

    In linear time. References are looked up in the schema itself; nothing is fetched. `of` is what has the schema, in
    words for the error.
    """
    try:
        _check(schema, where)
    except BadRequest as error:
        raise BadRequest(f"{error.sentence} (of {of})" if of else error.sentence, param=error.param) from None


def _check(schema: JsonObject, where: str) -> None:
    refers = _refers(schema, where, 0)
    try:
        SCHEMA_OF_SCHEMAS.validate(schema)
    except ValidationError as error:
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.instance_path)
        raise BadRequest(f"{where}{path}: {error.message}", param=where) from None
    if refers:
        # Collects all ids and anchors at once: an uncrawled registry crawls again for each lookup.
        registry = Registry().with_resource("", DRAFT202012.create_resource(schema)).crawl()
        _References(where).follow(registry.resolver(), schema)


def _refers(node: Any, where: str, depth: int) -> bool:
    """Whether there may be references in it."""
    if depth > DEPTH:
        raise BadRequest(f"{where} is nested too deeply.", param=where)
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    # Visits all of them to check their depth.
    within = [_refers(child, where, depth + 1) for child in children]
    return any(within) or (isinstance(node, dict) and "$ref" in node)


class _References:
    """Follows those of one schema. `seen` has each part that was come to, by its identity.

    It is False while the part is being followed, True once nothing in it leads back; so each is followed once, however
    often it is referred to.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._seen: dict[int, bool] = {}

    def follow(self, resolver: Resolver, schema: Any) -> None:
        """Walks the whole schema."""
        resolver = _within(resolver, schema)
        self._circle(resolver, schema, 0)
        for child in DRAFT202012.subresources_of(schema):
            self.follow(resolver, child)

    def _circle(self, resolver: Resolver, schema: Any, depth: int) -> None:
        """Follows what applies to the same value: references, and schemas that are combined. A circle never ends."""
        if not isinstance(schema, dict) or self._seen.get(id(schema)):
            return
        if id(schema) in self._seen:
            raise self._wrong(schema, "leads back to itself.")
        if depth > DEPTH:
            raise self._wrong(schema, "leads on too far.")
        self._seen[id(schema)] = False
        if "$ref" in schema:
            try:
                target = resolver.lookup(schema["$ref"])
            except (Unresolvable, ValueError, TypeError, LookupError):
                raise self._wrong(schema, "cannot be resolved.") from None
            if id(target.contents) not in self._seen and not SCHEMA_OF_SCHEMAS.is_valid(target.contents):
                raise self._wrong(schema, "leads to something that is not a schema.")
            self._circle(_within(target.resolver, target.contents), target.contents, depth + 1)
        combined = [child for word in COMBINING for child in schema.get(word, ())]
        for child in (*combined, *(schema.get(word) for word in CONDITIONAL)):
            self._circle(_within(resolver, child), child, depth + 1)
        self._seen[id(schema)] = True

    def _wrong(self, schema: JsonObject, how: str) -> BadRequest:
        return BadRequest(f"{self._where}: the reference {schema.get('$ref', '#')} {how}", param=self._where)


def _within(resolver: Resolver, schema: Any) -> Resolver:
    """References in a part with its own id are relative to that id."""
    if isinstance(schema, dict) and "$id" in schema:
        return resolver.in_subresource(DRAFT202012.create_resource(schema))
    return resolver
