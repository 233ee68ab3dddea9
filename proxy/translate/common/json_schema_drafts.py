"""Upgrades older JSON Schemas to draft 2020-12, which the service requires. Pure.

OpenAI takes schemas of any draft; Anthropic demands draft 2020-12 ("JSON schema is invalid. It must match JSON Schema
draft 2020-12"). Converted are draft 4's boolean `exclusiveMinimum`, draft 7's list
of `items`, OpenAPI 3.0's `nullable` (OpenAPI 3.0.3, "Schema Object"), draft 3's boolean `required`, and keywords that a
generator left at null. Names of properties are never taken for keywords.
"""

from typing import Any, cast

from ...events import JsonObject

# Keywords whose value is a schema, a list of schemas, or schemas by name.
_ONE = (
    "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
    "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
# Keywords in which null is an ordinary value.
_ANY_VALUE = frozenset({"const", "default", "example"})
_BOUNDS = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
DEPTH = 64


def upgraded(schema: JsonObject) -> JsonObject:
    """The schema in draft 2020-12: the same object where nothing was to change."""
    return cast("JsonObject", _schema(schema, 0))


def _schema(schema: Any, depth: int) -> Any:
    """One schema. What is nested too deeply is left to the check."""
    if not isinstance(schema, dict) or depth > DEPTH:
        return schema
    made = {key: _inside(key, value, depth) for key, value in schema.items() if value is not None or key in _ANY_VALUE}
    _items(made)
    for bound, exclusive in _BOUNDS:
        if made.get(exclusive) is True and bound in made:
            made[exclusive] = made.pop(bound)
        elif isinstance(made.get(exclusive), bool):
            del made[exclusive]
    if isinstance(made.get("required"), bool):
        del made["required"]
    if isinstance(made.get("nullable"), bool):
        _nullable(made, is_nullable=made.pop("nullable"))
    is_same = made.keys() == schema.keys() and all(made[key] is schema[key] for key in schema)
    return schema if is_same else made


def _inside(key: str, value: Any, depth: int) -> Any:
    if key in _LISTS and isinstance(value, list):
        return _same(value, [_schema(each, depth + 1) for each in value])
    if key in _NAMED and isinstance(value, dict):
        made = {name: _schema(each, depth + 1) for name, each in value.items() if each is not None}
        is_same = len(made) == len(value) and all(made[name] is value[name] for name in value)
        return value if is_same else made
    return _schema(value, depth + 1) if key in _ONE else value


def _same(before: list[Any], after: list[Any]) -> list[Any]:
    return before if all(old is new for old, new in zip(before, after, strict=True)) else after


def _items(made: JsonObject) -> None:
    """A list of `items` is `prefixItems` now, and what was `additionalItems` is `items`."""
    if isinstance(made.get("items"), list):
        prefix = made.pop("items")
        if prefix:
            made["prefixItems"] = prefix
        if "additionalItems" in made:
            made["items"] = made.pop("additionalItems")


def _nullable(made: JsonObject, *, is_nullable: bool) -> None:
    kind = made.get("type")
    if is_nullable and isinstance(kind, str) and kind != "null":
        made["type"] = [kind, "null"]
    elif is_nullable and isinstance(kind, list) and "null" not in kind:
        made["type"] = [*kind, "null"]
    elif is_nullable and "$ref" in made:
        made["anyOf"] = [*made.pop("anyOf", ()), {"$ref": made.pop("$ref")}, {"type": "null"}]
    if is_nullable and isinstance(made.get("enum"), list) and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
