"""However an answer comes, its stream folds to the whole response of the same events, and both are OpenAI's."""

import json
from typing import Any, get_args

import orjson
import pytest
from harness.responses import check_event, check_response, folded, kinds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from translate.response_meta import CREATED, response_meta

from claude_max.proxy.errors import ContextTooLong, ProxyError, RateLimited, UpstreamFault
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
    Thinking,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from claude_max.proxy.translate.responses.answer import ResponsesReply, usage_object
from claude_max.proxy.translate.responses.kept import Asked
from claude_max.proxy.translate.responses.options import Options
from claude_max.proxy.translate.responses.thinking import decrypted
from claude_max.proxy.translate.responses.tools import Named

MODEL = "claude-sonnet-5-5"
NAMES = {
    "look": Named("look"),
    "patch": Named("patch", kind="custom_tool"),
    "many__close": Named("close", "many"),
    "tool_search": Named("tool_search", kind="tool_search"),
}
words = st.text(min_size=1, max_size=5)
usages = st.builds(Usage, *[st.integers(0, 99)] * 5)
PAGE = {"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "x"}


def split(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces, none of them empty."""
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=6)))
    ends = [*(cut for cut in cuts if cut < len(text)), len(text)]
    return [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True) if start != end]


KINDS = ("text", "cited", "thinking", "redacted", "call", "custom", "namespaced", "tools", "search", "other")


@st.composite
def blocks(draw: st.DrawFn, index: int) -> list[Event]:
    """The events of one block of the service's; a call is number `index`."""
    kind = draw(
        st.sampled_from(["text", "cited", "thinking", "redacted", "call", "custom", "namespaced", "search", "other"])
    )
    if kind in ("text", "cited"):
        said: list[Event] = [TextDelta(text) for text in draw(st.lists(words, min_size=1, max_size=3))]
        if kind == "cited":
            source: JsonObject = draw(st.sampled_from([PAGE, {**PAGE, "title": None}, {"type": "char_location"}]))
            said.insert(draw(st.integers(0, len(said))), Citation(source))
        return [*said, BlockCompleted()]
    if kind == "thinking":
        shown = [ReasoningDelta(text) for text in draw(st.lists(words, max_size=2))]
        return [*shown, ReasoningSigned("sig"), BlockCompleted()]
    if kind == "redacted":
        return [BlockCompleted(RedactedThinking("hidden"))]
    if kind == "search":
        call = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": draw(words)}}
        pages = [{"type": "web_search_result", "url": "https://a.example", "title": "A"}]
        found: Any = draw(st.sampled_from([pages, [], {"type": "web_search_tool_result_error"}]))
        result = OpaqueBlock({"type": "web_search_tool_result", "tool_use_id": "s1", "content": found})
        return [BlockCompleted(OpaqueBlock(call)), BlockCompleted(result)]
    if kind == "other":
        return [BlockCompleted(OpaqueBlock({"type": "container_upload"}))]
    if kind == "custom":
        name, arguments = "patch", json.dumps({"input": draw(st.text(max_size=9))}, ensure_ascii=draw(st.booleans()))
    else:
        name = {"call": "look", "tools": "tool_search"}.get(kind, "many__close")
        arguments = draw(st.sampled_from(["", "{}", '{"a": "é\\n"}']))
    pieces = split(draw, arguments)
    return [
        ToolCallStarted(index, f"toolu_{index}", name),
        *(ToolCallDelta(index, p) for p in pieces),
        BlockCompleted(),
    ]


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """The events of one answer, as the engine yields them; the end may cut the last block."""
    made: list[Event] = [Started(MODEL)]
    for index in range(draw(st.integers(0, 5))):
        made += draw(blocks(index))
    if draw(st.booleans()) and made[-1] == BlockCompleted():
        made.pop()
    return [*made, Finished(draw(st.sampled_from(get_args(StopReason))), draw(usages))]


options = st.builds(Options, st.just({}), st.booleans(), st.booleans(), st.booleans())


def reply(made: Options | None = None, *, store: bool = False) -> ResponsesReply:
    return ResponsesReply(made or Options(), NAMES, Asked(store=store), response_meta())


def streamed(to: ResponsesReply, answer: list[Event]) -> list[JsonObject]:
    frames = [frame for event in answer for frame in to.feed(0, event)] + to.end()
    assert [frame.event for frame in frames] == [frame.data["type"] for frame in frames]
    return [orjson.loads(orjson.dumps(frame.data)) for frame in frames]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(answers(), options)
def test_any_stream_folds_to_the_whole_object(answer: list[Event], made: Options) -> None:
    to = reply(made)
    events = streamed(to, answer)
    for event in events:
        check_event(event)
    whole = to.whole()
    check_response(whole)
    assert folded(events) == events[-1]["response"] == whole
    ids = [item["id"] for item in whole["output"]]
    assert len(set(ids)) == len(ids)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(answers(), options)
def test_nothing_the_model_said_is_lost(answer: list[Event], made: Options) -> None:
    to = reply(made, store=True)
    streamed(to, answer)
    record = to.record()
    assert record is not None
    texts = [part["text"] for item in record.output if item["type"] == "message" for part in item["content"]]
    assert "".join(texts) == "".join(event.text for event in answer if isinstance(event, TextDelta))
    calls = [
        item for item in record.output if item["type"] in ("function_call", "custom_tool_call", "tool_search_call")
    ]
    assert [call["call_id"] for call in calls] == [event.id for event in answer if isinstance(event, ToolCallStarted)]
    thought = [decrypted(item["encrypted_content"]) for item in record.output if item["type"] == "reasoning"]
    signed = [event for event in answer if isinstance(event, ReasoningSigned)]
    assert sum(isinstance(block, Thinking) for block in thought) == len(signed)


TEXT: list[Event] = [Started(MODEL), TextDelta("Good"), TextDelta(" day"), BlockCompleted()]
DONE = Finished("end_turn", Usage(7, 3, 1, 5, 2))


def test_the_sequence_of_a_text() -> None:
    assert kinds(streamed(reply(), [*TEXT, DONE])) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.done",
        "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip


def test_the_sequence_of_thinking_and_calls() -> None:
    answer: list[Event] = [
        Started(MODEL), ReasoningDelta("Let me"), ReasoningDelta(" see."), ReasoningSigned("sig"), BlockCompleted(),
        ToolCallStarted(0, "toolu_1", "look"), ToolCallDelta(0, "{}"), BlockCompleted(),
        ToolCallStarted(1, "toolu_2", "patch"), ToolCallDelta(1, '{"input": "a'), ToolCallDelta(1, 'b"}'),
        BlockCompleted(), Finished("tool_use", Usage()),
    ]  # fmt: skip
    to = reply(Options(summaries=True))
    assert kinds(streamed(to, answer)) == [
        "created", "in_progress",
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    thought, called, custom = to.whole()["output"]
    assert thought == {
        "id": "rs_id0",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Let me see."}],
    }
    assert (called["call_id"], called["name"], called["arguments"]) == ("toolu_1", "look", "{}")
    assert (custom["call_id"], custom["name"], custom["input"]) == ("toolu_2", "patch", "ab")


def test_a_tool_of_a_namespace_has_its_own_name_again() -> None:
    to = reply()
    streamed(to, [Started(MODEL), ToolCallStarted(0, "toolu_1", "many__close"), BlockCompleted(), DONE])
    (called,) = to.whole()["output"]
    assert (called["name"], called["namespace"], called["arguments"]) == ("close", "many", "{}")


def test_the_whole_object() -> None:
    to = reply(Options({"model": "sonnet", "metadata": {"a": "b"}, "instructions": "Be brief.", "temperature": 0.5}))
    streamed(to, [*TEXT, DONE])
    part = {"type": "output_text", "text": "Good day", "annotations": [], "logprobs": []}
    assert to.whole() == {
        "id": "resp_id", "object": "response", "created_at": CREATED, "status": "completed", "completed_at": CREATED,
        "error": None, "incomplete_details": None, "model": MODEL,
        "output": [{"id": "msg_id0", "type": "message", "status": "completed", "role": "assistant", "content": [part]}],
        "usage": {
            "input_tokens": 11, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
            "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 16,
        },
        "background": False, "instructions": "Be brief.", "max_output_tokens": None, "max_tool_calls": None,
        "metadata": {"a": "b"}, "parallel_tool_calls": True, "previous_response_id": None, "prompt_cache_key": None,
        "reasoning": {"effort": None, "summary": None}, "safety_identifier": None, "service_tier": "default",
        "store": False, "temperature": 0.5, "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto", "tools": [], "top_logprobs": 0, "top_p": 1, "truncation": "disabled", "user": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "status", "why", "item"),
    [
        ("end_turn", "completed", None, "completed"),
        ("stop_sequence", "completed", None, "completed"),
        ("tool_use", "completed", None, "completed"),
        ("pause_turn", "completed", None, "completed"),
        ("max_tokens", "incomplete", "max_output_tokens", "incomplete"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens", "incomplete"),
        ("refusal", "incomplete", "content_filter", "completed"),
    ],
)
def test_how_an_answer_ends(reason: StopReason, status: str, why: str | None, item: str) -> None:
    to = reply()
    events = streamed(to, [*TEXT, Finished(reason, Usage())])
    whole = to.whole()
    assert events[-1]["type"] == f"response.{status}"
    assert (whole["status"], (whole["incomplete_details"] or {}).get("reason")) == (status, why)
    assert whole["output"][0]["status"] == item
    assert (whole["completed_at"] is None) == (status == "incomplete")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpstreamFault("cut"), "server_error"),
        (RateLimited("limit"), "rate_limit_exceeded"),
        (ContextTooLong("long"), "context_length_exceeded"),
    ],
)
def test_a_failure_in_mid_stream(error: ProxyError, code: str) -> None:
    to = reply()
    for event in TEXT:
        to.feed(0, event)
    (frame,) = to.fail(error)
    assert frame.event == "response.failed"
    assert frame.data["response"]["status"] == "failed"
    assert frame.data["response"]["error"] == {"code": code, "message": str(error)}
    assert frame.data["response"]["output"][0]["content"][0]["text"] == "Good day"


