"""Function calling through the real CLI: every call of a message, really called, its results matched by id."""

import json
from typing import Any

import pytest
from harness.asking import CHAT, PIXEL, directive
from harness.openai_schema import check_chunk, check_completion
from harness.proxy import RunningProxy
from harness.upstream import assistant, expected, seen, user

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
UPSTREAM_WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city",
    "input_schema": WEATHER["function"]["parameters"],
}


def named(name: str) -> Any:
    """The weather tool by another name."""
    return {"type": "function", "function": {**WEATHER["function"], "name": name}}


def calling(marker: str, *calls: tuple[str, dict[str, Any]], **more: Any) -> str:
    """A prompt that makes the scripted model call."""
    reply = {"call": [{"name": name, "input": arguments} for name, arguments in calls], **more}
    return f"{marker}\n{directive(**reply)}"


def result(call: Any, content: Any) -> dict[str, Any]:
    """The tool message for a call."""
    return {"role": "tool", "tool_call_id": call["id"], "content": content}


def create(proxy: RunningProxy, **fields: Any) -> Any:
    """A completion as a plain dictionary, checked against OpenAI's schema."""
    answer = proxy.client.chat.completions.create(**{"model": "sonnet", "tools": [WEATHER], **fields})
    body = answer.model_dump(mode="json", exclude_unset=True)
    check_completion(body)
    return body


