"""Which refusals are understood, and what is asked instead."""

from dataclasses import replace

import pytest
from engine.turns import LOOK, SEEK, turn, user

from claude_max.proxy.engine.planning.negotiate import WORDS, honours, instructed, is_forced, lasting, refused
from claude_max.proxy.events import ToolChoice, Turn

EVERY = frozenset(WORDS)
TOOLS = turn(user("a"), tools=(LOOK, SEEK))

REFUSALS = [
    ("`temperature` is deprecated for this model.", EVERY, "temperature", True),
    ("`temperature` may only be set to 1 when thinking is enabled", EVERY, "temperature", False),
    ("`temperature` may only be set to 1 when thinking is enabled", EVERY - {"temperature"}, "thinking", False),
    ("top_p must be >= 0.95 when thinking is enabled", EVERY, "top_p", False),
    ("Thinking may not be enabled when tool_choice forces tool use.", EVERY, "tool_choice", False),
    ("tool_choice: type any is not supported by this model", EVERY, "tool_choice", True),
    ("output_config.format: not available on this model", EVERY, "schema", True),
    ("This model does not support structured outputs", EVERY, "schema", True),
    ("stop_sequences: each stop sequence must contain non-whitespace", EVERY, "stop", False),
    ("This model does not support the effort parameter.", EVERY, "effort", True),
    ("adaptive thinking is not supported on this model", EVERY, "thinking", True),
    ("messages: roles must alternate", EVERY, None, False),
    ("`temperature` is deprecated for this model.", frozenset({"top_p"}), None, True),
    ("temperatures, effortless, rethinking", EVERY, None, False),
]


@pytest.mark.parametrize(("message", "carried", "name", "for_good"), REFUSALS)
def test_refusals(message: str, carried: frozenset[str], name: str | None, for_good: bool) -> None:
    assert refused(message, carried) == name
    assert lasting(message) is for_good


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
