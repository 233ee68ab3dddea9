"""Which refusals are understood, what is remembered of them, and what is asked instead."""

from dataclasses import replace
from typing import Any

import pytest
from engine.turns import LOOK, PLAIN, SEEK, turn, user

from claude_max.proxy.engine.planning.negotiate import (
    MOST_SCHEMAS,
    WORDS,
    Refusals,
    honours,
    instructed,
    is_forced,
    refused,
)
from claude_max.proxy.events import ToolChoice, Turn

# A budget is dropped before the thinking itself.
EVERY = frozenset(WORDS) - {"thinking_budget"}
ALL = dict.fromkeys(EVERY, "")
SCHEMA = {"schema": ""}
XHIGH = {"effort": "xhigh", "thinking": "disabled"}
FORCED = {"tool_choice": "any"}
ASK = turn(user("a"))
TOOLS = turn(user("a"), tools=(LOOK, SEEK))
DEPRECATED = "`temperature` is deprecated for this model."
MINIMUM = "output_config.format.schema: For 'integer' type, property 'minimum' is not supported"

# As the service words them; where it does not, as its documentation does.
REFUSALS = [
    (DEPRECATED, EVERY, "temperature"),
    (DEPRECATED, frozenset({"top_p"}), None),
    ("`temperature` may only be set to 1 when thinking is enabled", EVERY, "temperature"),
    ("`temperature` may only be set to 1 when thinking is enabled", EVERY - {"temperature"}, "thinking"),
    ("`temperature` and `top_p` cannot both be specified for this model.", frozenset({"temperature"}), "temperature"),
    ("`temperature` and `top_p` cannot both be specified for this model.", frozenset({"top_p"}), "top_p"),
    ("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled", EVERY, "top_p"),
    ("`top_k` must be unset when thinking is enabled.", EVERY, "top_k"),
    ("Thinking may not be enabled when tool_choice forces tool use.", EVERY, "tool_choice"),
    ("tool_choice: type any is not supported by this model", EVERY, "tool_choice"),
    ("output_config.format: not available on this model", EVERY, "schema"),
    ("This model does not support structured outputs", EVERY, "schema"),
    (MINIMUM, EVERY, "schema"),
    ("For 'integer' type, property 'minimum' is not supported", EVERY, "schema"),
    ("For 'array' type, 'minItems' values other than 0 or 1 are not supported", EVERY, "schema"),
    ("For 'integer' type, property 'minimum' is not supported", EVERY - {"schema"}, None),
    ("output_config.format.schema: the property 'temperature' is not supported", EVERY, "schema"),
    ("the property 'temperature' is not supported", frozenset({"temperature"}), None),
    ('"thinking" is not one of the values', frozenset({"thinking"}), None),
    ("tools.0.custom: For 'integer' type, property 'minimum' is not supported", EVERY, "strict"),
    ("tools.12.custom.input_schema: strict mode is not available", EVERY, "strict"),
    ("tools.0.custom: For 'integer' type, property 'minimum' is not supported", EVERY - {"strict"}, None),
    ("tools.0.custom.input_schema: JSON schema is invalid", EVERY - {"strict"}, None),
    ("tools.0.custom.name: `temperature` is not a name", EVERY - {"strict"}, None),
    ("messages.1.content.0: `thinking` blocks cannot be modified", EVERY, None),
    ("messages.0: the schema, temperature and effort of this", EVERY, None),
    ("system.0: text is not supported with temperature", EVERY, None),
    ("The service refused the request: tools.3.custom: strict", EVERY, "strict"),
    ("The service refused the request: messages.3: temperature", EVERY, None),
    ("stop_sequences: each stop sequence must contain non-whitespace", EVERY, "stop"),
    ("This model does not support the effort parameter.", EVERY, "effort"),
    ("adaptive thinking is not supported on this model", EVERY, "thinking"),
    ("adaptive thinking is not supported on this model", EVERY | {"thinking_budget"}, "thinking_budget"),
    ("This model doesn't take temperature, and won't.", EVERY, "temperature"),
    ("messages: roles must alternate", EVERY, None),
    ("temperatures, effortless, rethinking, restrict", EVERY, None),
]


