"""What a Turn wants of a worker: whole settings each time, a trigger of the client's own, and a limit that tells."""

import json
from dataclasses import replace
from typing import Any

import pytest
from engine.turns import LOOK, PLAIN, PNG, called, results, said, turn, user
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.planning.body import DISABLED, Defaults
from claude_max.proxy.engine.planning.by_lines import NOTE
from claude_max.proxy.engine.planning.compose import Context, composed
from claude_max.proxy.engine.planning.want import (
    BASE_URL,
    BOUNDARY,
    CHECKSUM,
    DISABLE_THINKING,
    EXTRA_BODY,
    MAX_TOKENS,
    NO_BILLING,
    NO_TEXT,
    NO_THINKING,
    OWN_LINES,
    REORDERED,
    ROUNDED,
    SETTINGS_ID,
    TRIGGER_LENGTH,
    Want,
    exact_limit,
    exact_want,
    lines_want,
    plain_want,
    reset,
    trigger,
)
from claude_max.proxy.events import Message, Text, ToolCall, ToolChoice, ToolResult, Turn
from claude_max.proxy.json_text import compact

ASK = turn(user("a"))
CONTEXT = Context(Defaults(32_000))
ENV = {EXTRA_BODY, MAX_TOKENS, DISABLE_THINKING, BASE_URL}


def request(want: Want) -> dict[str, Any]:
    """The control request, which is exactly one line."""
    assert want.encoded.count(b"\n") == 1
    assert want.encoded.endswith(b"\n")
    found: dict[str, Any] = json.loads(want.encoded)
    assert found["type"] == "control_request"
    assert found["request_id"] == SETTINGS_ID
    assert found["request"]["subtype"] == "apply_flag_settings"
    return found["request"]["settings"]  # type: ignore[no-any-return]


def exact(wanted: Turn, without: frozenset[str] = frozenset(), url: str = "") -> Want:
    return exact_want(wanted, "u1", replace(CONTEXT, base_url=url), None, without)[0]


def test_the_whole_request_is_in_the_body() -> None:
    wanted = turn(user("a"), called("c1"), results("c1"), tools=(LOOK,), system="S", max_tokens=9000)
    want, size = exact_want(wanted, "u1", CONTEXT)
    env = request(want)["env"]
    assert json.loads(env[EXTRA_BODY]) == composed(wanted, CONTEXT).body
    assert size == len(env[EXTRA_BODY].encode())
    assert "S" not in env[EXTRA_BODY]
    assert (want.way, want.uuid, want.system, want.model) == ("exact", "u1", "S", "sonnet")
    assert want.tools == ("look",)


def test_the_size_is_in_bytes() -> None:
    sizes = [exact_want(turn(user(text)), "u1", CONTEXT)[1] for text in ("a", "é", "😀")]
    assert [size - sizes[0] for size in sizes] == [0, 1, 3]


@pytest.mark.parametrize("make", [exact_want, lines_want])
@pytest.mark.parametrize(
    "wanted",
    [
        ASK,
        replace(ASK, effort="low", temperature=0, max_tokens=5),
        replace(ASK, tools=(LOOK,), tool_choice=ToolChoice("required")),
        replace(ASK, schema=PLAIN, stop=("x",)),
    ],
)
def test_settings_are_complete_so_that_nothing_of_a_turn_before_stays(make: Any, wanted: Turn) -> None:
    made = make(wanted, "u1", CONTEXT)
    found = request(made[0] if make is exact_want else made)
    assert found.keys() == {"model", "effortLevel", "env"}
    assert found["env"].keys() == ENV
    assert all(isinstance(value, str) for value in found["env"].values())


@pytest.mark.parametrize(
    ("limit", "most", "outside"), [(None, 32_000, 1), (5, 5, 1), (2, 2, 1), (1, 1, 2), (64_000, 64_000, 1)]
)
def test_the_limit_outside_is_never_the_one_in_the_body(limit: int | None, most: int, outside: int) -> None:
    want = exact(replace(ASK, max_tokens=limit))
    env = request(want)["env"]
    assert json.loads(env[EXTRA_BODY])["max_tokens"] == want.max_tokens == most
    assert int(env[MAX_TOKENS]) == want.outside == outside


def test_the_other_settings() -> None:
    wanted = replace(ASK, model="opus", effort="low")
    found = request(exact(wanted, url="https://service"))
    assert (found["model"], found["effortLevel"]) == ("opus", "low")
    assert found["env"][BASE_URL] == "https://service"
    assert request(exact(wanted, frozenset({"effort"})))["effortLevel"] is None
    assert request(exact(ASK))["effortLevel"] is None


