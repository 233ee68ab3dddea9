"""Schemas are checked before anything depends on them."""

from typing import Any

import pytest
from attrs import evolve
from referencing.jsonschema import DRAFT202012

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.translate.common import json_schema
from claude_max.proxy.translate.common.json_schema import DEPTH, check_schema


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


TREE = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#/$defs/tree"}}}
GOOD: list[dict[str, Any]] = [
    {},
    {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
    {**TREE, "$defs": {"tree": {"properties": {"left": {"$ref": "#/$defs/tree"}}}}},
    {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "string"}}},
    {"$ref": "#/$defs/a~1b~0c", "$defs": {"a/b~c": {"type": "string"}}},
    {"enum": [{"$ref": "#/nowhere"}], "default": {"$ref": 5}, "const": {"type": "nonsense"}},
    {"properties": {"$ref": {"type": "string"}, "enum": {"type": "string"}}},
    {"properties": {"a": {"$id": "in", "$defs": {"b": {}}, "items": {"$ref": "#/$defs/b"}}}},
    {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"a": {}},
        "items": {"$ref": "#/definitions/a"},
    },
    {"$schema": "urn:x", "properties": {"a": {"$schema": "urn:y", "$ref": "#/$defs/b"}}, "$defs": {"b": True}},
    {"pattern": r"^\p{L}+$", "properties": {"a": {"pattern": "(?i)x"}}},
    nested(DEPTH - 1),
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "nonsense"}, r"x\.type"),
    ({"properties": {"a": {"type": 5}}}, r"x\.properties\.a\.type"),
    ({"anyOf": [{}, {"minLength": "a"}]}, r"x\.anyOf\[1\]\.minLength"),
    ({"required": "a"}, r"x\.required"),
    ({"$ref": "#"}, "leads back to itself"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "leads back to itself"),
    ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "leads back to itself"),
    ({"properties": {"a": {"$ref": "#/$defs/a"}}}, "cannot be resolved"),
    ({"items": {"$ref": "https://example.org/schema"}}, "cannot be resolved"),
    ({"properties": {"enum": {"$ref": "#/$defs/a"}}}, "cannot be resolved"),
    ({"$ref": "#/required", "required": ["a"]}, "not a schema"),
    ({"$ref": "#/x/y", "x": {"y": {"allOf": 5, "$ref": 7, "$id": 9}}}, "not a schema"),
    (nested(DEPTH), "nested too deeply"),
    (nested(3000), "nested too deeply"),
]


@pytest.mark.parametrize("schema", GOOD)
def test_good(schema: dict[str, Any]) -> None:
    check_schema(schema, "x")


@pytest.mark.parametrize(("schema", "words"), BAD, ids=[words for _, words in BAD])
def test_bad(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words) as caught:
        check_schema(schema, "x")
    assert caught.value.param == "x"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"anyOf": [{"type": "string"}, {}]}, "b": {"$ref": "#/properties/a/anyOf/0"}}},
        {"properties": {"a b": {}, "c": {"$ref": "#/properties/a%20b"}}},
        {"$defs": {"a": {"$anchor": "here", "type": "string"}}, "items": {"$ref": "#here"}},
    ],
)
def test_references_that_lead_somewhere(schema: dict[str, Any]) -> None:
    check_schema(schema, "x")


@pytest.mark.parametrize("name", ["$anchor", "$id", "pointer", "one"])
def test_thousands_of_references_take_linear_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is come to a few times, whoever refers to it: counted, not timed."""
    size = 300
    parts = {f"d{i}": {} if name in ("pointer", "one") else {name: f"a{i}"} for i in range(size)}
    refers = {"$anchor": "#a{}", "$id": "a{}", "pointer": "#/$defs/d{}", "one": "#/$defs/d0"}[name]
    counted = 0
    subresources = DRAFT202012.subresources_of

    def counting(contents: Any) -> Any:
        nonlocal counted
        counted += 1
        return subresources(contents)

    monkeypatch.setattr(json_schema, "DRAFT202012", evolve(DRAFT202012, subresources_of=counting))  # type: ignore[misc]
    check_schema({"$defs": parts, "properties": {f"k{i}": {"$ref": refers.format(i)} for i in range(size)}}, "x")
    assert size < counted < 10 * size


@pytest.mark.parametrize("word", ["allOf", "anyOf", "oneOf"])
def test_a_circle_that_takes_no_step_into_the_value(word: str) -> None:
    with pytest.raises(BadRequest, match="leads back to itself"):
        check_schema({"$defs": {"a": {word: [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "x")