@pytest.mark.parametrize(("message", "carried", "name"), REFUSALS)
def test_which_parameter_a_refusal_is_about(message: str, carried: frozenset[str], name: str | None) -> None:
    assert refused(message, carried) == name


def test_a_refusal_that_is_about_the_model_is_remembered_for_the_model() -> None:
    refusals, sent = Refusals(), {"temperature": "", "thinking": "disabled"}
    assert refusals.known(ASK, sent) == set()
    assert refusals.learn(ASK, DEPRECATED, sent) == "temperature"
    assert refusals.known(TOOLS, {"temperature": ""}) == {"temperature"}
    assert refusals.known(TOOLS, {"effort": "low"}) == set()
    assert refusals.known(replace(ASK, model="opus"), sent) == set()


NOT_OFF = (
    '"thinking.type.disabled" is not supported for this model. Thinking defaults to adaptive mode when not specified; '
    'use "thinking.type.enabled" with "budget_tokens" for extended thinking.'
)
NO_BUDGET = (
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" '
    "to control thinking behavior."
)
# What the service says of one kind of value, of which; and other kinds, which it takes.
KINDS: list[tuple[str, dict[str, str], str, list[dict[str, str]]]] = [
    (NOT_OFF, {"max_tokens": "", "thinking": "disabled"}, "thinking",
     [{"thinking": "adaptive"}, {"thinking": "enabled"}]),
    (NO_BUDGET, {"thinking": "enabled", "thinking_budget": ""}, "thinking_budget",
     [{"thinking": "adaptive"}, {"thinking": "disabled"}]),
    ("adaptive thinking is not supported on this model", {"thinking": "adaptive"}, "thinking",
     [{"thinking": "disabled"}]),
    ("tool_choice: type any is not supported by this model", {"tool_choice": "any", "thinking": "disabled"},
     "tool_choice", [{"tool_choice": "none"}, {"tool_choice": "tool"}]),
    ('"thinking.type.disabled" is not supported with the effort "xhigh"', {"effort": "xhigh", "thinking": "disabled"},
     "effort", [{"effort": "xhigh"}, {"effort": "low", "thinking": "disabled"}, {"thinking": "disabled"}]),
    ("effort 'max' is not supported by this model", {"effort": "max"}, "effort", [{"effort": "high"}]),
]  # fmt: skip


@pytest.mark.parametrize(("message", "sent", "name", "others"), KINDS)
def test_a_refusal_of_one_kind_of_value_leaves_the_others(
    message: str, sent: dict[str, str], name: str, others: list[dict[str, str]]
) -> None:
    refusals = Refusals()
    assert refusals.learn(ASK, message, sent) == name
    assert refusals.known(TOOLS, sent) == {name}
    assert refusals.known(TOOLS, {**sent, "top_k": ""}) == {name}
    for other in others:
        assert refusals.known(ASK, other) == set()


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("temperature: must be 1 for now", "temperature"),
        ("stop_sequences: each stop sequence must contain non-whitespace", "stop"),
        ("tools.0.custom: For 'integer' type, property 'minimum' is not supported", "strict"),
    ],
)
def test_a_refusal_of_one_value_holds_for_its_request_only(message: str, name: str) -> None:
    refusals = Refusals()
    assert refusals.learn(TOOLS, message, ALL) == name
    assert refusals.known(TOOLS, ALL) == set()


def test_something_else_teaches_nothing() -> None:
    refusals = Refusals()
    assert refusals.learn(ASK, "messages: this is not supported", ALL) is None
    assert refusals.known(ASK, ALL) == set()


