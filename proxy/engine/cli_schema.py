"""A client's JSON Schema in the dialect that the CLI's own schema mode takes. Pure.

That mode (measured on 2.1.330) compiles draft 7 strictly: one keyword that it does not know and it leaves the schema
away without a word. So keywords of later drafts are said in draft 7, and what has no place there is left out; whoever
reads the answer holds it against the whole schema.
"""

from typing import Any

from ..events import JsonObject

PLAIN = frozenset(
    {
        *("$ref", "$id", "$comment", "title", "description", "default", "examples", "readOnly", "writeOnly"),
        *("deprecated", "type", "enum", "const", "nullable", "format", "pattern", "minLength", "maxLength"),
        *("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "contentEncoding"),
        *("contentMediaType", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required"),
    }
)
ONE = frozenset(
    {
        *("items", "additionalItems", "additionalProperties", "contains", "propertyNames"),
        *("not", "if", "then", "else"),
    }
)
LISTS = frozenset(("allOf", "anyOf", "oneOf"))
MAPS = frozenset(("properties", "patternProperties", "$defs", "definitions", "dependencies"))


def for_cli(schema: JsonObject) -> JsonObject:
    """`schema` without what the mode does not know."""
    made: JsonObject = {}
    for word, value in _older(schema).items():
        if word in PLAIN:
            made[word] = value
        elif word in ONE or word in LISTS:
            made[word] = [_part(each) for each in value] if isinstance(value, list) else _part(value)
        elif word in MAPS:
            made[word] = {name: _part(each) for name, each in value.items()}
    return made


def _part(schema: Any) -> Any:
    """A schema, or what may stand in the place of one: a boolean, the names of `dependencies`."""
    return for_cli(schema) if isinstance(schema, dict) else schema


def _older(schema: JsonObject) -> JsonObject:
    """The keywords of later drafts that draft 7 has by another name."""
    found = dict(schema)
    if "prefixItems" in found:
        rest = found.pop("items", None)
        found["items"] = found.pop("prefixItems")
        if rest is not None:
            found["additionalItems"] = rest
    depends = {**found.pop("dependentRequired", {}), **found.pop("dependentSchemas", {})}
    if depends:
        found["dependencies"] = {**depends, **found.get("dependencies", {})}
    if "then" not in found and "else" not in found:
        found.pop("if", None)
    return found
