"""The CLI's schema mode: nothing of an attempt is shown before one fits, and every attempt is paid for."""

import pytest
from engine.stream_lines import BEGAN, RESULT, Line, answer, call, end, event, read, start, text, thinking

from claude_max.proxy import errors
from claude_max.proxy.engine.schema_answer import SchemaAnswer
from claude_max.proxy.events import (
    Finished,
    Message,
    Text,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)

ONCE, THRICE = Usage(3, 1000, 100, 7), Usage(9, 3000, 300, 21)
FITS = {**RESULT, "structured_output": {"a": 1}}


def attempt(json: str) -> list[Line]:
    return answer(thinking("hm"), call("s1", "StructuredOutput", json, index=1), reason="tool_use")


def test_the_value_that_fits_comes_in_one_piece() -> None:
    found = SchemaAnswer({}, "u1", ("look",))
    assert read(found, *attempt('{"a":1}')) == [BEGAN]
    assert read(found, FITS) == [TextDelta('{"a":1}'), Finished("end_turn", ONCE)]
    assert found.message == Message("assistant", (Text('{"a":1}'),))
    assert found.over


def test_attempts_that_do_not_fit_are_not_shown_and_are_paid_for() -> None:
    found = SchemaAnswer({}, "u1")
    sequence = [*attempt('{"wrong"'), *answer(text("Let me try again")), *attempt('{"a":1}')]
    assert read(found, *sequence) == [BEGAN]
    assert found.finished is None
    assert read(found, FITS) == [TextDelta('{"a":1}'), Finished("end_turn", THRICE)]


def test_a_value_is_held_against_the_whole_schema() -> None:
    """The CLI was given it without what its mode does not know."""
    schema = {"properties": {"a": {"type": "integer"}}, "unevaluatedProperties": False}
    assert read(SchemaAnswer(schema, "u1"), *attempt('{"a":1}'), FITS)[-1] == Finished("end_turn", ONCE)
    with pytest.raises(errors.UpstreamFault, match="fits the schema"):
        read(SchemaAnswer(schema, "u1"), *attempt("{}"), {**FITS, "structured_output": {"a": 1, "b": 2}})
    odd = {"properties": {"a": {"pattern": "\\cA"}}}
    assert read(SchemaAnswer(odd, "u1"), *attempt('{"a":1}'), FITS)[-1] == Finished("end_turn", ONCE)


def test_a_cli_that_left_the_schema_away() -> None:
    found = SchemaAnswer({}, "u1")
    assert read(found, {"type": "system", "subtype": "init", "tools": ["StructuredOutput", "look"]}) == []
    with pytest.raises(errors.BadRequest, match="draft 7"):
        read(found, {"type": "system", "subtype": "init", "tools": ["look"]})


@pytest.mark.parametrize("value", [0, False, "", [], {}])
def test_any_value_is_an_answer(value: object) -> None:
    found = SchemaAnswer({}, "u1")
    events = read(found, *attempt("{}"), {**RESULT, "structured_output": value})
    assert isinstance(events[-1], Finished)


def test_calls_of_the_clients_own_tools_are_shown_and_count_from_nought() -> None:
    found = SchemaAnswer({}, "u1", ("look",))
    calls = [
        text("First"),
        call("s1", "StructuredOutput", '{"a":1}', index=1),
        call("c1", "mcp__a__look", '{"q":1}', index=2),
        call("c2", "look", index=3),
    ]
    assert read(found, *answer(*calls, reason="tool_use")) == [
        BEGAN,
        ToolCallStarted(0, "c1", "look"),
        ToolCallDelta(0, '{"q":1}'),
        ToolCallStarted(1, "c2", "look"),
        ToolCallDelta(1, "{}"),
        Finished("tool_use", ONCE),
    ]
    assert found.calls == ("c1", "c2")


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
def test_a_limit_ends_it_without_half_a_value(reason: str) -> None:
    found = SchemaAnswer({}, "u1")
    sequence = answer(call("s1", "StructuredOutput", '{"a"'), reason=reason)
    assert read(found, *sequence) == [BEGAN, Finished(reason, ONCE)]  # type: ignore[arg-type]
    assert found.calls == ()


def test_no_value_at_all_is_a_fault() -> None:
    found = SchemaAnswer({}, "u1")
    read(found, *attempt("{}"))
    with pytest.raises(errors.UpstreamFault, match="fits the schema"):
        read(found, RESULT)
    assert found.over


def test_an_error_is_the_same_as_without_a_schema() -> None:
    found = SchemaAnswer({}, "u1")
    with pytest.raises(errors.Overloaded):
        read(
            found, {"type": "result", "is_error": True, "api_error_status": 529, "result": "API Error: 529 Overloaded"}
        )


def test_counts_before_the_end_bring_nothing() -> None:
    found = SchemaAnswer({}, "u1", ("look",))
    counts = event("message_delta", delta={}, usage={"output_tokens": 2})
    sequence = [start(), *call("c1", "look", "{}"), counts, *end("tool_use")]
    assert read(found, *sequence)[-1] == Finished("tool_use", ONCE)
