"""The API request of a Turn: what is composed, what is carried, and what is lost."""

from dataclasses import replace
from typing import Any

import pytest
from engine.turns import LOOK, PLAIN, SEEK, turn, user
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.planning.body import (
    DISABLED,
    LEAST_BUDGET,
    Defaults,
    carried,
    dropped,
    parameters,
    tool_names,
)
from claude_max.proxy.engine.planning.compose import Context, composed
from claude_max.proxy.engine.planning.negotiate import WORDS
from claude_max.proxy.events import ServerTool, ToolChoice, Turn

ASK = turn(user("a"))
TOOLS = replace(ASK, tools=(LOOK,))
ADAPTIVE = {"type": "adaptive"}
SHOWN = {"type": "adaptive", "display": "summarized"}
ANY = {"type": "any"}
FORMAT = {"format": {"type": "json_schema", "schema": PLAIN}}
WEB = ServerTool({"type": "web_search_20250305", "name": "web_search"})

# What the CLI asks for with three kinds of models: no thinking, thinking as the model likes, thinking with a budget.
NONE = Defaults(8192, None)
FREE = Defaults(64_000, ADAPTIVE)
BUDGET = Defaults(32_000, {"type": "enabled", "budget_tokens": 31_999})


def choosing(*choice: Any, **more: Any) -> Turn:
    return replace(TOOLS, tool_choice=ToolChoice(*choice), **more)


BODIES: list[tuple[Turn, set[str], dict[str, Any]]] = [
    (ASK, set(), {}),
    (TOOLS, set(), {}),
    (replace(ASK, max_tokens=5000), set(), {"max_tokens": 5000}),
    (replace(ASK, stop=("x", "y")), set(), {"stop_sequences": ["x", "y"]}),
    (replace(ASK, stop=("x",)), {"stop"}, {}),
    (replace(ASK, temperature=1), set(), {}),
    (replace(ASK, temperature=1.0, top_p=1.0), set(), {}),
    (replace(ASK, temperature=0), set(), {"temperature": 0, "thinking": DISABLED}),
    (replace(ASK, temperature=0), {"thinking"}, {"temperature": 0}),
    (replace(ASK, temperature=0), {"temperature"}, {}),
    (replace(ASK, temperature=0, top_p=0.5), set(), {"temperature": 0, "thinking": DISABLED}),
    (replace(ASK, temperature=0, top_p=0.5), {"temperature"}, {"top_p": 0.5, "thinking": DISABLED}),
    (replace(ASK, temperature=1, top_p=0.5), set(), {"top_p": 0.5, "thinking": DISABLED}),
    (replace(ASK, temperature=0, thinking="shown"), set(), {"thinking": SHOWN}),
    (replace(ASK, top_p=0.5), set(), {"top_p": 0.5, "thinking": DISABLED}),
    (replace(ASK, top_p=0.95), set(), {"top_p": 0.95}),
    (replace(ASK, top_p=0.5), {"top_p"}, {}),
    (replace(ASK, top_k=5), set(), {"top_k": 5, "thinking": DISABLED}),
    (replace(ASK, top_k=5), {"top_k"}, {}),
    (replace(ASK, top_k=5, top_p=0.5, thinking_budget=2000), set(), {
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
    }),
    (replace(ASK, thinking="off"), set(), {"thinking": DISABLED}),
    (replace(ASK, thinking="off"), {"thinking"}, {}),
    (replace(ASK, schema=PLAIN), set(), {"output_config": FORMAT}),
    (replace(ASK, schema=PLAIN), {"schema"}, {}),
    (choosing("none"), set(), {"tool_choice": {"type": "none"}}),
    (choosing("none", None, False), set(), {"tool_choice": {"type": "none"}}),
    (choosing("auto", None, False), set(), {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
    (choosing("required"), set(), {"tool_choice": ANY, "thinking": DISABLED}),
    (choosing("required"), {"tool_choice"}, {}),
    (choosing("required"), {"thinking"}, {"tool_choice": ANY}),
    (choosing("required", thinking="shown"), set(), {"tool_choice": ANY, "thinking": DISABLED}),
    (choosing("required", thinking_budget=2000), set(), {"tool_choice": ANY, "thinking": DISABLED}),
    (choosing("named", "look"), set(), {"tool_choice": {"type": "tool", "name": "look"}, "thinking": DISABLED}),
    (replace(ASK, tool_choice=ToolChoice("none")), set(), {}),
    (replace(ASK, effort="low"), set(), {}),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "without", "body"), BODIES)
def test_the_parameters(wanted: Turn, without: set[str], body: dict[str, Any]) -> None:
    assert parameters(wanted, NONE, without) == body
    assert parameters(wanted, FREE, without) == body


def with_budget(tokens: int, **more: str) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens, **more}