def test_what_contradicts_thinking_is_lost_for_good_where_thinking_cannot_be_stopped() -> None:
    refusals, stopped = Refusals(), {"thinking": "disabled"}
    assert refusals.learn(ASK, "disabled thinking is not supported by this model", stopped) == "thinking"
    contradiction = "`temperature` may only be set to 1 when thinking is enabled"
    assert refusals.learn(ASK, contradiction, {"temperature": ""}) == "temperature"
    assert refusals.learn(ASK, "Thinking may not be enabled when tool_choice forces tool use.", FORCED) == "tool_choice"
    assert refusals.known(ASK, {"temperature": "", **stopped}) == {"thinking", "temperature"}
    assert refusals.known(ASK, FORCED) == {"tool_choice"}
    assert refusals.known(ASK, {"tool_choice": "none", "thinking": "adaptive"}) == set()


def test_an_effort_beside_stopped_thinking_is_no_sign_that_thinking_cannot_be_stopped() -> None:
    refusals = Refusals()
    assert refusals.learn(ASK, "disabled thinking is not supported with this effort", XHIGH) == "effort"
    assert refusals.learn(ASK, "temperature: must be 1 for now", {"temperature": ""}) == "temperature"
    assert refusals.known(ASK, {"temperature": ""}) == set()


def wanting(schema: dict[str, Any], model: str = "sonnet") -> Turn:
    return replace(ASK, schema=schema, model=model)


def test_a_refused_keyword_is_remembered_for_its_schema() -> None:
    refusals, schema = Refusals(), {"type": "integer", "minimum": 1}
    assert refusals.learn(wanting(schema), MINIMUM, SCHEMA) == "schema"
    assert refusals.known(wanting({**schema}), SCHEMA) == {"schema"}
    assert refusals.known(wanting(PLAIN), SCHEMA) == set()
    assert refusals.known(wanting(schema, "opus"), SCHEMA) == set()
    assert refusals.known(ASK, {}) == set()


@pytest.mark.parametrize(
    ("schema", "other"),
    [
        ({"const": 1}, {"const": True}),
        ({"properties": {"a": {}, "b": {}}}, {"properties": {"b": {}, "a": {}}}),
    ],
)
def test_schemas_are_told_apart_as_text(schema: dict[str, Any], other: dict[str, Any]) -> None:
    refusals = Refusals()
    refusals.learn(wanting(schema), MINIMUM, SCHEMA)
    assert refusals.known(wanting(other), SCHEMA) == set()


def test_a_model_without_structured_output_is_remembered_for_every_schema() -> None:
    refusals = Refusals()
    refusals.learn(wanting(PLAIN), "This model does not support structured outputs", SCHEMA)
    assert refusals.known(wanting({"type": "string"}), SCHEMA) == {"schema"}


def test_refused_schemas_are_not_collected_without_end() -> None:
    """Some clients write the values of a day into their schema."""
    refusals = Refusals()
    for number in range(MOST_SCHEMAS + 10):
        refusals.learn(wanting({"const": number}), MINIMUM, SCHEMA)
    assert len(refusals._schemas) == MOST_SCHEMAS
    assert refusals.known(wanting({"const": 0}), SCHEMA) == set()
    assert refusals.known(wanting({"const": MOST_SCHEMAS + 9}), SCHEMA) == {"schema"}


@pytest.mark.parametrize(("mode", "forced"), [("auto", False), ("none", False), ("required", True), ("named", True)])
def test_which_choices_force(mode: str, forced: bool) -> None:
    assert is_forced(replace(TOOLS, tool_choice=ToolChoice(mode))) is forced  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("choice", "words", "called"),
    [
        (ToolChoice("required"), "the tool `look` or the tool `seek`", {"look": True, "seek": True}),
        (ToolChoice("named", "seek", parallel=False), "the tool `seek`", {"look": False, "seek": True}),
    ],
)
@pytest.mark.parametrize("system", ["", "Be brief."])
def test_a_forced_choice_in_words(choice: ToolChoice, words: str, called: dict[str, bool], system: str) -> None:
    wanted: Turn = replace(TOOLS, tool_choice=choice, system=system)
    told = instructed(wanted)
    note = f"Answer by calling {words}, and with no other text."
    assert told.system == (f"{system}\n\n{note}" if system else note)
    assert told.tool_choice == ToolChoice("auto", parallel=choice.parallel)
    assert replace(told, system=system, tool_choice=choice) == wanted
    assert {name: honours(wanted, name) for name in called} == called
