"""Events become a message and its stream: the official SDK's own accumulator must come to the same message."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translate.response_meta import response_meta

from claude_max.proxy import errors
from claude_max.proxy.events import (
    BlockCompleted,
    Citation,
    Event,
    Finished,
    JsonObject,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningSigned,
    RedactedThinking,
    Started,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from claude_max.proxy.translate.common.frames import Frame
from claude_max.proxy.translate.messages import DIALECT
from claude_max.proxy.translate.messages.answer import MessagesReply

STARTED = Started("claude-sonnet-5-5", id="msg_1", usage=Usage(input=7, output=1))
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result"}]}
CITED = {"type": "char_location", "cited_text": "c"}


def run(*events: Event, reason: StopReason = "end_turn", stop: str | None = None) -> tuple[JsonObject, list[Frame]]:
    """The whole message, and the frames of the same events."""
    reply = MessagesReply({}, response_meta())
    ended = Finished(reason, Usage(input=7, cache_read=3, cache_creation=2, output=5, reasoning=1), stop)
    frames = [frame for event in (STARTED, *events, ended) for frame in reply.feed(0, event)]
    return reply.whole(), [*frames, *reply.end()]


def gathered(frames: list[Frame]) -> JsonObject:
    """The message as a client puts it together from the stream (platform.claude.com, "Streaming messages")."""
    message: JsonObject = {}
    pieces: dict[int, str] = {}
    for frame in frames:
        data: Any = frame.data
        assert frame.event == data["type"]
        match data["type"]:
            case "message_start":
                message = {**data["message"], "content": []}
            case "content_block_start":
                assert data["index"] == len(message["content"])
                message["content"].append(dict(data["content_block"]))
            case "content_block_delta":
                _add(message["content"][data["index"]], data["delta"], pieces, data["index"])
            case "content_block_stop" if data["index"] in pieces:
                message["content"][data["index"]]["input"] = json.loads(pieces[data["index"]])
            case "message_delta":
                message |= {**data["delta"], "usage": data["usage"]}
    return message


def _add(block: JsonObject, delta: JsonObject, pieces: dict[int, str], index: int) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] += delta["signature"]
        case "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])
        case "input_json_delta":
            pieces[index] = pieces.get(index, "") + delta["partial_json"]


def test_a_text() -> None:
    whole, frames = run(TextDelta("Hel"), TextDelta("lo"), BlockCompleted(), reason="stop_sequence", stop="END")
    assert whole == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "usage": {
            "input_tokens": 7,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 3,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 1},
        },
    }
    assert [frame.event for frame in frames] == [
        "message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta",
        "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert frames[0].data["message"]["usage"]["input_tokens"] == 7
    assert frames[0].data["message"]["content"] == []


@pytest.mark.parametrize("reason", ["pause_turn", "model_context_window_exceeded", "refusal", "max_tokens"])
def test_stop_reasons_are_as_they_are(reason: StopReason) -> None:
    whole, frames = run(TextDelta("x"), BlockCompleted(), reason=reason)
    assert whole["stop_reason"] == frames[-2].data["delta"]["stop_reason"] == reason


def test_thinking_keeps_its_signature() -> None:
    whole, _ = run(
        ReasoningDelta("h"), ReasoningDelta("m"), ReasoningSigned("sig"), BlockCompleted(),
        BlockCompleted(RedactedThinking("xyz")), ReasoningSigned("alone"), BlockCompleted(), TextDelta("x"),
    )  # fmt: skip
    assert whole["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "thinking", "thinking": "", "signature": "alone"},
        {"type": "text", "text": "x"},
    ]


def test_calls() -> None:
    whole, _ = run(
        ToolCallStarted(0, "toolu_1", "look"), ToolCallDelta(0, '{"a":'), ToolCallDelta(0, ' "b"}'), BlockCompleted(),
        ToolCallStarted(1, "toolu_2", "see"), ToolCallDelta(1, "{}"), BlockCompleted(), reason="tool_use",
    )  # fmt: skip
    assert whole["content"] == [
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": "b"}},
        {"type": "tool_use", "id": "toolu_2", "name": "see", "input": {}},
    ]


def test_a_call_that_was_cut_off_has_no_input() -> None:
    whole, _ = run(ToolCallStarted(0, "toolu_1", "look"), ToolCallDelta(0, '{"a'), reason="max_tokens")
    assert whole["content"][0]["input"] == {}


def test_searches_and_citations() -> None:
    whole, _ = run(
        BlockCompleted(OpaqueBlock(SEARCH)), BlockCompleted(OpaqueBlock(FOUND)),
        TextDelta("It is so."), Citation(CITED), BlockCompleted(),
    )  # fmt: skip
    assert whole["content"] == [SEARCH, FOUND, {"type": "text", "text": "It is so.", "citations": [CITED]}]


BLOCKS = st.sampled_from(
    [
        (TextDelta("a"), TextDelta("b"), Citation(CITED), BlockCompleted()),
        (TextDelta("c"), BlockCompleted()),
        (ReasoningDelta("d"), ReasoningSigned("s"), BlockCompleted()),
        (ReasoningSigned("s"), BlockCompleted()),
        (BlockCompleted(RedactedThinking("r")),),
        (BlockCompleted(OpaqueBlock(SEARCH)),),
        (BlockCompleted(OpaqueBlock(FOUND)),),
        (ToolCallStarted(0, "t", "n"), ToolCallDelta(0, '{"a"'), ToolCallDelta(0, ":1}"), BlockCompleted()),
        # What a schema's tool writes has no ends of blocks of its own.
        (TextDelta("e"),),
    ]
)


@given(st.lists(BLOCKS, max_size=6))
def test_the_stream_holds_what_the_whole_does(blocks: list[tuple[Event, ...]]) -> None:
    whole, frames = run(*(event for block in blocks for event in block))
    assert gathered(frames) == whole
    starts = [frame for frame in frames if frame.event == "content_block_start"]
    stops = [frame for frame in frames if frame.event == "content_block_stop"]
    assert len(starts) == len(stops) == len(whole["content"])


def test_a_failure_in_mid_stream() -> None:
    [frame] = MessagesReply({}, response_meta()).fail(errors.Overloaded("too much"))
    assert frame.event == "error"
    assert frame.data == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "too much"},
        "request_id": "req_1",
    }


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.Overloaded("x"), 529, "overloaded_error"),
        (errors.RateLimited("x"), 429, "rate_limit_error"),
        (errors.NotSignedIn("x"), 401, "authentication_error"),
        (errors.TooLarge("x"), 413, "request_too_large"),
        (errors.ModelNotFound("x"), 404, "not_found_error"),
        (errors.ExtraUsageRequired("x"), 402, "billing_error"),
        (errors.TimedOut("x"), 504, "timeout_error"),
        (errors.ServerFault("x"), 500, "api_error"),
    ],
)
def test_failures_have_the_services_own_status_and_type(error: errors.ProxyError, status: int, kind: str) -> None:
    assert DIALECT.errors.status(error) == status
    assert DIALECT.errors.body(error, "req_1")["error"]["type"] == kind


def test_every_failure_has_a_type() -> None:
    kinds = {each.kind for each in _all(errors.ProxyError)}
    assert {DIALECT.errors.body(_of(kind), "")["type"] for kind in kinds} == {"error"}


def _all(base: type[errors.ProxyError]) -> list[type[errors.ProxyError]]:
    return [base, *(each for child in base.__subclasses__() for each in _all(child))]


def _of(kind: str) -> errors.ProxyError:
    return next(each for each in _all(errors.ProxyError) if each.kind == kind)("x")