def test_thinking_that_is_off_is_off_outside_too() -> None:
    """The CLI adds a field to the request that the service refuses without thinking."""
    assert request(exact(replace(ASK, temperature=0)))["env"][DISABLE_THINKING] == "1"
    assert request(exact(ASK))["env"][DISABLE_THINKING] == ""
    assert request(exact(replace(ASK, temperature=0), frozenset({"thinking"})))["env"][DISABLE_THINKING] == ""
    assert request(lines_want(replace(ASK, temperature=0), "u1", CONTEXT))["env"][DISABLE_THINKING] == "1"


def test_a_schema_keeps_its_order_and_its_kinds() -> None:
    schema = {"type": "object", "properties": {"steps": {"const": 1}, "answer": {"const": True}}}
    text = request(exact(replace(ASK, schema=schema)))["env"][EXTRA_BODY]
    assert compact(schema) in text


def test_lines_say_only_what_the_cli_has_no_setting_for() -> None:
    wanted = turn(user("a"), said("b"), user("c"), tools=(LOOK,), stop=("x",), max_tokens=9000)
    want = lines_want(wanted, "u1", CONTEXT)
    env = request(want)["env"]
    assert json.loads(env[EXTRA_BODY]) == {"stop_sequences": ["x"]}
    assert env[MAX_TOKENS] == "9000"
    assert (want.way, want.trigger, want.outside, want.max_tokens) == ("lines", "", None, 9000)
    assert want.repaired == {NOTE}


BRIEF = Message("system", (Text("Be brief."),))
BUDGET = Context(Defaults(32_000, {"type": "enabled", "budget_tokens": 31_999}))


@pytest.mark.parametrize(
    ("wanted", "context", "thinking"),
    [
        (turn(user("a"), called("c1"), results("c1"), tools=(LOOK,)), BUDGET, DISABLED),
        (turn(user("a"), called("c1"), results("c1"), tools=(LOOK,), thinking_budget=2000), CONTEXT, DISABLED),
        (
            turn(user("a"), called("c1"), results("c1"), said("b"), user("c"), tools=(LOOK,)),
            BUDGET,
            BUDGET.defaults.thinking,
        ),
        (turn(user("a"), called("c1"), results("c1"), tools=(LOOK,)), CONTEXT, None),
        (turn(user("a"), called("c1"), results("c1"), user("go"), BRIEF, tools=(LOOK,)), BUDGET, DISABLED),
    ],
)
def test_lines_do_not_think_in_a_round_of_tools(wanted: Turn, context: Context, thinking: Any) -> None:
    """With a budget the service wants the thinking before the calls, which the CLI leaves out."""
    want = lines_want(wanted, "u1", context)
    env = request(want)["env"]
    assert json.loads(env[EXTRA_BODY] or "{}").get("thinking") == thinking
    assert (env[DISABLE_THINKING] == "1") is (NO_THINKING in want.repaired) is (thinking == DISABLED)


def test_a_billing_line_in_a_system_message_takes_nothing_with_it() -> None:
    billed = Message("system", (Text("x-anthropic-billing-header: a\nKeep me."),))
    want = lines_want(turn(user("a"), billed), "u1", CONTEXT)
    assert want.system == "Keep me."
    assert NO_BILLING in want.repaired
    assert plain_want(turn(user("a"), billed), "u1", "").system == "Keep me."


@pytest.mark.parametrize(("words", "told"), [(CHECKSUM, True), ("cch=0000", False)])
def test_a_checksum_that_the_cli_writes_into_tools_is_named(words: str, told: bool) -> None:
    for tool in (replace(LOOK, description=f"a {words}"), replace(LOOK, parameters={"const": words})):
        asked = turn(user(CHECKSUM), tools=(tool,))
        for want in (exact(asked), lines_want(asked, "u1", CONTEXT)):
            assert (f"tools: the CLI writes a checksum for {CHECKSUM}" in want.repaired) is told


ODD_KEYS: dict[str, Any] = {"b": 2**53 + 1, "1": 0}


@pytest.mark.parametrize("way", ["exact", "lines"])
@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (turn(user("a"), schema={"enum": [2**53 + 1]}), {ROUNDED}),
        (turn(user("a"), schema={"properties": {"b": {}, "1": {}}}), {REORDERED}),
        (turn(user("a"), tools=(replace(LOOK, parameters={"properties": {"b": {}, "1": {}}}),)), {REORDERED}),
        (turn(user("a"), called("c1", **ODD_KEYS), results("c1")), {ROUNDED, REORDERED}),
        (turn(user("a 2 1", "9007199254740993"), schema=PLAIN, tools=(LOOK,)), set()),
    ],
)
def test_what_javascript_makes_of_it_is_told(wanted: Turn, told: set[str], way: str) -> None:
    want = exact(wanted) if way == "exact" else lines_want(wanted, "u1", CONTEXT)
    assert want.repaired & {ROUNDED, REORDERED} == told


