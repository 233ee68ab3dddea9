"""A chat completion through the installed command, the real CLI and the real SDK: what comes back, what went up."""

from typing import Any

import pytest
from harness.openai_schema import check_chunk, check_completion, check_models
from harness.proxy import RunningProxy
from harness.upstream import assistant, expected, seen, user


def say(text: str) -> str:
    """A prompt line that makes the scripted model answer `text`."""
    return f'scripted: {{"text": "{text}"}}'


def test_the_seeds_three_requests(proxy: RunningProxy) -> None:
    health = proxy.http.get("/health")
    assert health.status_code == 200
    assert health.json()["status"] == "ok"
    models = proxy.http.get("/v1/models").json()
    check_models(models)
    assert {"claude-opus-4", "claude-sonnet-4", "claude-haiku-4"} <= {model["id"] for model in models["data"]}
    answer = proxy.http.post(
        "/v1/chat/completions",
        json={"model": "claude-opus-4", "messages": [{"role": "user", "content": "Hello!"}]},
    )
    assert answer.status_code == 200
    check_completion(answer.json())
    assert "You said: Hello!" in answer.json()["choices"][0]["message"]["content"]
    assert answer.json()["model"] == "claude-opus-5-5"
    assert answer.headers["x-request-id"].startswith("req_")


def test_the_sdk_collects_an_answer(proxy: RunningProxy, marker: str) -> None:
    prompt = f'{marker}\nscripted: {{"text": "Good day", "usage": {{"input_tokens": 7, "cache_read_input_tokens": 5}}}}'
    answer = proxy.client.chat.completions.create(
        model="sonnet",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": prompt},
        ],
    )
    assert answer.choices[0].message.content == "Good day"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 12
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 5
    assert answer.usage.completion_tokens == 2
    (body,) = proxy.bodies(marker)
    assert seen(body) == expected(user(prompt), system="Be brief.\n\nBe kind.")


@pytest.mark.parametrize("usage", [True, False])
def test_the_sdk_streams_an_answer(proxy: RunningProxy, marker: str, usage: bool) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if usage else {}
    stream = proxy.client.chat.completions.create(
        model="claude-sonnet-4",
        messages=[{"role": "user", "content": f"{marker}\n{say('one two three')}"}],
        stream=True,
        **options,
    )
    chunks = [chunk.model_dump(mode="json", exclude_unset=True) for chunk in stream]
    for chunk in chunks:
        check_chunk(chunk)
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "one two three"
    assert [delta.get("role") for delta in deltas] == ["assistant", *[None] * (len(deltas) - 1)]
    finishes = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert finishes == [*[None] * (len(finishes) - 1), "stop"]
    if usage:
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"]["completion_tokens"] == 3
        assert all(chunk["usage"] is None for chunk in chunks[:-1])
    else:
        assert all("usage" not in chunk and chunk["choices"] for chunk in chunks)


def test_a_stream_on_the_wire(proxy: RunningProxy) -> None:
    answer = proxy.http.post(
        "/v1/chat/completions",
        json={"model": "haiku", "stream": True, "messages": [{"role": "user", "content": say("a\\u2028b")}]},
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert answer.text.count("[DONE]") == 1
    assert "\\u2028" in answer.text
    assert "\u2028" not in answer.text


def test_text_as_parts_is_text(proxy: RunningProxy, marker: str) -> None:
    parts: Any = [{"type": "text", "text": f"{marker} first"}, {"type": "text", "text": say("ok")}]
    answer = proxy.client.chat.completions.create(model="sonnet", messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "ok"
    (body,) = proxy.bodies(marker)
    assert seen(body) == expected(user(f"{marker} first", say("ok")))


def test_a_history_reaches_the_model_with_its_roles(proxy: RunningProxy, marker: str) -> None:
    history: list[Any] = []
    for number in range(9):
        history += [
            {"role": "user", "content": f"{marker} question {number}"},
            {"role": "assistant", "content": f"answer {number}"},
        ]
    last = f"{marker} question 9\n{say('ten')}"
    answer = proxy.client.chat.completions.create(
        model="sonnet", messages=[{"role": "system", "content": "S"}, *history, {"role": "user", "content": last}]
    )
    assert answer.choices[0].message.content == "ten"
    (body,) = proxy.bodies(marker)
    turns = [m for n in range(9) for m in (user(f"{marker} question {n}"), assistant(f"answer {n}"))]
    assert seen(body) == expected(*turns, user(last), system="S")
    roles = [message["role"] for message in seen(body)["messages"]]
    assert (roles.count("user"), roles.count("assistant")) == (10, 9)


def test_ten_live_turns_make_one_conversation(proxy: RunningProxy, marker: str) -> None:
    messages: list[Any] = []
    for number in range(10):
        messages.append({"role": "user", "content": f"{marker} {number}\n{say(f'answer {number}')}"})
        answer = proxy.client.chat.completions.create(model="sonnet", messages=messages)
        assert answer.choices[0].message.content == f"answer {number}"
        messages.append({"role": "assistant", "content": answer.choices[0].message.content})
    bodies = proxy.bodies(marker)
    assert len(bodies) == 10
    turns = [
        make(f"{marker} {n}\n{say(f'answer {n}')}") if make is user else make(f"answer {n}")
        for n in range(10)
        for make in (user, assistant)
    ]
    assert seen(bodies[-1]) == expected(*turns[:-1])
