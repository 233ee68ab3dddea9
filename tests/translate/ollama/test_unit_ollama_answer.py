"""Events become ollama's lines: one model's words, calls on lines of their own, and a last line that is done."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy import errors
from claude_max.proxy.events import (
    BlockCompleted,
    Event,
    Finished,
    JsonObject,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from claude_max.proxy.translate.common.dialect import ResponseMeta
from claude_max.proxy.translate.ollama import CHAT
from claude_max.proxy.translate.ollama.answer import ChatForm, Form, GenerateForm, OllamaReply

CREATED = 1_700_000_000.0
USAGE = Usage(input=7, cache_read=3, output=5)
CALL: tuple[Event, ...] = (
    ToolCallStarted(0, "toolu_1", "look"),
    ToolCallDelta(0, '{"a":'),
    ToolCallDelta(0, "1}"),
    BlockCompleted(),
)


def meta() -> ResponseMeta:
    """A clock that goes on by a quarter of a second whenever it is looked at."""
    ticks = iter(range(1, 10_000))
    return ResponseMeta("id", CREATED, "sonnet", "req_1", lambda: "id", lambda: CREATED + next(ticks) / 4)


def run(
    *events: Event, form: Form | None = None, thinks: bool = True, reason: StopReason = "end_turn"
) -> tuple[JsonObject, list[JsonObject]]:
    """The whole object, and the lines of the same events."""
    reply = OllamaReply("sonnet:latest", form or ChatForm(), thinks, "stop", meta())
    lines = [
        frame.data
        for event in (Started("claude-sonnet-5-5"), *events, Finished(reason, USAGE))
        for frame in reply.feed(0, event)
    ]
    return reply.whole(), [*lines, *(frame.data for frame in reply.end())]


def test_a_chat() -> None:
    whole, lines = run(TextDelta("Hel"), TextDelta("lo"), BlockCompleted())
    assert [line["message"] for line in lines] == [{"role": "assistant", "content": text} for text in ("Hel", "lo", "")]
    assert [line["done"] for line in lines] == [False, False, True]
    assert {line["model"] for line in lines} == {"sonnet:latest"}
    assert whole["message"] == {"role": "assistant", "content": "Hello"}
    assert lines[0]["created_at"] == "2023-11-14T22:13:20.500000Z"
    last = lines[-1]
    assert (last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == ("stop", 10, 5)
    assert last["prompt_eval_duration"] == 250_000_000
    assert last["total_duration"] == last["prompt_eval_duration"] + last["eval_duration"]
    assert last["load_duration"] == 0


def test_a_call_comes_whole_on_a_line_of_its_own() -> None:
    whole, lines = run(TextDelta("Let me see."), BlockCompleted(), *CALL, reason="tool_use")
    call = {"id": "toolu_1", "function": {"index": 0, "name": "look", "arguments": {"a": 1}}}
    assert lines[1]["message"] == {"role": "assistant", "content": "", "tool_calls": [call]}
    assert whole["message"] == {"role": "assistant", "content": "Let me see.", "tool_calls": [call]}
    assert whole["done_reason"] == "stop"


def test_thinking_where_it_was_asked_for() -> None:
    thought: tuple[Event, ...] = (ReasoningDelta("hm"), ReasoningSigned("s"), BlockCompleted(), TextDelta("x"))
    whole, lines = run(*thought)
    assert (whole["message"]["thinking"], lines[0]["message"]["thinking"]) == ("hm", "hm")
    whole, lines = run(*thought, thinks=False)
    assert "thinking" not in whole["message"]
    assert len(lines) == 2


def test_a_text() -> None:
    whole, lines = run(ReasoningDelta("hm"), TextDelta("x"), form=GenerateForm())
    assert (whole["response"], whole["thinking"]) == ("x", "hm")
    assert [line["response"] for line in lines] == ["", "x", ""]
    assert "message" not in whole


@pytest.mark.parametrize(
    ("reason", "told"),
    [("max_tokens", "length"), ("model_context_window_exceeded", "length"), ("refusal", "refusal"),
     ("stop_sequence", "stop"), ("pause_turn", "stop")],
)  # fmt: skip
def test_why_it_ends(reason: StopReason, told: str) -> None:
    whole, lines = run(TextDelta("x"), reason=reason)
    assert whole["done_reason"] == lines[-1]["done_reason"] == told


EVENTS = st.sampled_from(
    [(TextDelta("a"),), (TextDelta("b"), BlockCompleted()), (ReasoningDelta("c"), BlockCompleted()), CALL]
)


@given(st.lists(EVENTS, max_size=6), st.booleans())
def test_the_lines_hold_what_the_whole_does(groups: list[tuple[Event, ...]], thinks: bool) -> None:
    whole, lines = run(*(event for group in groups for event in group), thinks=thinks)
    texts, thoughts, calls = "", "", []
    for line in lines:
        message: Any = line["message"]
        texts, thoughts = texts + message["content"], thoughts + message.get("thinking", "")
        calls += message.get("tool_calls", [])
    assert (texts, thoughts) == (whole["message"]["content"], whole["message"].get("thinking", ""))
    assert calls == whole["message"].get("tool_calls", [])
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]


def test_a_failure() -> None:
    [life] = OllamaReply("m", ChatForm(), False, "stop", meta()).alive()
    assert (life.data["done"], life.data["message"]) == (False, {"role": "assistant", "content": ""})
    [frame] = OllamaReply("m", ChatForm(), False, "stop", meta()).fail(errors.Overloaded("too much"))
    assert frame.data == {"error": "too much"}
    assert CHAT.errors.body(errors.NotFound("no", hint="why"), "req_1") == {"error": "no why"}
