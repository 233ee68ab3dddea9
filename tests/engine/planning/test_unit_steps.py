"""From what a worker holds to a want: in the only order that works, and the last step asks."""

from dataclasses import replace
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
from claude_max.proxy.engine.planning.want import BARE, Holds, Want
from claude_max.proxy.events import ServerTool, Tool


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
    assert list(steps(Holds(held), want)) == [*first, Configure(want), Ask(want)]


def test_the_exact_way_writes_no_history() -> None:
    want = wants(turn(*talk("a", "b", "c"), tools=(LOOK,)))
    assert list(steps(BARE, want)) == [Configure(want), Ask(want)]
    assert want.holds == BARE


def test_the_lines_way_offers_tools_and_writes_the_history() -> None:
    messages = (*talk("a", "b"), user("c"), called("c1"), results("c1"))
    want = by_lines(turn(*messages, tools=(LOOK, SEEK), system="S"))
    rest = [*(Append(message) for message in messages[:-1]), Ask(want)]
    assert list(steps(Holds("T"), want)) == [
        SetSystem("S", "sonnet"),
        Configure(want),
        Offer((LOOK, SEEK), want.holds.tools),
        *rest,
    ]
    assert list(steps(want.holds, want)) == [Configure(want), *rest]


ONE = {"type": "object", "properties": {"q": {"const": 1}, "r": {}}}


@pytest.mark.parametrize(
    "other",
    [
        replace(SEEK, name="sought"), replace(SEEK, description="Seeks."), replace(SEEK, parameters=LOOK.parameters),
        replace(SEEK, parameters={**ONE, "properties": {"q": {"const": True}, "r": {}}}),
        replace(SEEK, parameters={**ONE, "properties": {"r": {}, "q": {"const": 1}}}),
    ],
)  # fmt: skip
def test_other_tools_are_other_ones(other: Tool) -> None:
    one = replace(SEEK, parameters=ONE)
    wanted = [by_lines(turn(user("a"), tools=tools)).holds for tools in ((one,), (other,), (one, other), (other, one))]
    assert len({*wanted, BARE}) == 5
    assert by_lines(turn(user("b"), tools=(replace(one, strict=True),), model="opus")).holds == wanted[0]


def test_without_tools_none_are_offered() -> None:
    want = by_lines(turn(user("a"), tools=(ServerTool({"name": "web_search"}),)))
    assert list(steps(BARE, want)) == [Configure(want), Ask(want)]
    assert want.holds == BARE


@pytest.mark.parametrize(
    ("held", "wanted", "all_features", "without_system"),
    [
        (("",), ("",), True, True), (("S",), ("S",), True, True),
        (("",), ("S",), True, False), (("T",), ("S",), True, False), (("S",), ("",), False, False),
        (("S",), ("S", "look"), True, True), (("S", "look"), ("S", "look"), True, True),
        (("S", "look"), ("S",), False, False), (("S", "look"), ("S", "seek"), False, False),
        (("T", "look"), ("S", "look"), True, False), (("S", "look"), ("", "look"), False, False),
    ],
)  # fmt: skip
def test_who_can_serve(
    held: tuple[str, ...], wanted: tuple[str, ...], all_features: bool, without_system: bool
) -> None:
    assert can_serve(Holds(*held), Holds(*wanted)) is all_features
    assert can_serve(Holds(*held), Holds(*wanted), EVERYTHING - {"system"}) is without_system


WANTS = st.builds(
    lambda system, tools: by_lines(turn(user("a"), system=system, tools=tools)),
    st.sampled_from(("", "S", "T")), st.sampled_from(((), (LOOK,), (LOOK, SEEK))),
)  # fmt: skip


@given(WANTS, WANTS)
def test_who_can_serve_comes_to_hold_what_is_wanted(before: Want, want: Want) -> None:
    """As the CLI has it: a prompt replaced by another one and none got rid of, tools offered once."""
    holds = before.holds
    if not can_serve(holds, want.holds):
        assert (holds.system and not want.system) or holds.tools not in ("", want.offered)
        return
    way = steps(holds, want)
    for step in way:
        match step:
            case SetSystem(system, _):
                assert system
                holds = replace(holds, system=system)
            case Offer(tools, encoded):
                assert not holds.tools
                assert tools
                holds = replace(holds, tools=encoded)
    assert holds == want.holds
    assert isinstance(way[-1], Ask)
    assert [isinstance(step, Configure) for step in way].count(True) == 1