def test_parallel_calls_and_their_results_in_any_order(proxy: RunningProxy, marker: str) -> None:
    prompt = calling(
        marker, ("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"}), text="Let me look.",
        then={"text": "Both are sunny."},
    )  # fmt: skip
    messages: list[Any] = [{"role": "user", "content": prompt}]
    first = create(proxy, messages=messages)
    (choice,) = first["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "Let me look."
    calls = choice["message"]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert [call["function"]["name"] for call in calls] == ["get_weather", "get_weather"]
    assert first["usage"]["completion_tokens"] > 0

    messages += [choice["message"], result(calls[1], "rain"), result(calls[0], "sun")]
    second = create(proxy, messages=messages)
    assert second["choices"][0]["message"]["content"] == "Both are sunny."
    asked, resumed = proxy.bodies(marker)
    assert seen(asked) == expected(user(prompt), tools=[UPSTREAM_WEATHER])
    found = seen(resumed)
    inputs = [json.loads(call["function"]["arguments"]) for call in calls]
    used = [
        {"type": "tool_use", "id": call["id"], "name": "get_weather", "input": given}
        for call, given in zip(calls, inputs, strict=True)
    ]
    assert found["messages"][:2] == [user(prompt), assistant("Let me look.", *used)]
    results = {b["tool_use_id"]: b["content"] for b in found["messages"][2]["content"]}
    assert results == {
        calls[0]["id"]: [{"type": "text", "text": "sun"}],
        calls[1]["id"]: [{"type": "text", "text": "rain"}],
    }
    assert {**found, "messages": []} == {**expected(tools=[UPSTREAM_WEATHER])}


def test_calls_are_streamed_in_fragments(proxy: RunningProxy, marker: str) -> None:
    prompt = calling(marker, ("get_weather", {"city": "Paris"}), ("get_weather", {}))
    stream = proxy.client.chat.completions.create(
        model="sonnet", tools=[WEATHER], messages=[{"role": "user", "content": prompt}], stream=True
    )
    chunks = [chunk.model_dump(mode="json", exclude_unset=True) for chunk in stream]
    for chunk in chunks:
        check_chunk(chunk)
    fragments = [f for chunk in chunks for c in chunk["choices"] for f in c["delta"].get("tool_calls") or ()]
    heads = [f for f in fragments if "id" in f]
    assert [(f["index"], f["type"], f["function"]["name"]) for f in heads] == [
        (0, "function", "get_weather"),
        (1, "function", "get_weather"),
    ]
    assert all(len(f["id"]) >= 9 for f in heads)
    for index, wanted in ((0, {"city": "Paris"}), (1, {})):
        pieces = [f["function"]["arguments"] for f in fragments if f["index"] == index]
        assert json.loads("".join(pieces)) == wanted
        assert len(pieces) > 2 or index == 1
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_rounds_of_calls(proxy: RunningProxy, marker: str) -> None:
    """Nothing of one is in the next, and where they go line by line one process serves all of them."""
    rounds, before = 10, {claude.pid for claude in proxy.claudes()}
    reply: dict[str, Any] = {"text": "done"}
    for number in reversed(range(rounds)):
        reply = {"call": [{"name": "get_weather", "input": {"city": f"city{number}"}}], "then": reply}
    prompt = f"{marker}\n{directive(**reply)}"
    messages: list[Any] = [{"role": "user", "content": prompt}]
    for number in range(rounds):
        message = create(proxy, messages=messages)["choices"][0]["message"]
        (call,) = message["tool_calls"]
        assert json.loads(call["function"]["arguments"]) == {"city": f"city{number}"}
        messages += [message, result(call, f"weather {number}")]
    assert create(proxy, messages=messages)["choices"][0]["message"]["content"] == "done"
    bodies = proxy.bodies(marker)
    assert len(bodies) == rounds + 1
    assert [m["role"] for m in seen(bodies[-1])["messages"]] == ["user", *["assistant", "user"] * rounds]
    started = {claude.pid for claude in proxy.claudes()} - before
    assert len(started) <= 1, "a round of calls took a process of its own"


def test_history_with_calls_is_replayed_where_no_worker_holds_it(proxy: RunningProxy, marker: str) -> None:
    """Foreign ids, as another server or an older worker gave them."""
    messages: list[Any] = [
        {"role": "user", "content": f"{marker} weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_abc",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
                },
                {"id": "functions.x:1", "type": "function", "function": {"name": "get_weather", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "functions.x:1", "content": "fog"},
        {"role": "tool", "tool_call_id": "call_abc", "content": [{"type": "text", "text": "snow"}]},
        {"role": "user", "content": f"and then?\n{directive(text='cold')}"},
    ]
    assert create(proxy, messages=messages)["choices"][0]["message"]["content"] == "cold"
    (body,) = proxy.bodies(marker)
    found = seen(body)["messages"]
    assert [m["role"] for m in found] == ["user", "assistant", "user"]
    one, two = found[1]["content"]
    assert one == {"type": "tool_use", "id": "call_abc", "name": "get_weather", "input": {"city": "Oslo"}}
    assert two["input"] == {}
    assert [(b["type"], b.get("tool_use_id")) for b in found[2]["content"]] == [
        ("tool_result", two["id"]),
        ("tool_result", "call_abc"),
        ("text", None),
    ]


def test_a_user_message_after_the_results(proxy: RunningProxy, marker: str) -> None:
    prompt = calling(marker, ("get_weather", {"city": "Paris"}))
    messages: list[Any] = [{"role": "user", "content": prompt}]
    message = create(proxy, messages=messages)["choices"][0]["message"]
    messages += [
        message,
        result(message["tool_calls"][0], "sun"),
        {"role": "user", "content": f"In French.\n{directive(text='soleil')}"},
    ]
    assert create(proxy, messages=messages)["choices"][0]["message"]["content"] == "soleil"
    last = seen(proxy.bodies(marker)[-1])["messages"]
    assert [m["role"] for m in last] == ["user", "assistant", "user"]
    assert [b["type"] for b in last[2]["content"]] == ["tool_result", "text"]


def test_an_abandoned_call_leaves_no_trace(proxy: RunningProxy, marker: str) -> None:
    create(proxy, messages=[{"role": "user", "content": calling(marker, ("get_weather", {"city": "Paris"}))}])
    for _ in range(4):
        create(proxy, messages=[{"role": "user", "content": f"other {marker}"}])
    others = [seen(body) for body in proxy.bodies(marker)[1:]]
    assert others == [expected(user(f"other {marker}"), tools=[UPSTREAM_WEATHER])] * 4


UNFIT: dict[str, tuple[Any, ...]] = {
    "a tool nobody gave": ({"name": "nope", "input": {}},),
    "a tool of the CLI's own": ({"name": "Bash", "input": {"command": "true"}},),
    "arguments that are no JSON": ({"name": "get_weather", "input": '{"city":'},),
    "arguments that are no object": ({"name": "get_weather", "input": "[1]"},),
    "one that fits, one that does not": (
        {"name": "get_weather", "input": {"city": "Rome"}},
        {"name": "nope", "input": {}},
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_calls_that_the_cli_would_answer_by_itself(proxy: RunningProxy, marker: str, name: str) -> None:
    """The client gets them as the model made them; the model is not asked on and on behind its back."""
    reply: dict[str, Any] = {"text": "at last"}
    for _ in range(20):
        reply = {"call": list(UNFIT[name]), "then": reply}
    prompt = {"role": "user", "content": f"{marker}\n{directive(**reply)}"}
    message = create(proxy, messages=[prompt])["choices"][0]["message"]
    assert [call["function"]["name"] for call in message["tool_calls"]] == [call["name"] for call in UNFIT[name]]
    proxy.client.chat.completions.create(model="sonnet", messages=[{"role": "user", "content": "somebody else's"}])
    # The CLI may have begun to ask once more before it was stopped; this model answers in no time, so perhaps twice.
    assert len(proxy.bodies(marker)) <= 5
    results = [result(call, "no such thing") for call in message["tool_calls"]]
    answer = create(proxy, messages=[prompt, message, *results])["choices"][0]
    assert answer["finish_reason"] == "tool_calls"
    first = next(body for body in proxy.bodies(marker) if "no such thing" in str(body))
    assert [said["role"] for said in seen(first)["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("name", ["Bash", "Read", "Task", "WebSearch", "mcp__a__x", "a-b_C9"])
def test_a_tool_may_have_any_name(proxy: RunningProxy, marker: str, name: str) -> None:
    messages: list[Any] = [{"role": "user", "content": calling(marker, (name, {"city": "X"}), then={"text": "ok"})}]
    message = create(proxy, messages=messages, tools=[named(name)])["choices"][0]["message"]
    assert [call["function"]["name"] for call in message["tool_calls"]] == [name]
    messages += [message, result(message["tool_calls"][0], "fine")]
    assert create(proxy, messages=messages, tools=[named(name)])["choices"][0]["message"]["content"] == "ok"
    asked, resumed = proxy.bodies(marker)
    assert seen(asked) == expected(messages_text(messages[0]), tools=[{**UPSTREAM_WEATHER, "name": name}])
    assert [m["role"] for m in seen(resumed)["messages"]] == ["user", "assistant", "user"]


def messages_text(message: Any) -> dict[str, Any]:
    return user(message["content"])


def test_tool_results_with_images(proxy: RunningProxy, marker: str) -> None:
    messages: list[Any] = [
        {"role": "user", "content": calling(marker, ("get_weather", {"city": "X"}), then={"text": "seen"})}
    ]
    message = create(proxy, messages=messages)["choices"][0]["message"]
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    messages += [message, result(message["tool_calls"][0], [{"type": "text", "text": "look"}, image])]
    answer = proxy.http.post(CHAT, json={"model": "sonnet", "tools": [WEATHER], "messages": messages})
    assert answer.json()["choices"][0]["message"]["content"] == "seen"
    blocks = seen(proxy.bodies(marker)[-1])["messages"][2]["content"][0]["content"]
    assert [block["type"] for block in blocks] == ["text", "image"]
    assert blocks[1]["source"] == {"type": "base64", "media_type": "image/png", "data": PIXEL}


CHOICES: list[tuple[Any, dict[str, Any], Any]] = [
    ("none", {}, {"type": "none"}),
    ("auto", {}, None),
    ("auto", {"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
    ("required", {}, {"type": "any"}),
    ({"type": "function", "function": {"name": "get_weather"}}, {}, {"type": "tool", "name": "get_weather"}),
]


@pytest.mark.parametrize(("choice", "fields", "upstream"), CHOICES)
def test_tool_choice(proxy: RunningProxy, marker: str, choice: Any, fields: dict[str, Any], upstream: Any) -> None:
    message = create(proxy, messages=[{"role": "user", "content": marker}], tool_choice=choice, **fields)["choices"][0]
    (body,) = proxy.bodies(marker)
    assert body.get("tool_choice") == upstream
    forced = upstream is not None and upstream["type"] in ("any", "tool")
    assert (message["finish_reason"] == "tool_calls") is forced
    assert (body["thinking"]["type"] == "disabled") is forced


def test_legacy_functions(proxy: RunningProxy, marker: str) -> None:
    prompt = calling(marker, ("get_weather", {"city": "Paris"}), then={"text": "sunny"})
    messages: list[Any] = [{"role": "user", "content": prompt}]
    body = {"model": "sonnet", "functions": [WEATHER["function"]], "messages": messages}
    first = proxy.http.post(CHAT, json=body).json()["choices"][0]
    assert first["finish_reason"] == "function_call"
    assert json.loads(first["message"]["function_call"]["arguments"]) == {"city": "Paris"}
    messages += [first["message"], {"role": "function", "name": "get_weather", "content": "sun"}]
    second = proxy.http.post(CHAT, json=body).json()["choices"][0]
    assert (second["finish_reason"], second["message"]["content"]) == ("stop", "sunny")


CALL = {"id": "call_123456789", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
ASK = {"role": "user", "content": "hi"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": CALL["id"], "content": "x"}


def schemed(schema: Any, **more: Any) -> dict[str, Any]:
    """A request whose tool takes one argument of this schema."""
    parameters = {"type": "object", "properties": {"x": schema}, **more}
    return {"tools": [{"type": "function", "function": {"name": "a", "parameters": parameters}}]}


# What agents send whose history was cut, mixed up or written by others.
MENDED: dict[str, dict[str, Any]] = {
    "result of no call": {"messages": [ASK, RESULT]},
    "result twice": {"messages": [ASK, CALLED, RESULT, RESULT]},
    "result without id": {"messages": [ASK, CALLED, {"role": "tool", "content": "x"}]},
    "call without result": {"messages": [ASK, CALLED, ASK]},
    "duplicate call ids": {"messages": [ASK, {**CALLED, "tool_calls": [CALL, CALL]}, RESULT]},
    "forbidden name": {"tools": [named("no spaces")]},
    "200 tools": {"tools": [named(f"tool{n}") for n in range(200)]},
}


@pytest.mark.parametrize("name", MENDED)
def test_odd_tool_requests_are_put_right(proxy: RunningProxy, name: str) -> None:
    """The service refuses what is orphaned, unanswered or told twice; see translate/shapes.py for each."""
    body = {"model": "sonnet", "tools": [WEATHER], "messages": [ASK], **MENDED[name]}
    answer = proxy.http.post(CHAT, json=body)
    assert answer.status_code == 200, answer.text
    assert name == "200 tools" or "x-claude-max-repaired" in answer.headers


BAD: dict[str, dict[str, Any]] = {
    "unknown choice": {"tool_choice": {"type": "function", "function": {"name": "nothing"}}},
    "required without tools": {"tools": [], "tool_choice": "required"},
    "same name twice": {"tools": [WEATHER, WEATHER]},
    "unknown tool type": {"tools": [{"type": "web_search"}]},
    "unknown schema type": schemed({"type": "nonsense"}),
    "reference to itself": schemed({"$ref": "#/$defs/y"}, **{"$defs": {"y": {"$ref": "#/$defs/y"}}}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tool_requests_are_refused(proxy: RunningProxy, name: str) -> None:
    body = {"model": "sonnet", "tools": [WEATHER], "messages": [ASK], **BAD[name]}
    answer = proxy.http.post(CHAT, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"]
