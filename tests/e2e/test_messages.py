"""POST /v1/messages end to end: what the client sent is what reaches the service, and what it answers comes back."""

import json
from typing import Any

import anthropic
import pytest
from harness.asking import PIXEL, directive
from harness.proxy import RunningProxy

PATH = "/v1/messages"
VERSION = {"anthropic-version": "2023-06-01"}
LOOK = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
EPHEMERAL = {"type": "ephemeral"}


def post(proxy: RunningProxy, *messages: dict[str, Any], **fields: Any) -> Any:
    """The response to a request of these messages."""
    body = {"model": "sonnet", "max_tokens": 2000, "messages": list(messages), **fields}
    return proxy.http.post(PATH, json=body, headers=VERSION)


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [_block(each) for each in blocks]}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [_block(each) for each in blocks]}


def _block(each: Any) -> Any:
    return {"type": "text", "text": each} if isinstance(each, str) else each


def without_marks(value: Any) -> Any:
    """Without the marks that the engine sets where the client set none."""
    if isinstance(value, dict):
        return {key: without_marks(each) for key, each in value.items() if key != "cache_control"}
    return [without_marks(each) for each in value] if isinstance(value, list) else value


def events(text: str) -> list[dict[str, Any]]:
    """The data of each event of a stream; the event's name is its type."""
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def test_a_message(proxy: RunningProxy, marker: str) -> None:
    answer = post(proxy, user(f"{marker}\n{directive(text='Good day', usage={'input_tokens': 7})}"), system="Be brief.")
    assert answer.status_code == 200, answer.text
    message = answer.json()
    assert answer.headers["request-id"].startswith("req_")
    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "end_turn")
    assert message["content"] == [{"type": "text", "text": "Good day"}]
    assert (message["usage"]["input_tokens"], message["usage"]["output_tokens"]) == (7, 2)
    assert message["id"].startswith("msg_")
    [body] = proxy.bodies(marker)
    assert body["system"][-1]["text"] == "Be brief."
    assert body["max_tokens"] == 2000


def test_a_stream(proxy: RunningProxy, marker: str) -> None:
    told = directive(thinking="hm", text="Good day", call={"name": "look", "input": {"a": 1}})
    answer = post(proxy, user(f"{marker}\n{told}"), stream=True, tools=[LOOK], thinking={"type": "adaptive"})
    found = events(answer.text)
    assert [each["type"] for each in found if each["type"] != "content_block_delta"] == [
        "message_start", "content_block_start", "ping", "content_block_stop",
        *["content_block_start", "content_block_stop"] * 2, "message_delta", "message_stop",
    ]  # fmt: skip
    deltas = [each["delta"] for each in found if each["type"] == "content_block_delta"]
    assert "".join(each.get("text", "") for each in deltas) == "Good day"
    assert json.loads("".join(each.get("partial_json", "") for each in deltas)) == {"a": 1}
    assert any(each["type"] == "signature_delta" for each in deltas)
    assert found[-2]["delta"]["stop_reason"] == "tool_use"


def test_an_agents_loop_reaches_the_service_as_it_is(proxy: RunningProxy, marker: str) -> None:
    """Thinking with its signature goes back unchanged; results hold blocks and an error; users speak twice in a row."""
    loop = directive(thinking="hm", call=[{"name": "look"}, {"name": "look"}], then={"text": "Seen."})
    asked = user(f"{marker}\n{loop}")
    fields: dict[str, Any] = {"tools": [LOOK], "thinking": {"type": "adaptive"}}
    first = post(proxy, asked, **fields).json()
    thinking, one, two = first["content"]
    assert (thinking["type"], one["type"], two["type"]) == ("thinking", "tool_use", "tool_use")
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    results = user(
        {"type": "tool_result", "tool_use_id": one["id"], "content": [_block("a picture"), picture]},
        {"type": "tool_result", "tool_use_id": two["id"], "content": [_block("no")], "is_error": True},
    )
    second = post(proxy, asked, assistant(*first["content"]), results, user("And?"), **fields)
    assert second.json()["content"][-1] == {"type": "text", "text": "Seen."}, second.text
    body = proxy.bodies(marker)[-1]
    assert without_marks(body["messages"]) == [asked, assistant(*first["content"]), results, user("And?")]
    assert body["tools"] == [LOOK]


