"""Structured output: native where the model takes it, a forced tool where it does not."""

import json
from typing import Any

import pytest
from harness.asking import CHAT, directive
from harness.proxy import OwnProxy, RunningProxy
from harness.upstream import expected, seen, user

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
BOB = {"name": "Bob", "age": 3}
WEATHER: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture(scope="module")
def stubborn(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy whose models refuse native schemas."""
    running = own_proxy()
    assert running.api is not None
    running.api.api.refuse = frozenset({"output_config.format"})
    return running


def ask(proxy: RunningProxy, text: str, **fields: Any) -> Any:
    messages = [{"role": "user", "content": text}]
    body = {"model": "sonnet", "response_format": FORMAT, "messages": messages, **fields}
    answer = proxy.http.post(CHAT, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]


def test_native(proxy: RunningProxy, marker: str) -> None:
    prompt = f"{marker}\n{directive(text=json.dumps(BOB))}"
    choice = ask(proxy, prompt)
    assert json.loads(choice["message"]["content"]) == BOB
    (body,) = proxy.bodies(marker)
    output = {"effort": "medium", "format": {"type": "json_schema", "schema": PERSON}}
    assert seen(body) == expected(user(prompt), output_config=output)


def test_the_schema_does_not_stay_for_the_next_request(proxy: RunningProxy, marker: str) -> None:
    ask(proxy, f"first {marker}")
    for _ in range(3):
        proxy.client.chat.completions.create(model="sonnet", messages=[{"role": "user", "content": f"next {marker}"}])
    for body in proxy.bodies(f"next {marker}"):
        assert seen(body) == expected(user(f"next {marker}"))


def test_json_object(proxy: RunningProxy, marker: str) -> None:
    ask(proxy, marker, response_format={"type": "json_object"})
    (body,) = proxy.bodies(marker)
    assert "one JSON object" in seen(body)["system"]


@pytest.mark.parametrize("stream", [False, True])
def test_by_a_forced_tool(stubborn: RunningProxy, marker: str, stream: bool) -> None:
    """The scripted model calls the tool with a minimal instance of the schema; no tool shows."""
    if stream:
        made = stubborn.client.chat.completions.create(
            model="sonnet", stream=True, response_format=FORMAT, messages=[{"role": "user", "content": marker}]
        )
        deltas = [chunk.choices[0].delta for chunk in made]
        assert not any(delta.tool_calls for delta in deltas)
        text = "".join(delta.content or "" for delta in deltas)
    else:
        choice = ask(stubborn, marker)
        assert choice["finish_reason"] == "stop"
        assert "tool_calls" not in choice["message"]
        text = choice["message"]["content"]
    assert set(json.loads(text)) == {"name", "age"}


def test_no_half_attempt_leaks(stubborn: RunningProxy, marker: str) -> None:
    """A first attempt that breaks the schema, then one that fits: only the second is seen, both are counted."""
    wrong = {"call": [{"name": "structured_answer", "input": {"name": "WRONG"}}], "text": "Here:"}
    right = {"call": [{"name": "structured_answer", "input": BOB}], "then": {"text": "done"}}
    prompt = f"{marker}\n{directive(**wrong, then=right)}"
    made = stubborn.client.chat.completions.create(
        model="sonnet",
        stream=True,
        stream_options={"include_usage": True},
        response_format=FORMAT,
        messages=[{"role": "user", "content": prompt}],
    )
    chunks = list(made)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert json.loads(text) == BOB
    assert "WRONG" not in str(chunks)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 9


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


CAT = fields(kind={"const": "cat"}, name={"type": "string"})
LATER: dict[str, tuple[dict[str, Any], Any]] = {
    "as zod writes it": (
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **fields(a={"type": "string"})},
        "x",
    ),
    "a tuple of pydantic's": (
        fields(a={"type": "array", "prefixItems": [{"type": "string"}], "minItems": 1, "maxItems": 1}),
        ["x"],
    ),
    "a union of pydantic's": (
        fields(a={"discriminator": {"propertyName": "kind"}, "oneOf": [CAT]}),
        {"kind": "cat", "name": "Tom"},
    ),
    "words of one's own": (fields(a={"type": "string", "x-order": 1, "example": "x"}), "x"),
    "draft 2020-12": ({**fields(a={"type": "string"}), "unevaluatedProperties": False}, "x"),
}


@pytest.mark.parametrize("name", LATER)
def test_schemas_of_many_writers(stubborn: RunningProxy, marker: str, name: str) -> None:
    """Each reaches the model as a tool's schema, unchanged."""
    schema, value = LATER[name]
    reply = {"call": [{"name": "structured_answer", "input": {"a": value}}], "then": {"text": "done"}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    choice = ask(stubborn, f"{marker}\n{directive(**reply)}", response_format=wanted)
    assert json.loads(choice["message"]["content"]) == {"a": value}


ROOTS: list[tuple[Any, Any]] = [
    ({"type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "integer"}}}, [1, 2]),
    ({"enum": ["µg", "m²"]}, "m²"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
]


@pytest.mark.parametrize(("schema", "value"), ROOTS, ids=str)
def test_a_root_that_no_tool_can_have(stubborn: RunningProxy, marker: str, schema: Any, value: Any) -> None:
    """It is wrapped for the tool, and the answer is unwrapped."""
    reply = {"call": [{"name": "structured_answer", "input": {"value": value}}]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    choice = ask(stubborn, f"{marker}\n{directive(**reply)}", response_format=wanted)
    assert json.loads(choice["message"]["content"]) == value


def test_tools_and_a_schema_together(stubborn: RunningProxy, proxy: RunningProxy, marker: str) -> None:
    for served in (stubborn, proxy):
        reply = {"call": [{"name": "get_weather", "input": {}}], "then": {"text": json.dumps(BOB)}}
        prompt: Any = {"role": "user", "content": f"{marker}\n{directive(**reply)}"}
        choice = ask(served, "", tools=[WEATHER], messages=[prompt])
        assert choice["finish_reason"] == "tool_calls"
        (call,) = choice["message"]["tool_calls"]
        assert call["function"]["name"] == "get_weather"
        if served is stubborn:
            reply = {"call": [{"name": "structured_answer", "input": BOB}], "then": {"text": "done"}}
        answer = {"role": "tool", "tool_call_id": call["id"], "content": "sun"}
        extra = {"role": "user", "content": directive(**reply)} if served is stubborn else None
        messages = [prompt, choice["message"], answer, *([extra] if extra else [])]
        final = ask(served, "", tools=[WEATHER], messages=messages)
        assert json.loads(final["message"]["content"]) == BOB


BAD: dict[str, Any] = {
    "no schema": {"type": "json_schema", "json_schema": {"name": "x"}},
    "no json_schema": {"type": "json_schema"},
    "unknown type": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "nonsense"}}},
    "reference nowhere": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/$defs/nothing"}}},
    "reference loop": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}},
    },
    "unknown format": {"type": "grammar"},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_schema_is_refused(proxy: RunningProxy, name: str) -> None:
    body = {"model": "sonnet", "messages": [{"role": "user", "content": "x"}], "response_format": BAD[name]}
    answer = proxy.http.post(CHAT, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith("response_format")
