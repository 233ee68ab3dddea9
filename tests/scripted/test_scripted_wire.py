"""The wire: SSE and JSON as the real API has them, what is recorded, and answers that break off."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from harness.scripted_bodies import directed

from claude_max.proxy.scripted import PromptCache, ScriptedAPI, ScriptedServer, scripted_in_thread


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_in_thread(ScriptedAPI()) as running:
        yield running


def post(server: ScriptedServer, value: dict[str, Any], **options: Any) -> httpx2.Response:
    return httpx2.post(f"{server.url}/v1/messages?beta=true", json=value, **options)


def events(raw: str) -> list[dict[str, Any]]:
    """The data of each SSE event; the event's name must be its type."""
    found = []
    for chunk in raw.strip().split("\n\n"):
        name, data = chunk.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def test_a_stream_has_the_events_of_the_real_api(server: ScriptedServer) -> None:
    asked = {"thinking": "a b", "text": "c d", "call": {"name": "f", "input": {"x": 1}, "id": "toolu_x", "pieces": 2}}
    response = post(server, directed(asked, stream=True))
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["request-id"].startswith("req_")
    said = events(response.text)
    assert [event["type"].removeprefix("content_block_") for event in said] == [
        "message_start", "start", "ping", "delta", "delta", "delta", "stop",
        "start", "delta", "delta", "stop", "start", "delta", "delta", "delta", "stop", "message_delta", "message_stop",
    ]  # fmt: skip
    start = said[0]["message"]
    assert (start["content"], start["stop_reason"], start["model"], start["usage"]["output_tokens"]) == (
        [],
        None,
        "haiku",
        1,
    )
    assert [e["content_block"] for e in said if e["type"] == "content_block_start"] == [
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "text", "text": ""},
        {"type": "tool_use", "id": "toolu_x", "name": "f", "input": {}},
    ]
    deltas = [
        (e["index"], e["delta"]["type"], list(e["delta"].values())[1])
        for e in said
        if e["type"] == "content_block_delta"
    ]
    signature = deltas[2][2]
    assert len(signature) > 100, "the service signs its own thinking"
    assert deltas == [
        (0, "thinking_delta", "a"), (0, "thinking_delta", " b"), (0, "signature_delta", signature),
        (1, "text_delta", "c"), (1, "text_delta", " d"),
        (2, "input_json_delta", ""), (2, "input_json_delta", '{"x"'), (2, "input_json_delta", ": 1}"),
    ]  # fmt: skip
    assert said[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert said[-2]["usage"]["output_tokens"] == 6
    assert said[-2]["usage"]["input_tokens"] == start["usage"]["input_tokens"] > 0


def test_without_stream_it_is_one_message(server: ScriptedServer) -> None:
    answer = post(server, directed({"text": "c d", "call": {"name": "f", "input": {"x": 1}, "id": "toolu_x"}})).json()
    assert answer["content"] == [
        {"type": "text", "text": "c d"},
        {"type": "tool_use", "id": "toolu_x", "name": "f", "input": {"x": 1}},
    ]
    assert (answer["type"], answer["role"], answer["stop_reason"]) == ("message", "assistant", "tool_use")


def test_errors_have_anthropics_shape(server: ScriptedServer) -> None:
    response = post(server, directed({"status": 529, "message": "busy", "headers": {"retry-after": "7"}}, stream=True))
    assert (response.status_code, response.headers["retry-after"]) == (529, "7")
    assert response.json() == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "busy"},
        "request_id": response.headers["request-id"],
    }


def test_a_429_resets_in_an_hour(server: ScriptedServer) -> None:
    response = post(server, directed({"status": 429}))
    assert response.headers["anthropic-ratelimit-unified-status"] == "rejected"
    assert abs(int(response.headers["anthropic-ratelimit-unified-reset"]) - time.time() - 3600) < 60


@pytest.mark.parametrize("raw", [b"{", b"[]", b""])
def test_malformed_json_is_refused(server: ScriptedServer, raw: bytes) -> None:
    response = httpx2.post(f"{server.url}/v1/messages", content=raw)
    assert response.status_code == 400
    assert response.json()["error"] == {
        "type": "invalid_request_error",
        "message": "The request body is not valid JSON",
    }


def test_the_rules_and_the_refused_parameters_come_before_the_script(server: ScriptedServer) -> None:
    assert "temperature: range" in post(server, directed({"text": "x"}, temperature=2)).json()["error"]["message"]
    server.api.refuse = frozenset({"temperature"})
    refused = post(server, directed({"text": "x"}, temperature=1))
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        400,
        "temperature: this model does not support temperature",
    )
    assert post(server, directed({"text": "x"})).status_code == 200


