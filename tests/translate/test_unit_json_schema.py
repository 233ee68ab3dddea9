"""Schemas are checked before anything depends on them."""

from typing import Any

import pytest

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.translate.json_schema import DEPTH, check_schema


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
    {"properties": {"$ref": {"type": "string"}}},
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
    ({"properties": {"a": {"$ref": "#/$defs/a"}}}, "leads nowhere"),
    ({"items": {"$ref": "https://example.org/schema"}}, "leads nowhere"),
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


@pytest.mark.parametrize("word", ["allOf", "anyOf", "oneOf"])
def test_a_circle_that_takes_no_step_into_the_value(word: str) -> None:
    with pytest.raises(BadRequest, match="leads back to itself"):
        check_schema({"$defs": {"a": {word: [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "x")