SHORT_BUDGET = with_budget(2000, display="summarized")

# thinking asked for, limit, sampling, and the `thinking` field: for a model that thinks as it likes, for one with a
# budget.
THINKING: list[tuple[dict[str, Any], int | None, dict[str, Any], Any, Any]] = [
    ({}, None, {}, None, with_budget(31_999)),
    ({}, 100_000, {}, None, with_budget(31_999)),
    ({}, 32_000, {}, None, with_budget(31_999)),
    ({}, 31_999, {}, None, with_budget(31_998)),
    ({}, 1025, {}, None, with_budget(1024)),
    ({}, 1024, {}, DISABLED, DISABLED),
    ({}, 1, {}, DISABLED, DISABLED),
    ({"prewarms": True}, 1, {}, None, DISABLED),
    ({"prewarms": True, "thinking": "off"}, 1, {}, DISABLED, DISABLED),
    ({"prewarms": True}, 1, {"temperature": 0}, DISABLED, DISABLED),
    ({}, None, {"temperature": 0.5}, DISABLED, DISABLED),
    ({}, 5000, {"temperature": 0}, DISABLED, DISABLED),
    ({}, None, {"temperature": 1}, None, with_budget(31_999)),
    ({}, None, {"top_p": 0.94}, DISABLED, with_budget(31_999)),
    ({}, None, {"top_p": 0.95}, None, with_budget(31_999)),
    ({}, None, {"top_k": 3}, DISABLED, DISABLED),
    ({"thinking": "off"}, None, {}, DISABLED, DISABLED),
    ({"thinking": "off"}, 5, {}, DISABLED, DISABLED),
    ({"thinking": "shown"}, None, {}, SHOWN, with_budget(31_999, display="summarized")),
    ({"thinking": "shown"}, 5000, {}, SHOWN, with_budget(4999, display="summarized")),
    ({"thinking": "shown"}, 1024, {}, SHOWN, DISABLED),
    ({"thinking": "shown"}, None, {"temperature": 0}, SHOWN, with_budget(31_999, display="summarized")),
    ({"thinking_budget": 2000}, None, {}, SHORT_BUDGET, SHORT_BUDGET),
    ({"thinking_budget": 2000}, 5000, {"temperature": 0}, SHORT_BUDGET, SHORT_BUDGET),
    ({"thinking": "off", "thinking_budget": 2000}, 5000, {}, SHORT_BUDGET, SHORT_BUDGET),
]


@pytest.mark.parametrize(("asked", "limit", "sampling", "free", "budget"), THINKING)
def test_thinking_by_limit_and_sampling(
    asked: dict[str, Any], limit: int | None, sampling: dict[str, Any], free: Any, budget: Any
) -> None:
    wanted = replace(ASK, max_tokens=limit, **asked, **sampling)
    assert parameters(wanted, FREE).get("thinking") == free
    assert parameters(wanted, BUDGET).get("thinking") == budget
    assert "thinking" not in parameters(wanted, BUDGET, {"thinking"})


