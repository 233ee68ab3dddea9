"""Recorded lines become events; the first message is the answer, whatever the CLI does after it."""

from typing import Any, get_args

import pytest
from engine.stream_lines import BEGAN, RESULT, Line, answer, call, end, event, read, start, text, thinking
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy import errors
from claude_max.proxy.engine.wire.answer import Answer
from claude_max.proxy.events import (
    BlockCompleted,
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)

USAGE = Usage(input=3, cache_read=1000, cache_creation=100, output=7)
DONE = BlockCompleted()


def events(*sequence: Line, tools: tuple[str, ...] = ()) -> list[Event]:
    return read(Answer("u1", tools), *sequence)


def test_text() -> None:
    found = Answer("u1")
    assert read(found, *answer(text("Hel", "", "lo"))) == [
        BEGAN, TextDelta("Hel"), TextDelta("lo"), DONE, Finished("end_turn", USAGE),
    ]  # fmt: skip
    assert not found.over
    assert read(found, RESULT) == []
    assert found.over
    assert found.result == RESULT


def test_thinking_with_its_signature() -> None:
    sequence = [start(), *thinking("hm", ""), *text("yes", index=1), *end(output_tokens_details={"thinking_tokens": 5})]
    assert events(*sequence) == [
        BEGAN, ReasoningDelta("hm"), ReasoningSigned("c2ln"), DONE, TextDelta("yes"), DONE,
        Finished("end_turn", Usage(3, 1000, 100, 7, 5)),
    ]  # fmt: skip


def test_parallel_calls() -> None:
    parts = [text("Well"), call("c1", "look", '{"a"', ":1}", index=1), call("c2", "seek", index=2)]
    assert events(*answer(*parts, reason="tool_use")) == [
        BEGAN,
        TextDelta("Well"),
        DONE,
        ToolCallStarted(0, "c1", "look"),
        ToolCallDelta(0, '{"a"'),
        ToolCallDelta(0, ":1}"),
        DONE,
        ToolCallStarted(1, "c2", "seek"),
        ToolCallDelta(1, "{}"),
        DONE,
        Finished("tool_use", USAGE),
    ]


@pytest.mark.parametrize(
    ("said", "tools", "shown"),
    [
        ("look", ("look",), "look"),
        ("mcp__a__look", ("look",), "look"),
        ("mcp__a__my__look", ("my__look",), "my__look"),
        ("mcp__a__look", ("mcp__a__look",), "mcp__a__look"),
        ("mcp__a__look", ("mcp__a__look", "look"), "mcp__a__look"),
        ("mcp__a__other", ("look",), "mcp__a__other"),
        ("a__look", ("look",), "a__look"),
    ],
)
def test_names_of_tools(said: str, tools: tuple[str, ...], shown: str) -> None:
    assert ToolCallStarted(0, "c1", shown) in events(start(), *call("c1", said), tools=tools)


@pytest.mark.parametrize("reason", get_args(StopReason))
def test_the_reasons_are_the_services_own(reason: StopReason) -> None:
    assert events(*answer(text("a"), reason=reason))[-1] == Finished(reason, USAGE)


def test_a_reason_that_is_not_known_is_an_end() -> None:
    assert events(*answer(text("a"), reason="new_reason"))[-1] == Finished("end_turn", USAGE, unknown="new_reason")


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "tool_use", "pause_turn"])
def test_what_the_cli_does_after_the_first_message_is_not_the_clients(reason: str) -> None:
    found = Answer("u1")
    read(found, *answer(text("a"), reason=reason))
    assert read(found, *answer(text("more")), {**RESULT, "is_error": True}) == []
    assert found.over
    assert found.finished is not None
    assert found.finished.reason == reason


def test_a_stop_sequence_is_named() -> None:
    assert events(start(), *end("stop_sequence", "END"))[-1] == Finished("stop_sequence", USAGE, "END")
    assert events(start(), *end())[-1] == Finished("end_turn", USAGE, None)


@pytest.mark.parametrize("begun", [[], text("half"), call("c1", "look")], ids=["nothing", "text", "call"])
def test_a_second_beginning_is_a_fault(begun: list[Line]) -> None:
    """With one API call a turn, the CLI has dropped the first answer and asks again."""
    found = Answer("u1")
    read(found, start(), *begun)
    with pytest.raises(errors.UpstreamFault):
        found.feed(start(), 0.0)


def test_usage_that_is_left_out_stands_as_it_was() -> None:
    sequence = [start(), *end(None), event("message_delta", delta={"stop_reason": "end_turn"}, usage=None)]
    assert events(*sequence)[-1] == Finished("end_turn", USAGE)
    assert events(start(), *end(input_tokens=9, cache_read_input_tokens=None))[-1] == Finished(
        "end_turn", Usage(9, 1000, 100, 7)
    )


