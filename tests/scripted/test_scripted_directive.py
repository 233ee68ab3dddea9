"""Every key of a directive reaches the answer, and what cannot be followed is named."""

import json
from typing import Any

import pytest
from harness.scripted_bodies import WEATHER, body, reply, say, text

from claude_max.proxy.scripted import Drop, Failure, Once, TextBlock, ThinkingBlock, ToolUseBlock, Usage, answer
from claude_max.proxy.scripted.script import count


def test_pieces_of_json_lose_nothing() -> None:
    block = ToolUseBlock("toolu_1", "f", {"city": "Malmö", "n": [1, 2, 3]}, pieces=5)
    parts = [delta["partial_json"] for delta in block.deltas()]
    assert parts[0] == ""
    assert len(parts) == 6
    assert json.loads("".join(parts)) == {"city": "Malmö", "n": [1, 2, 3]}


def test_thinking_text_and_calls_in_this_order() -> None:
    made = reply(
        body(
            say(
                thinking="hm",
                signature="sig",
                text="look",
                call=[{"name": "f", "input": {"a": 1}}, {"name": "g", "id": "x"}],
            )
        )
    )
    thinking, said, first, second = made.blocks
    assert (thinking, said) == (ThinkingBlock("hm", "sig"), TextBlock("look"))
    assert isinstance(first, ToolUseBlock)
    assert isinstance(second, ToolUseBlock)
    assert (first.name, first.input, second.name, second.id, second.input) == ("f", {"a": 1}, "g", "x", {})
    assert made.stop_reason == "tool_use"


def test_call_ids_are_long_deterministic_and_unique() -> None:
    def ids(request: dict[str, Any], number: int) -> list[str]:
        return [block.id for block in reply(request, number).blocks if isinstance(block, ToolUseBlock)]

    asked = body(say(call=[{"name": "f"}, {"name": "f"}]))
    assert ids(asked, 1) == ids(asked, 1)
    longer = body("hi", "ok", say(call=[{"name": "f"}, {"name": "f"}]))
    every = ids(asked, 1) + ids(asked, 2) + ids(longer, 1)
    assert len(set(every)) == 6
    assert all(name.startswith("toolu_") and len(name) >= 26 for name in every)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ([WEATHER], "mcp__a__get_weather"),
        ([WEATHER, {"name": "get_weather"}], "get_weather"),
        ([], "get_weather"),
        ([{"name": "x__get_weather"}], "get_weather"),
    ],
)
def test_a_called_name_finds_its_prefixed_version(offered: list[dict[str, Any]], expected: str) -> None:
    (block,) = reply(body(say(call={"name": "get_weather"}), tools=offered)).blocks
    assert isinstance(block, ToolUseBlock)
    assert block.name == expected


def test_every_key_of_the_pace_reaches_the_reply() -> None:
    pace = {
        "event_pause": 0.05,
        "ping_every": 2,
        "chunk": 7,
        "pause": 0.1,
        "first_byte": 0.2,
        "silence": 0.3,
        "pings": 4,
        "cut_after": 5,
        "error_after": 6,
        "headers": {"a": "b"},
    }
    made = reply(body(say(words=3, error={"kind": "api_error", "message": "m"}, **pace)))
    assert {key: getattr(made, key) for key in pace} == pace
    assert (made.error.kind, made.error.message) == ("api_error", "m")
    assert made.blocks == (TextBlock("word1 word2 word3"),)


