"""The end-to-end core with an older CLI, the pinned one and the newest; docs/compatibility.md is made of the outcome.

What a client sent must reach the service; what the CLI asks for by itself (which sonnet, its `max_tokens`) may differ
from one CLI to the next, so only the client's part is compared here.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from compat.conftest import Release
from harness.asking import CHAT, PIXEL, ask, directive
from harness.proxy import RunningProxy

from claude_max.proxy.engine.probe.contract import CAPABILITIES, examine

pytestmark = [pytest.mark.timeout(700), pytest.mark.xdist_group("compat")]
Keep = Callable[[str, str], None]
LOOK: dict[str, Any] = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
TOOL = {
    "type": "function",
    "function": {**{k: v for k, v in LOOK.items() if k != "input_schema"}, "parameters": LOOK["input_schema"]},
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
ODD = "µg ﬁ \u200b\u2028 👩‍👩‍👧 @/etc/hostname </system-reminder>"


@contextmanager
def outcome(found_out: Keep, what: str) -> Iterator[None]:
    """Notes that it fails, and after the block that it works."""
    found_out(what, "fails")
    yield
    found_out(what, "works")


def upstream(proxy: RunningProxy, marker: str) -> dict[str, Any]:
    """The one request that reached the service, without cache marks."""
    (body,) = proxy.bodies(marker)
    found: dict[str, Any] = unmarked(body)
    return found


def unmarked(value: Any) -> Any:
    """Without the cache marks that the proxy sets."""
    if isinstance(value, dict):
        return {key: unmarked(each) for key, each in value.items() if key != "cache_control"}
    return [unmarked(each) for each in value] if isinstance(value, list) else value


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def test_the_contract_check(release: Release, found_out: Keep) -> None:
    found_out("contract check", "fails")
    result = asyncio.run(examine(release.cli.path, os.environ["PATH"]))
    found_out("contract check", f"{len(result.holds)} of {len(CAPABILITIES)}")
    assert result.unsafe is None
    assert dict(result.fails) == {}


def test_chat(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    """Ten turns, odd characters and a system prompt arrive as they were sent, whole and streamed."""
    with outcome(found_out, "chat"):
        past = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"{n} {ODD}"} for n in range(20)]
        last = f"{marker} {ODD}\n{directive(words=30)}"
        messages: Any = [{"role": "system", "content": "Be brief."}, *past, {"role": "user", "content": last}]
        whole = exact.client.chat.completions.create(model="sonnet", messages=messages)
        body = upstream(exact, marker)
        assert [(each["role"], each["content"]) for each in body["messages"]] == [
            *((each["role"], [text(each["content"])]) for each in past),
            ("user", [text(last)]),
        ]
        assert body["system"][-1]["text"] == "Be brief."
        chunks = list(exact.client.chat.completions.create(model="sonnet", messages=messages, stream=True))
        streamed = [
            chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content
        ]
        assert len(streamed) > 5
        assert "".join(streamed) == whole.choices[0].message.content
        assert len(exact.bodies(marker)) == 2


def test_tools(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    """Two calls at once, their results in the other order, and an answer; three requests reach the service."""
    with outcome(found_out, "tools"):
        calls = [{"name": "look", "input": {"at": n}} for n in range(2)]
        messages: list[Any] = [
            {"role": "user", "content": f"{marker}\n{directive(call=calls, then={'text': 'Seen.'})}"}
        ]
        first = exact.client.chat.completions.create(model="sonnet", messages=messages, tools=[TOOL])  # type: ignore[list-item]
        assert first.choices[0].finish_reason == "tool_calls"
        made = first.choices[0].message.tool_calls or []
        assert [json.loads(call.function.arguments) for call in made if call.type == "function"] == [
            {"at": 0},
            {"at": 1},
        ]
        assert upstream(exact, marker)["tools"] == [LOOK]
        messages.append(first.choices[0].message.model_dump(exclude_none=True))
        messages += [{"role": "tool", "tool_call_id": call.id, "content": f"of {call.id}"} for call in reversed(made)]
        second = exact.client.chat.completions.create(model="sonnet", messages=messages, tools=[TOOL])  # type: ignore[list-item]
        assert second.choices[0].message.content == "Seen."
        results = unmarked(exact.bodies(marker)[-1])["messages"][-1]["content"]
        assert {each["tool_use_id"]: each["content"] for each in results} == {
            call.id: [text(f"of {call.id}")] for call in made
        }
        assert len(exact.bodies(marker)) == 2


def test_structured_output(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    with outcome(found_out, "structured output"):
        form = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
        answer = ask(exact, f"{marker}\n{directive(text=json.dumps({'name': 'Bob'}))}", response_format=form)
        assert json.loads(answer.json()["choices"][0]["message"]["content"]) == {"name": "Bob"}
        assert upstream(exact, marker)["output_config"]["format"] == {"type": "json_schema", "schema": PERSON}


def test_images(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    with outcome(found_out, "images"):
        parts = [text(marker), {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}]
        body: Any = {"model": "sonnet", "messages": [{"role": "user", "content": parts}]}
        assert exact.http.post(CHAT, json=body).status_code == 200
        (message,) = upstream(exact, marker)["messages"]
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        assert message["content"] == [text(marker), {"type": "image", "source": source}]


def test_parameters(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    """They arrive, and nothing of them is in the next request."""
    with outcome(found_out, "parameters"):
        limited = ask(exact, marker, max_tokens=4321, stop=["STOP"], reasoning_effort="low")
        assert limited.status_code == 200
        body = upstream(exact, marker)
        assert (body["max_tokens"], body["stop_sequences"], body["output_config"]["effort"]) == (4321, ["STOP"], "low")
        assert ask(exact, f"after-{marker}").status_code == 200
        after = upstream(exact, f"after-{marker}")
        assert after["max_tokens"] > 4321
        assert "stop_sequences" not in after


def test_messages(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    """Anthropic's API: thinking comes back with its signature, and reaches the service again as it was."""
    with outcome(found_out, "messages and thinking"):
        asked = {"role": "user", "content": [text(f"{marker}\n{directive(thinking='Hm.', text='Yes.')}")]}
        body: Any = {"model": "sonnet", "max_tokens": 4000, "thinking": {"type": "adaptive"}, "messages": [asked]}
        first = exact.http.post("/v1/messages", json=body).json()
        assert [block["type"] for block in first["content"]] == ["thinking", "text"]
        body["messages"] += [{"role": "assistant", "content": first["content"]}, {"role": "user", "content": "And?"}]
        assert exact.http.post("/v1/messages", json=body).status_code == 200
        sent = unmarked(exact.bodies(marker)[-1])["messages"]
        assert sent[1] == {"role": "assistant", "content": first["content"]}


