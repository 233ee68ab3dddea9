"""From what a worker holds to a want: in the only order that works, and the last step asks."""

from typing import Any

import pytest
from engine.turns import LOOK, SEEK, by_lines, called, results, talk, turn, user, wants
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.planning.steps import (
    EVERYTHING,
    Append,
    Ask,
    Configure,
    Offer,
    SetSystem,
    can_serve,
    steps,
)
from claude_max.proxy.events import ServerTool


@pytest.mark.parametrize(
    ("held", "wanted", "first"),
    [
        ("", "", []),
        ("S", "S", []),
        ("", "S", [SetSystem("S", "sonnet")]),
        ("T", "S", [SetSystem("S", "sonnet")]),
    ],
)
def test_the_system_prompt_comes_first_and_only_when_it_changes(held: str, wanted: str, first: list[Any]) -> None:
    want = wants(turn(user("a"), system=wanted))
    assert list(steps(held, want)) == [*first, Configure(want), Ask(want)]


def test_the_exact_way_writes_no_history() -> None:
    want = wants(turn(*talk("a", "b", "c"), tools=(LOOK,)))
    assert list(steps("", want)) == [Configure(want), Ask(want)]


def test_the_lines_way_offers_tools_and_writes_the_history() -> None:
    messages = (*talk("a", "b"), user("c"), called("c1"), results("c1"))
    want = by_lines(turn(*messages, tools=(LOOK, SEEK), system="S"))
    assert list(steps("T", want)) == [
        SetSystem("S", "sonnet"),
        Configure(want),
        Offer((LOOK, SEEK)),
        *(Append(message) for message in messages[:-1]),
        Ask(want),
    ]


def test_without_tools_none_are_offered() -> None:
    want = by_lines(turn(user("a"), tools=(ServerTool({"name": "web_search"}),)))
    assert list(steps("", want)) == [Configure(want), Ask(want)]


@pytest.mark.parametrize(
    ("held", "wanted", "all_features", "without_system"),
    [
        ("", "", True, True), ("S", "S", True, True),
        ("", "S", True, False), ("T", "S", True, False), ("S", "", False, False),
    ],
)  # fmt: skip
def test_who_can_serve(held: str, wanted: str, all_features: bool, without_system: bool) -> None:
    assert can_serve(held, wanted) is all_features
    assert can_serve(held, wanted, EVERYTHING - {"system"}) is without_system


SYSTEMS = st.sampled_from(("", "S", "T"))


@given(SYSTEMS, SYSTEMS)
def test_who_can_serve_comes_to_hold_what_is_wanted(held: str, wanted: str) -> None:
    """As the CLI has it: initialized once, a prompt replaced by another one, and none got rid of."""
    if not can_serve(held, wanted):
        assert held
        assert not wanted
        return
    holds = held
    way = steps(held, wants(turn(user("a"), system=wanted)))
    for step in way:
        match step:
            case SetSystem(system, _):
                assert system
                holds = system
    assert holds == wanted
    assert isinstance(way[-1], Ask)
    assert [isinstance(step, Configure) for step in way].count(True) == 1