turns = st.builds(
    Turn,
    model=st.just("sonnet"),
    messages=st.just((user("a"),)),
    tools=st.sampled_from([(), (LOOK,), (replace(LOOK, strict=True), SEEK)]),
    tool_choice=st.sampled_from([
        ToolChoice(), ToolChoice("none"), ToolChoice("required"), ToolChoice("named", "look"),
        ToolChoice("auto", parallel=False),
    ]),
    schema=st.sampled_from([None, PLAIN]),
    max_tokens=st.sampled_from([None, 1, LEAST_BUDGET, LEAST_BUDGET + 1, 5000, 100_000]),
    stop=st.sampled_from([(), ("x",)]),
    temperature=st.sampled_from([None, 0, 0.5, 1]),
    top_p=st.sampled_from([None, 0.5, 0.95, 1]),
    top_k=st.sampled_from([None, 5]),
    effort=st.sampled_from([None, "low"]),
    thinking=st.sampled_from(["default", "off", "shown"]),
)  # fmt: skip
subsets = st.sets(st.sampled_from(sorted(WORDS))).map(frozenset)


@given(turns, st.sampled_from([NONE, FREE, BUDGET]))
def test_no_request_contradicts_itself(wanted: Turn, defaults: Defaults) -> None:
    """By the service's rules of thinking, limits and sampling."""
    body = composed(wanted, Context(defaults)).body
    thinking = body.get("thinking", defaults.thinking) or DISABLED
    if thinking["type"] == "enabled":
        assert LEAST_BUDGET <= thinking["budget_tokens"] < body["max_tokens"]
    if thinking != DISABLED:
        assert "temperature" not in body
        assert "top_k" not in body
        assert body.get("top_p", 1) >= 0.95
        assert body.get("tool_choice", {}).get("type") not in ("any", "tool")
    assert not {"temperature", "top_p"} <= body.keys()
    assert not {"system", "model", "stream"} & body.keys()


@given(turns, st.sampled_from([NONE, FREE, BUDGET]), subsets)
def test_what_is_asked_for_is_carried_or_told(wanted: Turn, defaults: Defaults, without: frozenset[str]) -> None:
    reaching, lost = set(carried(wanted, defaults, without)), dropped(wanted, defaults, without)
    assert not reaching & without
    if wanted.temperature not in (None, 1):
        assert ("temperature" in reaching) is not ("temperature" in lost)
    if wanted.top_p not in (None, 1):
        assert ("top_p" in reaching) is not ("top_p" in lost)
    if wanted.effort:
        assert ("effort" in reaching) is not ("effort" in lost)
    if wanted.stop:
        assert ("stop" in reaching) is not ("stop" in lost)
    if wanted.thinking == "shown":
        body = parameters(wanted, defaults, without)
        assert ("thinking" in lost) is ("display" not in body.get("thinking", {}))


KINDS: list[tuple[Turn, Defaults, dict[str, str]]] = [
    (replace(ASK, thinking="off"), FREE, {"thinking": "disabled"}),
    (replace(ASK, thinking="shown"), FREE, {"thinking": "adaptive"}),
    (replace(ASK, thinking_budget=2000), FREE, {"thinking": "enabled", "thinking_budget": ""}),
    (replace(ASK, thinking_budget=2000), BUDGET, {"thinking": "enabled"}),
    (choosing("required"), NONE, {"thinking": "disabled", "tool_choice": "any"}),
    (choosing("named", "look"), NONE, {"thinking": "disabled", "tool_choice": "tool"}),
    (choosing("none"), NONE, {"tool_choice": "none"}),
    (choosing("auto", None, False), NONE, {"tool_choice": "auto"}),
    (replace(ASK, effort="max", top_k=3), NONE, {"effort": "max", "top_k": "", "thinking": "disabled"}),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "defaults", "kinds"), KINDS)
