"""Blocks of every kind: those with a type of their own, those carried as they are, and characters cut in two."""

from itertools import pairwise
from typing import Any

import pytest
from engine.stream_lines import BEGAN, Line, answer, block, call, event, input_json, read, start, text, thinking
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.wire.answer import Answer
from claude_max.proxy.events import (
    BlockCompleted,
    Citation,
    Event,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningSigned,
    RedactedThinking,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)

DONE = BlockCompleted()
HIGH, LOW = "\ud83d", "\ude00"
CITED = {"type": "char_location", "cited_text": "x", "document_index": 0}
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}


def within(*lines: Line) -> list[Event]:
    """The events of a message that holds these lines, without its start and its end."""
    return read(Answer("u1"), *answer(lines))[1:-1]


def test_redacted_thinking_comes_whole() -> None:
    redacted = block({"type": "redacted_thinking", "data": "abc"})
    assert within(*redacted) == [BlockCompleted(RedactedThinking("abc"))]


def test_thinking_of_which_only_the_signature_is_shown() -> None:
    assert within(*thinking()) == [ReasoningSigned("c2ln"), DONE]


def test_thinking_that_comes_whole() -> None:
    whole = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    assert within(*block(whole)) == [ReasoningDelta("hm"), ReasoningSigned("c2ln"), DONE]


def test_an_empty_signature_is_none() -> None:
    whole = {"type": "thinking", "thinking": "hm", "signature": ""}
    assert within(*block(whole, {"type": "signature_delta", "signature": ""})) == [ReasoningDelta("hm"), DONE]


@pytest.mark.parametrize(
    "block_json",
    [
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "x", "encrypted": "y"}]},
        {"type": "something_new", "of": ["any", {"shape": 1}]},
        SEARCH,
    ],
    ids=lambda found: str(found["type"]),
)
def test_what_has_no_type_here_is_carried_as_it_is(block_json: dict[str, Any]) -> None:
    assert within(*block(block_json)) == [BlockCompleted(OpaqueBlock(block_json))]


def test_the_input_of_a_server_tools_call_is_put_together() -> None:
    sequence = block(SEARCH, *input_json("", '{"query"', ':"é"}'))
    assert within(*sequence) == [BlockCompleted(OpaqueBlock({**SEARCH, "input": {"query": "é"}}))]


def test_the_input_of_a_server_tools_call_that_was_cut_off_is_left_out() -> None:
    """As with `max_tokens` in the middle of it."""
    sequence = block(SEARCH, *input_json('{"query":"half'))
    assert within(*sequence) == [BlockCompleted(OpaqueBlock(SEARCH))]


def test_opaque_blocks_and_calls_do_not_mix() -> None:
    sequence = [
        *block(SEARCH, *input_json('{"query":1}'), index=0),
        *call("c1", "look", '{"a":1}', index=1),
        *block({"type": "new"}, index=2),
        *text("x", index=3),
    ]
    assert within(*sequence) == [
        BlockCompleted(OpaqueBlock({**SEARCH, "input": {"query": 1}})),
        ToolCallStarted(0, "c1", "look"),
        ToolCallDelta(0, '{"a":1}'),
        DONE,
        BlockCompleted(OpaqueBlock({"type": "new"})),
        TextDelta("x"),
        DONE,
    ]


def test_citations_of_a_text() -> None:
    begun = {"type": "text", "text": "a", "citations": [CITED]}
    more = {"type": "citations_delta", "citation": {**CITED, "cited_text": "y"}}
    assert within(*block(begun, more, {"type": "text_delta", "text": "b"})) == [
        TextDelta("a"), Citation(CITED), Citation({**CITED, "cited_text": "y"}), TextDelta("b"), DONE,
    ]  # fmt: skip


def test_a_text_without_citations() -> None:
    assert within(*block({"type": "text", "text": "a", "citations": None})) == [TextDelta("a"), DONE]


def test_a_call_whose_input_is_whole_at_its_beginning() -> None:
    whole = {"type": "tool_use", "id": "c1", "name": "look", "input": {"b": 1, "a": "é"}}
    assert within(*block(whole)) == [ToolCallStarted(0, "c1", "look"), ToolCallDelta(0, '{"b":1,"a":"é"}'), DONE]


def test_a_call_that_is_cut_off_keeps_what_came() -> None:
    assert within(*call("c1", "look", '{"a"')) == [ToolCallStarted(0, "c1", "look"), ToolCallDelta(0, '{"a"'), DONE]


def test_an_unknown_delta_brings_nothing() -> None:
    assert within(*block({"type": "text", "text": ""}, {"type": "new_delta", "x": 1})) == [DONE]


def deltas(kind: str, *parts: str) -> list[Line]:
    """A block of this kind, streamed in these parts."""
    match kind:
        case "text":
            return text(*parts)
        case "thinking":
            return block({"type": "thinking"}, *({"type": "thinking_delta", "thinking": part} for part in parts))
        case _:
            return call("c1", "look", *parts)


def of_kind(kind: str, found: list[Event]) -> str:
    match kind:
        case "text":
            return "".join(event.text for event in found if isinstance(event, TextDelta))
        case "thinking":
            return "".join(event.text for event in found if isinstance(event, ReasoningDelta))
        case _:
            return "".join(event.json for event in found if isinstance(event, ToolCallDelta))


KINDS = ("text", "thinking", "call")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (("a" + HIGH, LOW + "b"), "a😀b"),
        ((HIGH, "", LOW), "😀"),
        ((HIGH, "x"), "\ufffdx"),
        (("a" + HIGH,), "a\ufffd"),
        ((LOW,), "\ufffd"),
        ((HIGH, HIGH, LOW), "\ufffd😀"),
    ],
)
def test_a_character_that_was_cut_in_two(kind: str, parts: tuple[str, ...], whole: str) -> None:
    found = within(*deltas(kind, *parts))
    assert of_kind(kind, found) == whole
    assert found[-1] == DONE
    others = [other for other in KINDS if other != kind]
    assert [of_kind(other, found) for other in others] == ["", ""]


def test_half_a_character_does_not_reach_the_next_block() -> None:
    found = within(*text("a" + HIGH), *text(LOW, index=1))
    assert found == [TextDelta("a"), TextDelta("\ufffd"), DONE, TextDelta("\ufffd"), DONE]


@given(st.text(alphabet=st.sampled_from("aé€😀𝄞"), min_size=1, max_size=12), st.data())
def test_however_characters_are_cut_the_text_is_the_same(whole: str, data: st.DataObject) -> None:
    units = whole.encode("utf-16-le")
    codes = [units[i : i + 2].decode("utf-16-le", "surrogatepass") for i in range(0, len(units), 2)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(codes)), max_size=6)))
    edges = [0, *cuts, len(codes)]
    parts = ["".join(codes[a:b]) for a, b in pairwise(edges)]
    kind = data.draw(st.sampled_from(KINDS))
    found = within(*deltas(kind, *parts))
    assert of_kind(kind, found) == whole
    for piece in found:
        if isinstance(piece, TextDelta | ReasoningDelta):
            assert piece.text.encode(), "can be sent"


def test_the_message_begins_with_its_id_and_its_usage() -> None:
    assert read(Answer("u1"), start()) == [BEGAN]
    bare = event("message_start", message={})
    (begun,) = read(Answer("u1"), bare)
    assert begun != BEGAN
