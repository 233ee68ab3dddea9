"""Minimal instances, checked with the jsonschema library."""

from typing import Any

import jsonschema_rs
import pytest

from claude_max.proxy.scripted.schema import NoInstanceError, minimal_instance

SCHEMAS: list[Any] = [
    True,
    {},
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a", "b"]},
    {"type": "object", "required": ["free"]},
    {"type": "object", "required": ["x"], "additionalProperties": {"type": "number"}},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
    {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "null"}],
        "items": {"type": "integer"},
        "minItems": 3,
    },
    {"enum": ["red", "green"]},
    {"const": {"deep": [1]}},
    {"type": ["string", "null"]},
    {"type": ["integer", "string"], "minimum": 4},
    {"type": "string", "minLength": 20},
    {"type": "string", "maxLength": 3},
    {"type": "string", "format": "date-time"},
    {"type": "integer", "minimum": 7},
    {"type": "integer", "exclusiveMinimum": 7},
    {"type": "integer", "maximum": -3},
    {"type": "integer", "multipleOf": 5, "minimum": 11},
    {"type": "number", "exclusiveMaximum": 0},
    {"type": "number", "minimum": 0.5, "maximum": 0.75},
    {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    {"oneOf": [{"type": "object", "properties": {"k": {"const": "x"}}, "required": ["k"]}, {"type": "string"}]},
    {
        "allOf": [{"$ref": "#/$defs/a"}, {"properties": {"c": {"type": "string"}}, "required": ["c"]}],
        "$defs": {"a": {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}},
    },
    {
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {"left": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}},
                "required": ["left"],
            }
        },
        "$ref": "#/$defs/tree",
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_an_instance_fits_its_schema(schema: Any) -> None:
    jsonschema_rs.Draft202012Validator(schema).validate(minimal_instance(schema))


def test_it_is_minimal() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array"}, "b": {}}, "required": ["a"]}
    assert minimal_instance(schema) == {"a": []}


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "nonsense"},
        {"$ref": "#/$defs/none"},
        {"$ref": "https://elsewhere"},
        {"$ref": "#"},
        None,
        {"anyOf": []},
    ],
    ids=str,
)
def test_what_has_no_instance_says_so(schema: Any) -> None:
    with pytest.raises(NoInstanceError):
        minimal_instance(schema)
