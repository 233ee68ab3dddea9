"""Answers that are cut, or freed of what stands around them, in whatever pieces they come."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.events import (
    BlockCompleted,
    Event,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallStarted,
    Usage,
)
from claude_max.proxy.translate.common.filters import Filter, JsonOnly, StopCut

END = Finished("end_turn", Usage(input=3, output=9))


def fed(filter: Filter, *texts: str) -> list[Event]:
    events: list[Event] = [Started("m", usage=Usage(input=3)), *map(TextDelta, texts), BlockCompleted(), END]
    found: list[Event] = []
    for event in events:
        if not filter.done:
            found += filter.feed(event)
    return found


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def in_pieces(whole: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[a:b] for a, b in itertools.pairwise(places)]


cuts = st.lists(st.integers(0, 100), max_size=5)


@given(
    st.text("ab\n ", max_size=20), st.lists(st.sampled_from(("\n", "\n\n", " ", " \n")), min_size=1, unique=True), cuts
)
def test_an_answer_ends_where_the_first_stop_begins(whole: str, stops: list[str], cut: list[int]) -> None:
    """Also where a sequence is cut in two."""
    found = fed(StopCut(stops), *in_pieces(whole, cut))
    places = [place for stop in stops if (place := whole.find(stop)) >= 0]
    assert text(found) == whole[: min(places, default=len(whole))]
    (end,) = [event for event in found if isinstance(event, Finished)]
    assert end == found[-1]
    assert end.reason == ("stop_sequence" if places else "end_turn")


def test_a_cut_answer_tells_its_stop_and_about_its_tokens() -> None:
    found = fed(StopCut(["\n"]), "four words and more", "\nand what follows")
    assert found[-1] == Finished("stop_sequence", Usage(input=3, output=5), "\n")
    assert BlockCompleted() not in found


def test_what_waits_for_a_stop_is_shown_before_what_follows() -> None:
    cut = StopCut(["\n\n"])
    found = [each for event in (TextDelta("a\n"), ToolCallStarted(0, "c", "f")) for each in cut.feed(event)]
    assert found == [TextDelta("a"), TextDelta("\n"), ToolCallStarted(0, "c", "f")]
    assert cut.feed(ReasoningDelta("\n\n")) == [ReasoningDelta("\n\n")]


JSON = '{"a": "}\\"{", "b": {"c": ["\\\\"]}}'
AROUND = [
    (JSON, JSON),
    (f"```json\n{JSON}\n```", JSON),
    (f"```\n{JSON}\n```\nThat is {{all}}.", JSON),
    (f"Here is {{it}}: {JSON} and more {{}}", JSON),
    ("{}", "{}"),
    ("{\n}", "{\n}"),
    ("No JSON at {all}.", "No JSON at {all}."),
    ('[{"a": 1}]', '[{"a": 1}]'),
    ("```json\n[1]\n```", "```json\n[1]\n```"),
    ('{"a": "cut', '{"a": "cut'),
    ("", ""),
]


@pytest.mark.parametrize(("whole", "shown"), AROUND)
def test_json_is_freed_of_what_stands_around_it(whole: str, shown: str) -> None:
    assert text(fed(JsonOnly(), whole)) == shown
    assert text(fed(JsonOnly(), *whole)) == shown


@given(st.sampled_from([JSON, f"```json\n{JSON}\n```", f"so: {JSON}."]), cuts)
def test_json_in_any_pieces(whole: str, cut: list[int]) -> None:
    assert text(fed(JsonOnly(), *in_pieces(whole, cut))) == JSON


def test_json_is_streamed() -> None:
    """What belongs to the object does not wait for its end."""
    json = JsonOnly()
    found = [json.feed(TextDelta(piece)) for piece in ("```json\n", '{"a"', ": 1", "}", "\n```")]
    assert found == [[], [TextDelta('{"a"')], [TextDelta(": 1")], [TextDelta("}")], []]