def test_citations_stand_over_their_blocks() -> None:
    answer: list[Event] = [
        Started(MODEL), TextDelta("See "), BlockCompleted(), Citation(PAGE), TextDelta("this"), BlockCompleted(),
        TextDelta("."), BlockCompleted(), DONE,
    ]  # fmt: skip
    to = reply()
    streamed(to, answer)
    (message,) = to.whole()["output"]
    (part,) = message["content"]
    assert part["text"] == "See this."
    assert part["annotations"] == [
        {"type": "url_citation", "start_index": 4, "end_index": 8, "url": "https://a.example", "title": "A"}
    ]


def test_thinking_is_given_back_when_it_is_asked_for() -> None:
    answer: list[Event] = [Started(MODEL), ReasoningDelta("Hm."), ReasoningSigned("s1"), BlockCompleted(),
                           BlockCompleted(RedactedThinking("dark")), *TEXT[1:], DONE]  # fmt: skip
    shown, hidden = reply(Options(encrypted=True)), reply()
    streamed(shown, answer)
    streamed(hidden, answer)
    thought, dark, _ = shown.whole()["output"]
    assert decrypted(thought["encrypted_content"]) == Thinking("Hm.", "s1")
    assert decrypted(dark["encrypted_content"]) == RedactedThinking("dark")
    assert thought["summary"] == []
    assert ["encrypted_content" in item for item in hidden.whole()["output"]] == [False] * 3


@pytest.mark.parametrize(
    "content", ["gAAAAABo", "claude-max:1:%%", "claude-max:1:e30=", "claude-max:1:eyJkYXRhIjoiIn0="]
)
def test_thinking_that_was_not_made_here(content: str) -> None:
    assert decrypted(content) is None


def test_usage() -> None:
    assert usage_object(Usage(1, 2, 3, 4, 5))["total_tokens"] == 10


def test_a_sign_of_life_says_what_there_is_so_far() -> None:
    made = reply()
    assert made.alive() == []
    begun = made.feed(0, Started("m"))
    (life,) = made.alive()
    assert life.event == "response.in_progress"
    assert life.data["sequence_number"] == len(begun)
    assert life.data["response"]["status"] == "in_progress"