def test_the_other_paths(server: ScriptedServer) -> None:
    assert httpx2.head(server.url).status_code == 200
    assert httpx2.get(server.url).status_code == 200
    assert httpx2.post(f"{server.url}/v1/messages/count_tokens", json=directed()).json()["input_tokens"] > 0
    for method, path in (("GET", "/v1/messages"), ("POST", "/v1/complete"), ("GET", "/api/hello")):
        missing = httpx2.request(method, server.url + path)
        assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")
    assert [exchange.status for exchange in server.api.requests] == [200, 200, 200, 404, 404, 404]
    assert server.api.arrived == 0


def test_what_is_recorded_holds_no_credentials(server: ScriptedServer) -> None:
    post(
        server,
        directed({"text": "x"}),
        headers={"Authorization": "Bearer sk-1", "X-Api-Key": "sk-2", "X-Other": "kept"},
    )
    post(server, directed())
    server.wait_for(2)
    server.wait_until(lambda: all(exchange.finished for exchange in server.api.requests))
    first, second = server.api.requests
    assert (first.number, first.method, first.path, first.query, first.status) == (
        1,
        "POST",
        "/v1/messages",
        "beta=true",
        200,
    )
    assert (first.aborted, second.number, second.time >= first.time) == (False, 2, True)
    assert server.api.bodies() == [directed({"text": "x"}), directed()]
    assert first.headers["x-other"] == "kept"
    assert "sk-" not in repr(server.api.requests)


def test_the_record_is_bounded() -> None:
    with scripted_in_thread(ScriptedAPI(keep=2)) as running, httpx2.Client() as client:
        for _ in range(3):
            client.post(f"{running.url}/v1/messages", json=directed())
        assert (len(running.api.requests), running.api.arrived) == (2, 3)