def test_ollama(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    with outcome(found_out, "ollama"):
        body = {
            "model": "sonnet",
            "stream": False,
            "messages": [{"role": "user", "content": f"{marker}\n{directive(text='Hi.')}"}],
        }
        assert exact.http.post("/api/chat", json=body).json()["message"]["content"] == "Hi."


def test_failures(exact: RunningProxy, found_out: Keep, marker: str) -> None:
    """A rate limit has its status and is one request; a stream that is cut is an error, not an end."""
    with outcome(found_out, "failures"):
        limited = ask(exact, f"{marker}\n{directive(status=429, message='Slow down.')}")
        assert (limited.status_code, len(exact.bodies(marker))) == (429, 1)
        messages: Any = [{"role": "user", "content": directive(words=40, cut_after=20)}]
        with pytest.raises(openai.APIError):
            list(exact.client.chat.completions.create(model="sonnet", messages=messages, stream=True))
        assert ask(exact, directive(text="fine")).json()["choices"][0]["message"]["content"] == "fine"


def test_line_by_line(lines: RunningProxy, found_out: Keep, marker: str) -> None:
    """The other composition: a history keeps its roles, a tool is called. The CLI may add notes of its own."""
    with outcome(found_out, "line by line"):
        past = [{"role": "user", "content": f"first {marker}"}, {"role": "assistant", "content": "second"}]
        prompt = directive(call={"name": "look", "input": {}})
        body = {"model": "sonnet", "tools": [TOOL], "messages": [*past, {"role": "user", "content": prompt}]}
        answer = lines.http.post(CHAT, json=body).json()["choices"][0]["message"]
        assert [call["function"]["name"] for call in answer["tool_calls"]] == ["look"]
        assert lines.api is not None
        (sent,) = [each for each in lines.api.api.bodies() if marker in str(each)]
        said = [(each["role"], json.dumps(each["content"])) for each in sent["messages"] if each["role"] != "system"]
        assert [role for role, _ in said] == ["user", "assistant", "user"]
        assert all(words in content for (_, content), words in zip(said, (marker, "second", "scripted"), strict=True))
