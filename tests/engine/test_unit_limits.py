"""Parameters as settings: what is composed, what is carried, what is dropped, and how one becomes another."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from engine.cli_model import CliModel
from engine.turns import LOOK, PLAIN, turn, user
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.limits import Limits, carried, change, dropped, extra_body, limits
from claude_max.proxy.engine.planning.steps import SetLimits
from claude_max.proxy.events import ToolChoice, Turn

ASK = turn(user("a"))
TOOLS = replace(ASK, tools=(LOOK,))
OFF = {"type": "disabled"}
SHOWN = {"type": "adaptive", "display": "summarized"}
ANY = {"type": "any"}
FORMAT = {"format": {"type": "json_schema", "schema": PLAIN}}


def choosing(*choice: Any, **more: Any) -> Turn:
    return replace(TOOLS, tool_choice=ToolChoice(*choice), **more)


BODIES: list[tuple[Turn, set[str], dict[str, Any]]] = [
    (ASK, set(), {}),
    (TOOLS, set(), {}),
    (replace(ASK, stop=("x", "y")), set(), {"stop_sequences": ["x", "y"]}),
    (replace(ASK, stop=("x",)), {"stop"}, {}),
    (replace(ASK, temperature=1), set(), {"temperature": 1}),
    (replace(ASK, temperature=0), set(), {"temperature": 0, "thinking": OFF}),
    (replace(ASK, temperature=0), {"thinking"}, {"temperature": 0}),
    (replace(ASK, temperature=0), {"temperature"}, {}),
    (replace(ASK, temperature=0, thinking="shown"), set(), {"thinking": SHOWN}),
    (replace(ASK, top_p=0.5), set(), {"top_p": 0.5, "thinking": OFF}),
    (replace(ASK, top_p=0.95), set(), {"top_p": 0.95}),
    (replace(ASK, top_p=0.5), {"top_p"}, {}),
    (replace(ASK, max_tokens=1024), set(), {"thinking": OFF}),
    (replace(ASK, max_tokens=1025), set(), {}),
    (replace(ASK, max_tokens=5, thinking="shown"), set(), {"thinking": SHOWN}),
    (replace(ASK, thinking="off"), set(), {"thinking": OFF}),
    (replace(ASK, thinking="off"), {"thinking"}, {}),
    (replace(ASK, schema=PLAIN), set(), {"output_config": FORMAT}),
    (replace(ASK, schema=PLAIN), {"schema"}, {}),
    (choosing("none"), set(), {"tool_choice": {"type": "none"}}),
    (choosing("none", None, False), set(), {"tool_choice": {"type": "none"}}),
    (choosing("auto", None, False), set(), {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
    (choosing("required"), set(), {"tool_choice": ANY, "thinking": OFF}),
    (choosing("required"), {"tool_choice"}, {}),
    (choosing("required"), {"thinking"}, {"tool_choice": ANY}),
    (choosing("required", thinking="shown"), set(), {"tool_choice": ANY, "thinking": OFF}),
    (choosing("named", "look"), set(), {"tool_choice": {"type": "tool", "name": "look"}, "thinking": OFF}),
    (replace(ASK, tool_choice=ToolChoice("none")), set(), {}),
]


@pytest.mark.parametrize(("wanted", "without", "body"), BODIES)
def test_the_extra_body(wanted: Turn, without: set[str], body: dict[str, Any]) -> None:
    assert extra_body(wanted, without) == body
    found = limits(wanted, without).extra_body
    assert (orjson.loads(found) if found else {}) == body


def test_the_other_settings() -> None:
    wanted = replace(ASK, model="opus", effort="low", max_tokens=9000)
    assert limits(wanted) == Limits("opus", "low", 9000, "")
    assert limits(wanted, {"effort"}) == Limits("opus", None, 9000, "")


def test_the_same_body_has_one_spelling() -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {}}}
    turned = {"properties": {"b": {}, "a": {}}, "type": "object"}
    assert limits(replace(ASK, schema=schema)) == limits(replace(ASK, schema=turned))


DROPS: list[tuple[Turn, set[str], set[str], set[str]]] = [
    (ASK, set(), set(), set()),
    (replace(ASK, temperature=0, stop=("x",)), set(), {"temperature", "stop", "thinking"}, set()),
    (replace(ASK, temperature=0, stop=("x",)), {"temperature", "stop"}, set(), {"temperature", "stop"}),
    (replace(ASK, temperature=1), {"temperature"}, set(), set()),
    (replace(ASK, top_p=1), {"top_p"}, set(), set()),
    (replace(ASK, temperature=0, top_p=0.5, thinking="shown"), set(), {"thinking"}, {"temperature", "top_p"}),
    (replace(ASK, effort="low", thinking="shown"), set(), {"effort", "thinking"}, set()),
    (replace(ASK, effort="low", thinking="shown"), {"effort", "thinking"}, set(), {"effort", "thinking"}),
    (replace(ASK, thinking="off"), {"thinking"}, set(), {"thinking"}),
    # A schema and a forced choice can be had another way.
    (replace(ASK, schema=PLAIN), {"schema"}, set(), set()),
    (choosing("required"), {"tool_choice"}, set(), set()),
    (replace(ASK, schema=PLAIN), set(), {"schema"}, set()),
]


@pytest.mark.parametrize(("wanted", "without", "reaches", "lost"), DROPS)
def test_what_reaches_the_api_and_what_is_lost(
    wanted: Turn, without: set[str], reaches: set[str], lost: set[str]
) -> None:
    assert carried(wanted, without) == reaches
    assert dropped(wanted, without) == lost


def test_thinking_that_a_forced_call_excludes_is_told() -> None:
    assert dropped(choosing("required", thinking="shown", effort="high")) == {"thinking"}


@pytest.mark.parametrize("choice", [ToolChoice("none"), ToolChoice("auto", parallel=False)])
def test_a_refused_choice_that_has_no_other_way_is_told(choice: ToolChoice) -> None:
    assert dropped(replace(TOOLS, tool_choice=choice), {"tool_choice"}) == {"tool_choice"}


some_limits = st.builds(
    Limits,
    model=st.sampled_from(("sonnet", "opus")),
    effort=st.sampled_from((None, "low", "high")),
    max_tokens=st.sampled_from((None, 1, 5000)),
    extra_body=st.sampled_from(("", '{"temperature":0}', '{"top_p":1}')),
)


@given(some_limits, some_limits)
def test_a_change_leads_from_the_one_to_the_other(one: Limits, other: Limits) -> None:
    cli = CliModel()
    cli.take(SetLimits(one, change(None, one)))
    assert cli.limits() == one
    cli.take(SetLimits(other, change(one, other)))
    assert cli.limits() == other
    assert change(other, other) == {}


@given(some_limits, some_limits)
def test_a_change_says_only_what_differs(one: Limits, other: Limits) -> None:
    settings = change(one, other)
    assert ("model" in settings) is (one.model != other.model)
    assert ("effortLevel" in settings) is (one.effort != other.effort)
    assert len(settings.get("env", {})) == (one.max_tokens != other.max_tokens) + (one.extra_body != other.extra_body)
    assert settings.get("env") != {}
