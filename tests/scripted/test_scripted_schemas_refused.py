"""The schemas that the service does not compile, in its own words; those that it takes; and those that never end."""

from typing import Any

import pytest

from claude_max.proxy.scripted import refusal
from claude_max.proxy.scripted.rules_schema import complaints

STRICT = frozenset({"schemas"})


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


TAKEN: list[dict[str, Any]] = [
    an_object(),
    an_object(n={"type": "integer", "description": "d", "default": 1}, s={"type": "string", "format": "uuid"}),
    an_object(a={"type": "array", "items": {"type": ["string", "null"]}, "minItems": 1}, c={"const": 1}),
    an_object(e={"enum": ["a", 1, None, True]}, o={"anyOf": [{"type": "string", "pattern": "^a+$"}, an_object()]}),
    {**an_object(n={"$ref": "#/$defs/N"}), "$defs": {"N": an_object(m={"$ref": "#/$defs/M"}), "M": {"type": "null"}}},
]
REFUSED: list[tuple[Any, str]] = [
    (an_object(n={"type": "integer", "minimum": 0}), "For 'integer' type, property 'minimum' is not supported"),
    (an_object(n={"type": "number", "multipleOf": 2}), "For 'number' type, property 'multipleOf' is not supported"),
    (an_object(s={"type": "string", "maxLength": 2}), "For 'string' type, property 'maxLength' is not supported"),
    (an_object(s={"type": "array", "maxItems": 2}), "For 'array' type, property 'maxItems' is not supported"),
    (
        an_object(s={"type": "array", "minItems": 2}),
        "For 'array' type, 'minItems' values other than 0 or 1 are not supported",
    ),
    ({"type": "object"}, "For 'object' type, 'additionalProperties' must be explicitly set to false"),
    (
        an_object(o={"type": "object", "additionalProperties": True}),
        "For 'object' type, 'additionalProperties' must be explicitly set to false",
    ),
    (an_object(s={"oneOf": [{"type": "string"}]}), "Schema type 'oneOf' is not supported"),
    (an_object(s={"type": "text"}), "Schema type 'text' is not supported"),
    (an_object(s={"type": "string", "format": "regex"}), "For 'string' type, format 'regex' is not supported"),
    (an_object(s={"type": "string", "pattern": "(?=a)"}), "For 'string' type, pattern '(?=a)' is not supported"),
    (an_object(s={"enum": [{}]}), "Complex types within 'enum' are not supported"),
    (an_object(s={"allOf": [{"$ref": "#"}]}), "'allOf' with '$ref' is not supported"),
    (an_object(s={"$ref": "https://example.com/s"}), "External $ref 'https://example.com/s' is not supported"),
    (an_object(s={"$ref": "#/$defs/S"}), "$ref '#/$defs/S' not found"),
    (an_object(s={"$ref": "#"}), "Recursive schemas are not supported: #"),
    (
        {**an_object(), "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}},
        "Recursive schemas are not supported: #/$defs/A",
    ),
    ("text", "Schema must be an object"),
    (an_object(s=True), "Schema must be an object"),
]


@pytest.mark.parametrize("schema", TAKEN)
def test_a_schema_that_is_taken(schema: dict[str, Any]) -> None:
    assert list(complaints("p", schema)) == []


@pytest.mark.parametrize(("schema", "message"), REFUSED)
def test_a_schema_that_is_refused(schema: Any, message: str) -> None:
    assert f"output_config.format.schema: {message}" in list(complaints("output_config.format.schema", schema))


def request(**more: Any) -> dict[str, Any]:
    return {"model": "haiku", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}], **more}


def test_where_schemas_are_looked_at() -> None:
    bad = an_object(n={"type": "integer", "minimum": 0})
    output = refusal(request(output_config={"format": {"type": "json_schema", "schema": bad}}), STRICT)
    assert output is not None
    assert output.message == "output_config.format.schema: For 'integer' type, property 'minimum' is not supported"
    tool = {"name": "f", "input_schema": bad}
    assert refusal(request(tools=[tool]), STRICT) is None
    strict = refusal(request(tools=[tool | {"strict": True}]), STRICT)
    assert strict is not None
    assert strict.message == "tools.0.custom: For 'integer' type, property 'minimum' is not supported"


def test_a_schema_of_any_size_is_looked_at_once() -> None:
    definitions = {
        f"D{n}": an_object(a={"$ref": f"#/$defs/D{n + 1}"}, b={"$ref": f"#/$defs/D{n + 1}"}) for n in range(60)
    }
    schema = {**an_object(a={"$ref": "#/$defs/D0"}), "$defs": {**definitions, "D60": {"type": "null"}}}
    assert list(complaints("p", schema)) == []
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(5000):
        deep = {"type": "array", "items": deep}
    assert list(complaints("p", deep)) == []