ANY = {"tool_choice": {"type": "any"}}
LESS = {"max_tokens": 500}
LEFT_OUT = "thinking that the service refused was left out"


def _second(proxy: RunningProxy, marker: str, first: dict[str, Any], second: dict[str, Any], **fields: Any) -> Any:
    """After an answer with thinking and a call: the response to the call's result, and the messages it answers."""
    asked = user(f"{marker}\n{directive(thinking='hm', call={'name': 'look'}, then={'text': 'Seen.'})}")
    content = post(proxy, asked, **fields, **first).json()["content"]
    assert [block["type"] for block in content] == ["thinking", "tool_use"]
    result = user({"type": "tool_result", "tool_use_id": content[1]["id"], "content": [_block("ok")]})
    sent = [asked, assistant(*content), result]
    return post(proxy, *sent, **{**fields, **second}), sent


@pytest.mark.parametrize(
    ("model", "first", "second"),
    [("opus", ANY, {}), ("opus", {}, ANY), ("sonnet", {}, ANY), ("sonnet", {}, LESS), ("haiku", {}, LESS)],
)
def test_thinking_that_is_refused_because_of_us_is_left_out(
    proxy: RunningProxy, marker: str, model: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Opus takes a forced choice in words only, to which its thinking is bound then. The others have to stop thinking
    for it, and so under a small limit.
    """
    answer, sent = _second(proxy, marker, first, second, model=model, tools=[LOOK])
    assert answer.status_code == 200, answer.text
    assert LEFT_OUT in answer.headers["x-claude-max-repaired"]
    sent[1] = assistant(*sent[1]["content"][1:])
    assert without_marks(proxy.bodies(marker)[-1]["messages"]) == sent


def test_thinking_that_is_known_to_be_unfit_is_not_tried_again(proxy: RunningProxy, marker: str) -> None:
    answer, sent = _second(proxy, marker, ANY, {}, model="opus", tools=[LOOK])
    tried = len(proxy.bodies(marker))
    again = post(proxy, *sent, assistant(*answer.json()["content"]), user("And?"), model="opus", tools=[LOOK])
    assert again.status_code == 200, again.text
    assert LEFT_OUT in again.headers["x-claude-max-repaired"]
    assert len(proxy.bodies(marker)) == tried + 1


def test_thinking_stays_where_the_same_words_are_added_again(proxy: RunningProxy, marker: str) -> None:
    answer, sent = _second(proxy, marker, ANY, ANY, model="opus", tools=[LOOK])
    assert answer.status_code == 200, answer.text
    assert LEFT_OUT not in answer.headers["x-claude-max-repaired"]
    assert without_marks(proxy.bodies(marker)[-1]["messages"]) == sent


def test_a_tampered_signature_is_refused_by_the_service(proxy: RunningProxy, marker: str) -> None:
    fields: dict[str, Any] = {"thinking": {"type": "adaptive"}}
    asked = user(f"{marker}\n{directive(thinking='hm', text='x')}")
    thinking, text = post(proxy, asked, **fields).json()["content"]
    answer = post(
        proxy, asked, assistant({**thinking, "signature": thinking["signature"][::-1]}, text), user("And?"), **fields
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "signature" in answer.json()["error"]["message"]


def test_documents_with_citations_and_marks(proxy: RunningProxy, marker: str) -> None:
    document = {
        "type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "The sky is blue."},
        "title": "Sky", "context": "a note", "citations": {"enabled": True},
    }  # fmt: skip
    asked = user({**document, "cache_control": EPHEMERAL}, f"{marker}\n{directive(text='Blue.')}")
    assert post(proxy, asked).status_code == 200
    [body] = proxy.bodies(marker)
    assert without_marks(body["messages"]) == [user(document, asked["content"][1])]
    assert body["messages"][0]["content"][0]["cache_control"]["type"] == "ephemeral"


def test_blocks_of_any_kind_come_back(proxy: RunningProxy, marker: str) -> None:
    content = [
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "Cited.", "citations": [{"type": "char_location", "cited_text": "c"}]},
    ]
    answer = post(proxy, user(f"{marker}\n{directive(content=content)}"), thinking={"type": "adaptive"})
    assert answer.json()["content"] == content


@pytest.mark.parametrize("reason", ["pause_turn", "model_context_window_exceeded", "refusal", "max_tokens"])
def test_stop_reasons_are_the_services_own(proxy: RunningProxy, reason: str) -> None:
    told = directive(stop_reason=reason, **({} if reason == "refusal" else {"words": 5}))
    answer = post(proxy, user(told))
    assert answer.json().get("stop_reason") == reason, answer.text


def test_the_stop_sequence_that_matched(proxy: RunningProxy) -> None:
    message = post(proxy, user(directive(text="one END two")), stop_sequences=["END"]).json()
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "END")


def test_prefill(proxy: RunningProxy, marker: str) -> None:
    post(proxy, user(f"{marker}\n{directive(text='there was')}"), assistant("Once"), model="haiku")
    assert without_marks(proxy.bodies(marker)[-1]["messages"][-1]) == assistant("Once")


def test_parameters(proxy: RunningProxy, marker: str) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    config = {"effort": "low", "format": {"type": "json_schema", "schema": schema}}
    answer = post(
        proxy, user(marker), output_config=config, metadata={"user_id": "u"}, tools=[LOOK],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )  # fmt: skip
    assert answer.headers["x-claude-max-ignored"] == "metadata"
    [body] = proxy.bodies(marker)
    assert body["output_config"] == config
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


@pytest.mark.parametrize("says", [{"text": "Much to say."}, {"thinking": "Hm", "text": "x"}, {"text": ""}])
def test_the_cache_is_filled_without_an_answer(proxy: RunningProxy, marker: str, says: dict[str, Any]) -> None:
    """For messages too: they are in the cache for requests that think alike."""
    much = f"{marker} {'word ' * 5000}"
    system = [{"type": "text", "text": much, "cache_control": EPHEMERAL}]
    asked = f"{much}\n{directive(**says, event_pause=0.03)}"
    with anthropic.Anthropic(base_url=proxy.url, api_key="unused", max_retries=0) as client:
        create: Any = client.messages.with_raw_response.create
        raw = create(model="sonnet", max_tokens=0, system=system, tools=[LOOK], messages=[user(asked)])
    filled = raw.parse()
    assert (filled.content, filled.stop_reason, filled.stop_sequence) == ([], "max_tokens", None)
    assert "max_tokens: one token asked for" in raw.headers["x-claude-max-repaired"]
    [body] = proxy.bodies(marker)
    assert (body["max_tokens"], without_marks(body["messages"]), body["tools"]) == (1, [user(asked)], [LOOK])
    real = post(proxy, user(asked), assistant("x"), user("Now."), system=system, tools=[LOOK]).json()
    assert filled.usage.cache_creation_input_tokens > 10_000
    assert real["usage"]["cache_read_input_tokens"] > 10_000


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [user({"type": "nonsense"})]}, "nonsense"),
        ({"messages": [user(" ")]}, "non-whitespace"),
        ({"messages": [user(*[{"type": "text", "text": "x", "cache_control": EPHEMERAL}] * 5)]}, "Found 5"),
        ({"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search_20250305"),
    ],
)
def test_bad_input(proxy: RunningProxy, fields: dict[str, Any], told: str) -> None:
    answer = post(proxy, user("hello"), **fields)
    error = answer.json()
    assert answer.status_code == 400, error
    assert (error["type"], error["error"]["type"]) == ("error", "invalid_request_error")
    assert told in error["error"]["message"]
    assert error["request_id"] == answer.headers["request-id"]


def test_a_session_whose_results_are_lost_goes_on(proxy: RunningProxy, marker: str) -> None:
    """As Claude Code leaves one that was killed: its service would refuse every further request of it."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    answer = post(proxy, user(marker), assistant(call), user("go on"), tools=[LOOK])
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-claude-max-repaired"] == "messages: call toolu_1 has no result; the model is told"
    [body] = proxy.bodies(marker)
    told = {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True}
    assert without_marks(body["messages"][2])["content"][0].items() >= told.items()


def test_an_hours_mark_behind_our_own(proxy: RunningProxy, marker: str) -> None:
    hour = {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    answer = post(proxy, user(marker), assistant({"type": "text", "text": "x"}), {"role": "user", "content": [hour]})
    assert answer.status_code == 200, answer.text
    [body] = proxy.bodies(marker)
    marks = [message["content"][0].get("cache_control") for message in body["messages"]]
    assert marks == [{"type": "ephemeral", "ttl": "1h"}, None, {"type": "ephemeral", "ttl": "1h"}]


def test_a_mark_on_a_tool(proxy: RunningProxy, marker: str) -> None:
    """Tools come before the system prompt, on which the CLI sets a mark of an hour."""
    marked = {"type": "text", "text": marker, "cache_control": EPHEMERAL}
    answer = post(proxy, user(marked), tools=[{**LOOK, "cache_control": EPHEMERAL}], system="Be brief.")
    assert answer.status_code == 200, answer.text
    [body] = proxy.bodies(marker)
    assert body["tools"] == [{**LOOK, "cache_control": {**EPHEMERAL, "ttl": "1h"}}]
    assert body["messages"] == [user(marked)]


def test_a_text_before_a_result(proxy: RunningProxy, marker: str) -> None:
    """The service sees no result behind another block."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "found"}
    answer = post(proxy, user(marker), assistant(call), user("So:"), user(result), user("go on"), tools=[LOOK])
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-claude-max-repaired"].endswith("late result; moved behind its call")
    [body] = proxy.bodies(marker)
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "text", "text"]


def test_failures_keep_their_status(proxy: RunningProxy) -> None:
    answer = post(proxy, user(directive(status=529)), stream=True)
    assert (answer.status_code, answer.json()["error"]["type"]) == (529, "overloaded_error")


def test_a_failure_in_mid_stream(proxy: RunningProxy) -> None:
    answer = post(proxy, user(directive(words=30, error_after=3, error={"kind": "api_error"})), stream=True)
    last = events(answer.text)[-1]
    assert (answer.status_code, last["type"]) == (200, "error")


def test_what_is_not_there(proxy: RunningProxy) -> None:
    for path in ("/v1/messages/batches", "/v1/nothing"):
        answer = proxy.http.get(path, headers=VERSION)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


def test_models(proxy: RunningProxy) -> None:
    found = proxy.http.get("/v1/models", headers=VERSION).json()
    assert found["has_more"] is False
    sonnet = next(each for each in found["data"] if each["id"] == "sonnet")
    assert (sonnet["type"], found["first_id"]) == ("model", found["data"][0]["id"])
    assert proxy.http.get("/v1/models/sonnet", headers=VERSION).json() == sonnet
    assert proxy.http.get("/v1/models/gpt-5", headers=VERSION).json()["error"]["type"] == "not_found_error"
    assert proxy.http.get("/v1/models").json()["object"] == "list"


def test_what_answers_here(proxy: RunningProxy) -> None:
    assert proxy.http.get("/").text == "claude-max is running"
    assert proxy.http.head("/").status_code == 200


def count(proxy: RunningProxy, *messages: dict[str, Any], **fields: Any) -> int:
    """The tokens of these messages."""
    body = {"model": "sonnet", "messages": list(messages), **fields}
    answer = proxy.http.post(f"{PATH}/count_tokens", json=body, headers=VERSION)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"input_tokens"}
    found: int = answer.json()["input_tokens"]
    return found


def test_tokens_are_counted_and_none_spent(proxy: RunningProxy, marker: str) -> None:
    assert proxy.api is not None
    short = count(proxy, user(f"{marker} hello"))
    long = count(proxy, user(f"{marker} hello"), assistant("Good day"), user("word " * 500))
    with_system = count(proxy, user(f"{marker} hello"), system="word " * 500)
    marked = {"type": "text", "text": f"{marker} hello", "cache_control": EPHEMERAL}
    within = count(proxy, user(marked), {"role": "system", "content": "word " * 500})
    with_tools = count(proxy, user(f"{marker} hello"), tools=[{**LOOK, "description": "word " * 500}])
    assert long > short + 400
    assert with_system > short + 400
    assert within == with_system
    # The CLI subtracts 500.
    assert short + 100 < with_tools < short + 200
    assert count(proxy, user(f"{marker} hello")) == short
    assert proxy.bodies(marker) == []
    counted = [each.body for each in proxy.api.api.requests if each.path.endswith("count_tokens")]
    assert any(marker in str(body) for body in counted)


def test_what_cannot_be_counted(proxy: RunningProxy) -> None:
    answer = proxy.http.post(f"{PATH}/count_tokens", json={"model": "sonnet", "messages": []}, headers=VERSION)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