def test_waiting_for_too_many_says_what_arrived(server: ScriptedServer) -> None:
    post(server, directed())
    with pytest.raises(TimeoutError, match=r"1 messages arrived.*POST /v1/messages #1 200"):
        server.wait_for(2, timeout=0.01)
    with pytest.raises(ZeroDivisionError):
        server.wait_until(lambda: 1 // 0 == 1)


@pytest.mark.parametrize(("after", "heard"), [(0, ""), (2, "a b"), (99, "a b c")])
def test_a_cut_connection(server: ScriptedServer, after: int, heard: str) -> None:
    parts: list[str] = []
    with (
        httpx2.stream(
            "POST", f"{server.url}/v1/messages", json=directed({"text": "a b c", "cut_after": after}, stream=True)
        ) as response,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        parts.extend(response.iter_text())
    said = events("".join(parts))
    assert "".join(e["delta"]["text"] for e in said if e["type"] == "content_block_delta") == heard
    assert said[-1]["type"].startswith("content_block") or said[-1]["type"] == "ping"
    server.wait_until(lambda: not server.api.requests[0].finished and server.api.requests[0].status == 200)


def test_a_cut_answer_that_is_not_streamed(server: ScriptedServer) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        post(server, directed({"text": "a b c", "cut_after": 1}))


def test_an_error_in_mid_stream(server: ScriptedServer) -> None:
    asked = {"text": "a b c", "error_after": 1, "error": {"kind": "api_error", "message": "oops"}}
    said = events(post(server, directed(asked, stream=True)).text)
    assert [event["type"] for event in said[-2:]] == ["content_block_delta", "error"]
    assert said[-1]["error"] == {"type": "api_error", "message": "oops"}
    assert post(server, directed(asked)).status_code == 529


def test_silence_is_filled_with_pings(server: ScriptedServer) -> None:
    said = events(post(server, directed({"text": "a", "silence": 0.02, "pings": 3}, stream=True)).text)
    assert [event["type"] for event in said][1:6] == [
        "content_block_start",
        "ping",
        "ping",
        "ping",
        "content_block_delta",
    ]


def test_a_ping_after_so_many_deltas(server: ScriptedServer) -> None:
    said = events(post(server, directed({"text": "a b c d", "ping_every": 2, "pings": 0}, stream=True)).text)
    kinds = [event["type"] for event in said if event["type"] in ("ping", "content_block_delta")]
    assert kinds == ["content_block_delta", "content_block_delta", "ping"] * 2


def test_a_stream_in_small_pieces_loses_nothing(server: ScriptedServer) -> None:
    said = events(post(server, directed({"text": "ä ✓ 😀", "chunk": 3}, stream=True)).text)
    assert "".join(e["delta"]["text"] for e in said if e["type"] == "content_block_delta") == "ä ✓ 😀"


def test_half_a_surrogate_pair_reaches_the_client(server: ScriptedServer) -> None:
    asked = {"call": {"name": "f", "input": {"a": "\ud83d"}}}
    said = events(post(server, directed(asked, stream=True)).text)
    raw = "".join(e["delta"]["partial_json"] for e in said if e["type"] == "content_block_delta")
    assert json.loads(raw) == {"a": "\ud83d"}
    assert json.loads(post(server, directed(asked)).content)["content"][0]["input"] == {"a": "\ud83d"}


@pytest.mark.parametrize("stream", [True, False])
def test_a_connection_dropped_before_its_headers(server: ScriptedServer, *, stream: bool) -> None:
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        post(server, directed({"drop": "before_headers"}, stream=stream))
    server.wait_until(lambda: not server.api._record.writing)
    exchange = server.api.requests[0]
    assert (exchange.status, exchange.finished, exchange.aborted) == (None, False, False)


def test_a_connection_dropped_behind_its_headers(server: ScriptedServer) -> None:
    with (
        httpx2.stream("POST", f"{server.url}/v1/messages", json=directed({"drop": "after_headers"})) as response,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        assert response.status_code == 200
        response.read()


@pytest.mark.parametrize(("once", "status"), [({"status": 529}, 529), ({"status": 500, "times": 2}, 500)])
def test_failing_once_and_then_fine(server: ScriptedServer, once: dict[str, Any], status: int) -> None:
    asked = directed({"text": "fine", "once": once})
    statuses = [post(server, asked).status_code for _ in range(4)]
    assert statuses == [status] * once.get("times", 1) + [200] * (4 - once.get("times", 1))
    assert post(server, directed({"text": "another", "once": once})).status_code == status


def test_dropping_once_and_then_fine(server: ScriptedServer) -> None:
    asked = directed({"text": "fine", "once": {"drop": "before_headers"}})
    with pytest.raises(httpx2.RemoteProtocolError):
        post(server, asked)
    assert post(server, asked).json()["content"] == [{"type": "text", "text": "fine"}]


def test_usage_is_split_by_the_cache_and_recorded(server: ScriptedServer) -> None:
    server.api.cache = PromptCache(minimum=0)
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    asked = directed({"text": "x"}, system=[{"type": "text", "text": "word " * 100, **mark}])
    first, second = (post(server, asked).json()["usage"] for _ in range(2))
    assert first["cache_creation"]["ephemeral_1h_input_tokens"] == first["cache_creation_input_tokens"] > 0
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert first["input_tokens"] == second["input_tokens"] > 0
    told = directed({"text": "x", "usage": {"input_tokens": 1_200_000}}, system=asked["system"])
    assert (post(server, told).json()["usage"]["input_tokens"], server.api.requests[2].cache is None) == (
        1_200_000,
        False,
    )
    total = server.api.cached(since=1)
    assert (total.requests, total.read) == (2, 2 * second["cache_read_input_tokens"])
    assert total.read <= total.repeated <= total.total
    assert 0 < total.share <= 1


def test_what_was_refused_is_recorded(server: ScriptedServer) -> None:
    post(server, directed({"text": "x"}, temperature=2))
    assert server.api.requests[0].refused == "temperature: range: 0..1"
    server.api.strict = frozenset()
    opus = {"model": "claude-opus-4-7", "temperature": 0.5}
    assert post(server, directed({"text": "x"}) | opus).status_code == 200
    server.api.strict = frozenset({"sampling"})
    assert "deprecated" in post(server, directed({"text": "x"}) | opus).json()["error"]["message"]


def test_thinking_that_comes_back_is_checked(server: ScriptedServer) -> None:
    asked = directed({"thinking": "hm", "text": "said"}, model="claude-sonnet-5-5")
    content = post(server, asked).json()["content"]
    messages = [*asked["messages"], {"role": "assistant", "content": content}, {"role": "user", "content": "and?"}]
    assert post(server, {**asked, "messages": messages}).status_code == 200
    refused = post(server, {**asked, "messages": messages, "system": "another"})
    assert refused.json()["error"]["message"].startswith(
        "messages.1.content.0: Invalid `signature` in `thinking` block"
    )
