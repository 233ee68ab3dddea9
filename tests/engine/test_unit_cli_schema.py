"""Schemas of later drafts, said in draft 7; what has no place there is left out."""

from typing import Any

import pytest

from claude_max.proxy.engine.cli_schema import for_cli

TEXT: dict[str, Any] = {"type": "string"}
SAME: list[dict[str, Any]] = [
    {},
    {"type": "object", "properties": {"items": TEXT, "x-a": {"enum": [{"x-b": 1}]}}, "required": ["x-a"]},
    {"$defs": {"a": TEXT}, "definitions": {"b": TEXT}, "anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/definitions/b"}]},
    {"if": TEXT, "then": {"minLength": 1}, "else": False},
    {"items": [TEXT], "additionalItems": True},
    {"dependencies": {"a": ["b"], "c": TEXT}},
    {"const": {"x-a": 1}, "default": {"$schema": 1}, "examples": [{"$anchor": 1}]},
]
CHANGED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"$schema": "x", "$anchor": "y", "$id": "z", "x-a": 1, "example": 1}, {"$id": "z"}),
    (
        {"properties": {"a": {"discriminator": {}, "oneOf": [{"x-a": 1, **TEXT}]}}},
        {"properties": {"a": {"oneOf": [TEXT]}}},
    ),
    ({"prefixItems": [TEXT]}, {"items": [TEXT]}),
    ({"prefixItems": [TEXT], "items": False}, {"items": [TEXT], "additionalItems": False}),
    ({"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": TEXT}}, {"dependencies": {"a": ["b"], "c": TEXT}}),
    ({"unevaluatedProperties": False, "items": {"minContains": 2, "contains": {}}}, {"items": {"contains": {}}}),
    ({"if": TEXT}, {}),
]


@pytest.mark.parametrize("schema", SAME, ids=str)
def test_draft_7_stays_as_it_is(schema: dict[str, Any]) -> None:
    assert for_cli(schema) == schema


@pytest.mark.parametrize(("schema", "made"), CHANGED, ids=str)
def test_later_drafts(schema: dict[str, Any], made: dict[str, Any]) -> None:
    before = str(schema)
    assert for_cli(schema) == made
    assert str(schema) == before