def test_which_kinds_of_values_reach_the_api(wanted: Turn, defaults: Defaults, kinds: dict[str, str]) -> None:
    assert carried(wanted, defaults) == kinds


@pytest.mark.parametrize("thinking", ["shown", "default"])
def test_thinking_whose_budget_is_refused_goes_without(thinking: Any) -> None:
    wanted = replace(ASK, thinking=thinking, thinking_budget=2000, max_tokens=5000)
    assert parameters(wanted, FREE, {"thinking_budget"}).get("thinking") == SHOWN
    assert dropped(wanted, FREE, {"thinking_budget"}) == {"thinking_budget"}
    assert dropped(wanted, FREE) == set()


DROPS: list[tuple[Turn, set[str], set[str], set[str]]] = [
    (ASK, set(), set(), set()),
    (replace(ASK, temperature=0, stop=("x",)), set(), {"temperature", "stop", "thinking"}, set()),
    (replace(ASK, temperature=0, stop=("x",)), {"temperature", "stop"}, set(), {"temperature", "stop"}),
    (replace(ASK, temperature=0, top_p=0.5), set(), {"temperature", "thinking"}, {"top_p"}),
    (replace(ASK, temperature=1), {"temperature"}, set(), set()),
    (replace(ASK, top_p=1), {"top_p"}, set(), set()),
    (replace(ASK, temperature=0, top_p=0.5, top_k=1, thinking="shown"), set(), {"thinking"},
     {"temperature", "top_p", "top_k"}),
    (replace(ASK, effort="low", thinking="shown"), set(), {"effort", "thinking"}, set()),
    (replace(ASK, effort="low", thinking="shown"), {"effort", "thinking"}, set(), {"effort", "thinking"}),
    (replace(ASK, thinking="off"), {"thinking"}, set(), {"thinking"}),
    (replace(ASK, thinking_budget=2000), {"thinking"}, set(), {"thinking"}),
    (replace(ASK, tools=(replace(LOOK, strict=True),)), set(), {"strict"}, set()),
    (replace(ASK, tools=(replace(LOOK, strict=True),)), {"strict"}, set(), {"strict"}),
    (replace(ASK, tools=(replace(LOOK, strict=False),)), set(), set(), set()),
    # A schema and a forced choice can be had another way.
    (replace(ASK, schema=PLAIN), {"schema"}, set(), set()),
    (choosing("required"), {"tool_choice"}, set(), set()),
    (replace(ASK, schema=PLAIN), set(), {"schema"}, set()),
    (replace(ASK, max_tokens=9), set(), {"max_tokens", "thinking"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "without", "reaches", "lost"), DROPS)
def test_what_reaches_the_api_and_what_is_lost(
    wanted: Turn, without: set[str], reaches: set[str], lost: set[str]
) -> None:
    assert set(carried(wanted, NONE, without)) == reaches
    assert dropped(wanted, NONE, without) == lost


def test_thinking_that_a_forced_call_excludes_is_told() -> None:
    assert dropped(choosing("required", thinking="shown", effort="high"), NONE) == {"thinking"}


@pytest.mark.parametrize("choice", [ToolChoice("none"), ToolChoice("auto", parallel=False)])
def test_a_refused_choice_that_has_no_other_way_is_told(choice: ToolChoice) -> None:
    assert dropped(replace(TOOLS, tool_choice=choice), NONE, {"tool_choice"}) == {"tool_choice"}


def test_top_p_beside_the_clis_own_temperature_is_left_out_and_told() -> None:
    """With thinking off the CLI sends a temperature of 1 to models that think with a budget."""
    wanted = replace(ASK, top_p=0.5)
    assert "top_p" not in parameters(wanted, BUDGET)
    assert dropped(wanted, BUDGET) == {"top_p"}
    assert dropped(wanted, FREE) == set()


def test_names_of_tools() -> None:
    assert tool_names(replace(ASK, tools=(SEEK, WEB, LOOK))) == ("seek", "web_search", "look")