def test_lines_without_parameters_have_no_body() -> None:
    env = request(lines_want(ASK, "u1", CONTEXT))["env"]
    assert env[EXTRA_BODY] == ""
    assert env[MAX_TOKENS] == "32000"


def test_the_clis_own_choices_are_left_to_it() -> None:
    want = plain_want(replace(ASK, model="opus", effort="low", max_tokens=5), "u1", "https://service")
    found = request(want)
    assert found["model"] == "opus"
    assert found["effortLevel"] is None
    assert found["env"] == {EXTRA_BODY: "", MAX_TOKENS: "", DISABLE_THINKING: "", BASE_URL: "https://service"}
    assert want.outside is None


def test_a_reset_takes_the_body_and_the_address_away() -> None:
    """Never an address of ours: the CLI would send its login there."""
    assert reset() == {"env": {EXTRA_BODY: "", BASE_URL: None}}


OWN: list[tuple[str, str | None]] = [
    ("", None),
    ("You are a pirate.", None),
    (OWN_LINES[0], "\n"),
    (f"{OWN_LINES[0]}\n\nAnd a pirate.", None),
    (f"A\n {BOUNDARY}\r\nB", f"{BOUNDARY}\n"),
    (f"Never write {BOUNDARY}.", None),
]


@pytest.mark.parametrize(("system", "before"), OWN)
def test_a_system_prompt_in_the_clis_own_words_is_set_apart(system: str, before: str | None) -> None:
    asked = turn(user("a"), system=system)
    for want in (exact(asked), lines_want(asked, "u1", CONTEXT)):
        assert want.system == (before or "") + system
        assert ("system: line break put before it" in want.repaired) is (before is not None)


TRIGGERS: list[tuple[tuple[Message, ...], str]] = [
    ((user("a"),), "a"),
    ((user("a", "b"), said("c"), user("d")), "a"),
    ((Message("user", (PNG, Text("look"))),), "look"),
    ((Message("user", (PNG,)),), NO_TEXT),
    ((user(" \n", "b"),), "b"),
    ((user(" "),), NO_TEXT),
    ((said("hello"), user("b")), "b"),
    ((said("hello"),), NO_TEXT),
    ((results("c1"), said("x"), user("later")), NO_TEXT),
    ((Message("user", (ToolResult("c1", (Text("fine"),)), Text("and"))),), "and"),
    ((Message("assistant", (ToolCall("c1", "look", {}),)), results("c1")), NO_TEXT),
    ((user("/clear @/etc/hostname"),), "/clear @/etc/hostname"),
    ((user("x" * (TRIGGER_LENGTH + 1)),), "x" * TRIGGER_LENGTH),
    ((user("x" * TRIGGER_LENGTH),), "x" * TRIGGER_LENGTH),
    # The CLI asks nobody where its own message is blank.
    ((user(" " * TRIGGER_LENGTH + "x"),), "x"),
    ((user("\ufeff\n" * TRIGGER_LENGTH + "x y " + "z" * TRIGGER_LENGTH),), "x y " + "z" * (TRIGGER_LENGTH - 4)),
    ((user("\ufeff\u3000\ufeff"),), NO_TEXT),
    ((user("\ufeff\u3000\ufeff", "b"),), "b"),
    ((user("\n a"),), "\n a"),
]


@pytest.mark.parametrize(("messages", "expected"), TRIGGERS)
def test_the_trigger_is_the_conversations_first_user_text(messages: tuple[Message, ...], expected: str) -> None:
    assert trigger(turn(*messages)) == expected
    assert exact(turn(*messages)).trigger == expected


@given(st.lists(st.lists(st.text(max_size=5), min_size=1, max_size=3), min_size=1, max_size=4))
def test_a_trigger_is_never_empty(texts: list[list[str]]) -> None:
    """The CLI would not ask for an empty line."""
    found = trigger(turn(*(user(*parts) for parts in texts)))
    assert found.strip()
    assert found == NO_TEXT or found in texts[0]


@pytest.mark.parametrize(("platform", "limit"), [("linux", None), ("darwin", 900_000), ("win32", 30_000)])
def test_how_much_a_platform_carries(platform: str, limit: int | None) -> None:
    assert exact_limit(platform) == limit


def test_wants_are_compared_by_identity() -> None:
    """A comparison of two would read two whole conversations."""
    assert exact(ASK) != exact(ASK)
    assert hash(exact(ASK)) is not None
