"""Ollama's API end to end: chats and texts as lines of JSON, calls, pictures, and what its clients ask first."""

import json
from typing import Any

import pytest
from harness.asking import PIXEL, directive
from harness.proxy import RunningProxy
from harness.upstream import seen, user

LOOK = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}},
}


def chat(proxy: RunningProxy, text: str, *more: Any, **fields: Any) -> Any:
    """The response to a chat that begins with this text."""
    messages = [{"role": "user", "content": text}, *more]
    return proxy.http.post("/api/chat", json={"model": "sonnet:latest", "messages": messages, **fields})


def lines(answer: Any) -> list[dict[str, Any]]:
    """The lines of a stream."""
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_chat_is_streamed(proxy: RunningProxy, marker: str) -> None:
    *deltas, last = lines(chat(proxy, f"{marker}\n{directive(text='Good day', usage={'input_tokens': 7})}"))
    assert "".join(line["message"]["content"] for line in deltas) == "Good day"
    assert (last["done"], last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == (True, "stop", 7, 2)
    assert last["total_duration"] > last["eval_duration"] >= 0
    [body] = proxy.bodies(marker)
    assert seen(body)["model"] == "claude-sonnet-5-5"


def test_a_whole_chat(proxy: RunningProxy) -> None:
    answer = chat(proxy, directive(thinking="hm", text="Good day"), stream=False, think=True).json()
    assert answer["message"] == {"role": "assistant", "content": "Good day", "thinking": "hm"}
    assert (answer["model"], answer["done"]) == ("sonnet:latest", True)


def test_calls_and_their_results(proxy: RunningProxy, marker: str) -> None:
    told = directive(call={"name": "look", "input": {"a": "b"}}, then={"text": "Seen."})
    prompt = f"{marker}\n{told}"
    first = chat(proxy, prompt, tools=[LOOK], stream=False).json()
    [call] = first["message"]["tool_calls"]
    assert (call["function"]["name"], call["function"]["arguments"]) == ("look", {"a": "b"})
    # As most clients send it back: without an id.
    history = {"role": "assistant", "content": "", "tool_calls": [{"function": call["function"]}]}
    result = {"role": "tool", "tool_name": "look", "content": "a picture"}
    second = chat(proxy, prompt, history, result, tools=[LOOK], stream=False).json()
    assert second["message"]["content"] == "Seen."
    _, body = proxy.bodies(marker)
    use, given = seen(body)["messages"][1]["content"][0], seen(body)["messages"][2]["content"][0]
    assert given == {
        "type": "tool_result",
        "tool_use_id": use["id"],
        "content": [{"type": "text", "text": "a picture"}],
    }


def test_a_picture_and_options(proxy: RunningProxy, marker: str) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": marker, "images": [PIXEL]}]
    options = {"num_predict": 50, "stop": ["END"], "seed": 1}
    answer = proxy.http.post(
        "/api/chat", json={"model": "sonnet", "messages": messages, "options": options, "keep_alive": "5m"}
    )
    assert answer.headers["x-claude-max-ignored"] == "keep_alive, options.seed"
    body = seen(proxy.bodies(marker)[0])
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    assert body["messages"] == [user(marker, picture)]
    assert (body["system"], body["max_tokens"], body["stop_sequences"]) == ("Be brief.", 50, ["END"])


def test_structured(proxy: RunningProxy, marker: str) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    answer = chat(proxy, marker, format=schema, stream=False).json()
    assert json.loads(answer["message"]["content"]) == {"a": "scripted"}


def test_a_generated_text(proxy: RunningProxy, marker: str) -> None:
    body = {"model": "sonnet", "prompt": f"{marker}\n{directive(words=3)}", "system": "Be brief."}
    *deltas, last = lines(proxy.http.post("/api/generate", json=body))
    assert "".join(line["response"] for line in deltas) == "word1 word2 word3"
    assert (last["response"], last["done_reason"]) == ("", "stop")
    assert seen(proxy.bodies(marker)[0])["system"] == "Be brief."


def test_cut_by_the_limit(proxy: RunningProxy) -> None:
    answer = chat(proxy, directive(words=50), options={"num_predict": 5}, stream=False).json()
    assert answer["done_reason"] == "length"


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_loading_a_model(proxy: RunningProxy, path: str) -> None:
    """There is nothing to load; that no model is asked, tests/routes/test_unit_beside.py shows."""
    [line] = lines(proxy.http.post(path, json={"model": "sonnet"}))
    assert (line["done"], line["done_reason"]) == (True, "load")


def test_json_that_does_not_say_so(proxy: RunningProxy) -> None:
    """As ollama's documentation posts it with curl; a page in a browser cannot."""
    body = json.dumps({"model": "sonnet", "prompt": directive(text="hi"), "stream": False}).encode()
    for kind in ({}, {"content-type": "application/x-www-form-urlencoded"}):
        assert proxy.http.post("/api/generate", content=body, headers=kind).json()["response"] == "hi"
    for headers in ({"origin": proxy.url}, {"sec-fetch-site": "cross-site"}, {"content-type": "text/plain"}):
        answer = proxy.http.post("/api/generate", content=body, headers=headers)
        assert answer.status_code == 415
    assert proxy.http.post("/v1/chat/completions", content=body).status_code == 415


def test_models(proxy: RunningProxy) -> None:
    tags = proxy.http.get("/api/tags").json()["models"]
    assert {"sonnet:latest", "opus:latest", "haiku:latest"} <= {tag["name"] for tag in tags}
    shown = proxy.http.post("/api/show", json={"model": "sonnet:latest"}).json()
    assert "tools" in shown["capabilities"]
    assert shown["model_info"]["claude.context_length"] >= 200_000
    assert proxy.http.get("/api/ps").json() == {"models": []}
    assert proxy.http.get("/api/version").json()["version"]
    assert proxy.http.head("/api/tags").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("POST", "/api/pull", "none is stored here"),
        ("POST", "/api/embed", "no embeddings"),
        ("POST", "/api/embeddings", "no embeddings"),
        ("DELETE", "/api/delete", "none is stored here"),
        ("GET", "/api/nothing", "Unknown path: GET /api/nothing."),
    ],
)
def test_what_is_not_here(proxy: RunningProxy, method: str, path: str, told: str) -> None:
    answer = proxy.http.request(method, path, json={"model": "sonnet"})
    assert answer.status_code == 404
    assert told in answer.json()["error"]


def test_no_such_model(proxy: RunningProxy) -> None:
    answer = chat(proxy, "hello", model="llama3")
    assert (answer.status_code, set(answer.json())) == (404, {"error"})


def test_a_failure_in_mid_stream(proxy: RunningProxy) -> None:
    last = lines(chat(proxy, directive(words=30, error_after=3, error={"kind": "api_error"})))[-1]
    assert set(last) == {"error"}
