"""Shapes that real clients send, through the whole way: what only the service behind can show."""

import gzip
import json
from typing import Any

import pytest
from harness.asking import CHAT, TOOL, ask, directive
from harness.proxy import OwnProxy, RunningProxy
from harness.upstream import assistant, expected, seen, user

from claude_max.proxy.scripted.rules import ALL

AGAIN = "messages: user message added behind the assistant's last"


def streamed(answer: Any) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@pytest.fixture(scope="module")
def strict_service(own_proxy: OwnProxy) -> RunningProxy:
    """A service that refuses to continue an answer with newer models, as the real one does."""
    proxy = own_proxy()
    assert proxy.api is not None
    proxy.api.api.strict = ALL
    return proxy


PREFILL = [
    ("claude-haiku-4-5", None, [1, 2], []),
    # A 400 costs the CLI up to three calls.
    ("sonnet", AGAIN, [4, 5], [user("Continue.")]),
]


@pytest.mark.parametrize(("model", "repaired", "asked", "last"), PREFILL, ids=["continued", "asked to go on"])
def test_an_assistant_message_last(
    strict_service: RunningProxy, marker: str, model: str, repaired: str | None, asked: list[int], last: list[Any]
) -> None:
    """Continued where the model does that. Another refuses it once, and is not asked so again."""
    messages = [{"role": "user", "content": marker}, {"role": "assistant", "content": "Once upon "}]
    for calls in asked:
        answer = strict_service.http.post(CHAT, json={"model": model, "messages": messages})
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("x-claude-max-repaired") == repaired
        bodies = strict_service.bodies(marker)
        assert len(bodies) == calls
        assert seen(bodies[-1])["messages"] == [user(marker), assistant("Once upon"), *last]


@pytest.mark.parametrize("stream", [False, True])
def test_a_blank_stop_is_cut_here(proxy: RunningProxy, marker: str, stream: bool) -> None:
    """And the model is not heard to its end."""
    text = f"{marker}\n{directive(text='first line' + chr(10) + 'second ' * 200, pause=0.05)}"
    answer = ask(proxy, text, stop=["\n", "END"], stream=stream)
    assert answer.status_code == 200, answer.text
    if stream:
        chunks = streamed(answer)
        text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
        reason = chunks[-1]["choices"][0]["finish_reason"]
    else:
        (choice,) = answer.json()["choices"]
        text, reason = choice["message"]["content"], choice["finish_reason"]
    assert (text, reason) == ("first line", "stop")
    (body,) = proxy.bodies(marker)
    assert body["stop_sequences"] == ["END"]


@pytest.mark.parametrize("stream", [False, True])
def test_json_without_its_fence(proxy: RunningProxy, stream: bool) -> None:
    text = directive(text='Here it is:\n```json\n{"a": "}"}\n```\nDone.')
    answer = ask(proxy, text, response_format={"type": "json_object"}, stream=stream)
    found = (
        "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in streamed(answer))
        if stream
        else answer.json()["choices"][0]["message"]["content"]
    )
    assert found == '{"a": "}"}'


def test_a_tool_of_any_name(proxy: RunningProxy, marker: str) -> None:
    """The service gets a name that it takes; the client hears its own."""
    name = "server.files/read all"
    tool = {"type": "function", "function": {**TOOL["function"], "name": name}}
    first = ask(proxy, marker, tools=[tool], tool_choice="required")
    assert "tools[0].function.name" in first.headers["x-claude-max-repaired"]
    (call,) = first.json()["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == name
    messages = [
        {"role": "user", "content": marker},
        first.json()["choices"][0]["message"],
        {"role": "tool", "tool_call_id": call["id"], "content": "found"},
    ]
    second = proxy.http.post(CHAT, json={"model": "sonnet", "messages": messages, "tools": [tool]})
    assert second.status_code == 200, second.text
    body = proxy.bodies(marker)[-1]
    (sent,) = body["tools"]
    assert seen(body)["messages"][1]["content"][-1]["name"] == sent["name"]


def test_a_custom_tool(proxy: RunningProxy, marker: str) -> None:
    tool = {"type": "custom", "custom": {"name": "patch", "description": "Applies a patch."}}
    text = f"{marker}\n{directive(call={'name': 'patch', 'input': {'input': 'a b'}})}"
    answer = ask(proxy, text, tools=[tool])
    (call,) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert (call["type"], call["custom"]) == ("custom", {"name": "patch", "input": "a b"})


def test_several_prompts(proxy: RunningProxy, marker: str) -> None:
    body = {"model": "sonnet", "prompt": [f"{marker} a", f"{marker} b"], "n": 2, "echo": True}
    answer = proxy.http.post("/v1/completions", json=body)
    assert answer.status_code == 200, answer.text
    choices = answer.json()["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2, 3]
    assert [choice["text"][len(marker) + 1] for choice in choices] == ["a", "a", "b", "b"]
    asked = sorted(seen(body)["messages"][0]["content"][0]["text"] for body in proxy.bodies(marker))
    assert asked == [f"{marker} {letter}" for letter in "aabb"]


def test_a_compressed_body(proxy: RunningProxy, marker: str) -> None:
    body = {"model": "sonnet", "messages": [{"role": "user", "content": marker}]}
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = proxy.http.post(CHAT, content=gzip.compress(json.dumps(body).encode()), headers=headers)
    assert answer.status_code == 200, answer.text
    (sent,) = proxy.bodies(marker)
    assert seen(sent) == expected(user(marker))


def test_an_ignored_parameter_without_a_name(proxy: RunningProxy) -> None:
    answer = ask(proxy, directive(text="fine"), **{"seed": 1, "": 1, "user": "x", " ": 2})
    assert answer.status_code == 200
    assert answer.headers["x-claude-max-ignored"].split(", ") == ["seed", "user", '""', "%20"]