def test_lines_of_other_things_bring_nothing() -> None:
    found = Answer("u1")
    read(found, start())
    others: list[Line] = [
        event("content_block_delta", parent="c9", index=0, delta={"type": "text_delta", "text": "no"}),
        event("content_block_delta", index=3, delta={"type": "input_json_delta", "partial_json": "{}"}),
        event("ping"),
        {"type": "assistant", "message": {"content": [{"type": "text", "text": "no"}]}},
        {"type": "system", "subtype": "api_retry"},
        {"type": "command_lifecycle", "command_uuid": "other", "state": "started"},
    ]
    assert read(found, *others) == []
    assert found.finished is None


@pytest.mark.parametrize(
    "line",
    [
        {"type": "command_lifecycle", "command_uuid": "u1", "state": "queued"},
        {"type": "system", "subtype": "init"},
        start(),
    ],
    ids=str,
)
def test_when_the_cli_has_said_something_of_the_message(line: Line) -> None:
    """What is left of the turn before does not count."""
    found = Answer("u1")
    found.feed({"type": "rate_limit_event", "rate_limit_info": {}}, 0.0)
    found.feed({"type": "command_lifecycle", "command_uuid": "u0", "state": "completed"}, 0.0)
    assert not found.heard
    found.feed(line, 0.0)
    assert found.heard


def test_when_the_request_is_sent() -> None:
    found = Answer("u1")
    for status in (None, "compacting"):
        found.feed({"type": "system", "subtype": "status", "status": status}, 0.0)
        assert not found.requested
    found.feed({"type": "system", "subtype": "status", "status": "requesting"}, 0.0)
    assert (found.requested, found.begun) == (True, False)


def test_when_an_interrupt_can_no_longer_be_lost() -> None:
    found = Answer("u1")
    assert not found.started
    for uuid, state in (("other", "started"), ("u1", "queued")):
        found.feed({"type": "command_lifecycle", "command_uuid": uuid, "state": state}, 0.0)
        assert not found.started
    found.feed({"type": "command_lifecycle", "command_uuid": "u1", "state": "started"}, 0.0)
    assert found.started
    begun = Answer("u1")
    begun.feed(start(), 0.0)
    assert begun.started


def test_a_turn_without_an_answer_is_an_error_with_the_notices_words() -> None:
    found = Answer("u1")
    notice = {
        "type": "assistant", "error": "rate_limit", "is_api_error_message": True,
        "message": {"content": [{"type": "text", "text": "API Error: slow down"}]},
    }  # fmt: skip
    info = {"status": "rejected", "rateLimitType": "five_hour", "resetsAt": 100}
    assert read(found, {"type": "rate_limit_event", "rate_limit_info": info}, notice) == []
    assert found.rate_limit == info
    with pytest.raises(errors.RateLimited, match=r"five-hour limit.*slow down") as caught:
        found.feed({"type": "result", "is_error": True, "api_error_status": 429}, 40.0)
    assert caught.value.retry_after == 60
    assert found.over


def test_an_answer_that_is_cut_off_is_an_error() -> None:
    found = Answer("u1")
    read(found, start(), *text("half"))
    with pytest.raises(errors.UpstreamFault, match="without a whole answer"):
        found.feed(RESULT, 0.0)


def test_a_limit_that_was_told_in_an_earlier_turn_counts() -> None:
    """The CLI reports a limit when it changes, not with every failure."""
    info = {"status": "rejected", "rateLimitType": "seven_day", "resetsAt": 100}
    with pytest.raises(errors.RateLimited, match="weekly limit"):
        Answer("u1", (), info).feed({"type": "result", "is_error": True, "api_error_status": 429}, 40.0)


noise: st.SearchStrategy[Any] = st.sampled_from(
    [event("ping"), {"type": "system"}, {"type": "rate_limit_event", "rate_limit_info": None}, {"type": "assistant"}]
)


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=8), st.lists(st.tuples(st.integers(0, 9), noise)))
def test_however_the_text_is_cut_and_mixed_it_is_the_same(deltas: list[str], others: list[tuple[int, Line]]) -> None:
    sequence = text(*deltas)
    for place, other in others:
        sequence.insert(1 + place % len(sequence), other)
    found = read(Answer("u1"), *answer(sequence))
    assert "".join(e.text for e in found if isinstance(e, TextDelta)) == "".join(deltas)
    assert found[0] == BEGAN
    assert [e for e in found if isinstance(e, Finished)] == [found[-1]]