def test_usage_is_of_the_real_sizes_and_can_be_set() -> None:
    request = body(say(text="one two three"))
    made = reply(request)
    assert made.usage == Usage(input_tokens=-(-len(json.dumps(request["messages"])) // 4))
    assert made.tokens == 3
    assert reply(body(say(text="x", usage={"cache_read_input_tokens": 7, "input_tokens": 2}))).usage == Usage(
        2, None, 0, 7
    )


def test_content_is_given_as_it_is() -> None:
    citation = {"type": "web_search_result_location", "url": "https://example.com"}
    redacted, unknown = {"type": "redacted_thinking", "data": "x"}, {"type": "brand_new", "value": [1]}
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    cited = {"type": "text", "text": "a b", "citations": [citation]}
    content = [{"type": "thinking", "thinking": "hm"}, redacted, search, found, cited, unknown]
    made = reply(body(say(content=content)))
    assert [block.whole() for block in made.blocks][1:] == content[1:]
    assert (made.blocks[0], made.stop_reason) == (ThinkingBlock("hm"), "end_turn")
    assert made.blocks[2].opening() == {**search, "input": {}}
    assert [delta["type"] for delta in made.blocks[4].deltas()] == ["text_delta", "text_delta", "citations_delta"]
    assert [made.blocks[at].deltas() for at in (1, 3, 5)] == [[], [], []]


def test_a_call_can_be_whole_at_its_start() -> None:
    made = reply(body(say(call={"name": "f", "input": {"a": 1}, "id": "x", "at_once": True})))
    assert made.blocks[0].opening() == {"type": "tool_use", "id": "x", "name": "f", "input": {"a": 1}}
    assert made.blocks[0].deltas() == []


@pytest.mark.parametrize("given", ['{"a": "\\ud83d!"}', {"a": "\ud83d!"}])
def test_half_a_surrogate_pair_is_an_escape(given: Any) -> None:
    block = ToolUseBlock("x", "f", given)
    assert "\\ud83d" in block.raw
    assert json.loads("".join(delta["partial_json"] for delta in block.deltas())) == {"a": "\ud83d!"}


def test_the_limits_of_a_plan_are_headers() -> None:
    limits = {"status": "allowed_warning", "claim": "overage", "5h": 0.9, "overage": "allowed", "in_use": True}
    made = reply(body(say(text="x", limits=limits, headers={"a": "b"})))
    prefix = "anthropic-ratelimit-unified-"
    assert made.headers == {
        f"{prefix}status": "allowed_warning",
        f"{prefix}representative-claim": "overage",
        f"{prefix}5h-utilization": "0.9",
        f"{prefix}5h-reset": "+3600",
        f"{prefix}overage-status": "allowed",
        f"{prefix}overage-in-use": "true",
        "a": "b",
    }


def test_failing_once_and_dropping() -> None:
    made = reply(body(say(text="x", once={"status": 529, "times": 2})))
    assert made.once == Once(Failure(529, "overloaded_error", "scripted: 529"), 2)
    assert reply(body(say(text="x", once={"drop": "after_headers"}))).once == Once(Drop(headers=True))
    assert answer(body(say(drop="before_headers")), 1) == Drop()


def test_a_count_can_be_set() -> None:
    assert count(body(say(usage={"input_tokens": 1_200_000}))) == 1_200_000
    assert count(body("hi")) == count(body("{not a directive"[:2])) > 0


def test_repeat_gives_back_the_request() -> None:
    request = body(say(repeat="body"), system="S", tools=[WEATHER])
    assert json.loads(text(request)) == request["messages"]
    request = body(say(repeat="params"), system="S", temperature=0.5)
    assert json.loads(text(request)) == {"model": "haiku", "max_tokens": 1000, "temperature": 0.5}
    assert json.loads(text(body(say(repeat="system"), system="S"))) == "S"


def test_a_refusal_has_no_content() -> None:
    made = reply(body(say(stop_reason="refusal")))
    assert (made.blocks, made.stop_reason) == ((), "refusal")


def test_a_429_carries_the_headers_the_cli_reads() -> None:
    made = answer(body(say(status=429, reset=1900000000, claim="five_hour")), 1)
    assert made == Failure(
        429,
        "rate_limit_error",
        "scripted: 429",
        {
            "anthropic-ratelimit-unified-status": "rejected",
            "anthropic-ratelimit-unified-reset": "1900000000",
            "anthropic-ratelimit-unified-representative-claim": "five_hour",
        },
    )
    default = answer(body(say(status=429)), 1)
    assert isinstance(default, Failure)
    assert default.reset_in == 3600
    assert answer(body(say(status=529, message="m", headers={"x": "y"})), 1) == Failure(
        529, "overloaded_error", "m", {"x": "y"}
    )


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{text: 1}", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"txet": "a"}', "txet"),
        ('{"text": 1}', "text must be str"),
        ('{"pause": -1}', "pause"),
        ('{"pings": true}', "pings"),
        ('{"status": 429, "text": "a"}', "text"),
        ('{"status": 200}', "200"),
        ('{"call": [{"nmae": "f"}]}', "name"),
        ('{"call": {"name": "f", "inputs": {}}}', "call.inputs"),
        ('{"usage": {"tokens": 1}}', "usage.tokens"),
        ('{"text": "a", "words": 1}', "text, words"),
        ('{"repeat": "x"}', "repeat"),
        ('{"headers": {"a": 1}}', "headers"),
        ('{"error": {"type": "x"}}', "error.type"),
        ('{"call": {"name": "f"}, "then": {"tetx": ""}}', "tetx"),
        ("", "not JSON"),
        ('{"content": [{}]}', "content must be objects with a type"),
        ('{"content": [], "text": "a"}', "text, content"),
        ('{"drop": "now"}', "drop must be one of"),
        ('{"once": {}}', "once must have a status or a drop"),
        ('{"once": {"status": 500, "drop": "before_headers"}}', "once must have a status or a drop"),
        ('{"once": {"status": 200}}', "200"),
        ('{"limits": {"3h": 1}}', "limits.3h"),
        ('{"call": {"name": "f", "at_once": 1}}', "call.at_once must be bool"),
    ],
)
def test_a_directive_that_cannot_be_followed_is_named(line: str, named: str) -> None:
    made = answer(body(f"scripted: {line}"), 1)
    assert isinstance(made, Failure)
    assert (made.status, made.kind) == (400, "invalid_request_error")
    assert named in made.message
