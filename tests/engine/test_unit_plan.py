"""From a state to a Turn: which steps, and when there is no way."""

from dataclasses import replace

import pytest
from engine.cli_model import CliModel
from engine.turns import LOOK, PLAIN, SEEK, called, results, said, talk, turn, user, wants

from claude_max.proxy.engine.limits import Limits
from claude_max.proxy.engine.planning.steps import (
    EVERYTHING,
    REWINDS,
    Append,
    Ask,
    Feature,
    Initialize,
    Interrupt,
    Plan,
    Resume,
    Rewind,
    SetLimits,
    SetSystem,
    SetTools,
    State,
    Step,
    plan,
    rewind_steps,
)
from claude_max.proxy.engine.transcript import Entry
from claude_max.proxy.events import JsonObject, Media, Message, Text, ToolResult, Turn

SONNET = Limits("sonnet")


def way(state: State, wanted: Turn, without: Feature | None = None, schema: JsonObject | None = None) -> Plan | None:
    return plan(state, wanted, wants(wanted), schema=schema, features=EVERYTHING - {without})


def test_a_way_back_that_costs_more_than_a_new_process_is_none() -> None:
    """The CLI takes a conversation back line by line, each the slower the longer it is."""
    for lines, possible in ((REWINDS, True), (REWINDS + 1, False)):
        held = State("", transcript=tuple(Entry.of(user(str(n)), f"u{n}") for n in range(lines)))
        assert (way(held, turn(user("somebody else"))) is not None) is possible


def steps(state: State, wanted: Turn, without: Feature | None = None) -> list[Step]:
    found = way(state, wanted, without)
    assert found is not None
    return list(found.steps)


def after(*turns: Turn, schema: JsonObject | None = None, parked: Message | None = None) -> CliModel:
    """A worker that has answered these turns "ok", or the last with the calls in `parked`."""
    model = CliModel()
    for number, wanted in enumerate(turns):
        found = way(model.state, wanted, schema=schema)
        assert found is not None
        for step in found.steps:
            model.take(step)
        model.answered(parked if parked is not None and number == len(turns) - 1 else said("ok"))
    return model


ASKED = turn(user("a"), system="S")
HELD = after(ASKED).state
CALLED = after(turn(user("a"), system="S", tools=(LOOK,)), parked=called("c1", "c2")).state
ANSWERED = turn(user("a"), called("c1", "c2"), results("c2", "c1"), system="S", tools=(LOOK,))


def test_a_fresh_process() -> None:
    settings = {"model": "sonnet"}
    assert steps(State(), turn(user("a"))) == [Initialize(""), SetLimits(SONNET, settings), Ask(user("a"))]
    assert steps(State(), turn(*talk("a", "b", "c"), system="S", tools=(LOOK,))) == [
        Initialize("S"),
        SetLimits(SONNET, settings),
        SetTools("a", (LOOK,)),
        *map(Append, talk("a", "b")),
        Ask(user("c")),
    ]


def test_a_follow_up_only_asks() -> None:
    found = way(HELD, turn(*talk("a", "ok", "b"), system="S"))
    assert found == Plan((Ask(user("b")),), kept=2)
    # Clients trim answers.
    assert way(HELD, turn(*talk("a", " ok\n", "b"), system="S")) == found


@pytest.mark.parametrize("without", [*sorted(EVERYTHING)])
def test_a_follow_up_needs_no_feature(without: Feature) -> None:
    assert steps(HELD, turn(*talk("a", "ok", "b"), system="S"), without) == [Ask(user("b"))]


def test_an_edited_history_goes_back_to_the_fork() -> None:
    state = after(turn(user("a")), turn(*talk("a", "ok", "b")), turn(*talk("a", "ok", "b", "ok", "c"))).state
    assert steps(state, turn(*talk("a", "ok", "x", "y", "z"))) == [
        Rewind("u3", 4),
        Rewind("u2", 2),
        *map(Append, talk("x", "y")),
        Ask(user("z")),
    ]
    assert way(state, turn(*talk("a", "ok", "x"))) == Plan((Rewind("u3", 4), Rewind("u2", 2), Ask(user("x"))), 2)


def test_an_unrelated_conversation_takes_everything_back() -> None:
    found = steps(HELD, turn(user("x"), system="T", tools=(LOOK,), max_tokens=5000))
    limits = Limits("sonnet", max_tokens=5000)
    assert [type(step) for step in found] == [Rewind, SetLimits, SetSystem, SetTools, Ask]
    assert found[1] == SetLimits(limits, {"env": {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": "5000"}})
    assert found[2] == SetSystem("T", "sonnet")


def test_none_and_a_system_prompt_never_become_each_other() -> None:
    assert way(HELD, turn(user("a"))) is None
    assert way(after(turn(user("a"))).state, ASKED) is None


def test_a_model_change_takes_the_conversation_back_first() -> None:
    wanted = turn(*talk("a", "ok", "b"), system="T", model="opus")
    settings = SetLimits(Limits("opus"), {"model": "opus"})
    system = SetSystem("T", "opus")
    assert steps(HELD, wanted) == [Rewind("u1", 0), settings, system, *map(Append, talk("a", "ok")), Ask(user("b"))]


def test_server_names_alternate_even_when_no_tools_stood_between() -> None:
    conversation = talk("a", "ok", "b", "ok", "c", "ok", "d")
    model = after(
        turn(*conversation[:1], tools=(LOOK,)), turn(*conversation[:3], tools=(SEEK,)), turn(*conversation[:5])
    )
    assert (model.state.server, model.state.tools) == ("b", ())
    assert steps(model.state, turn(*conversation, tools=(SEEK,))) == [SetTools("a", (SEEK,)), Ask(user("d"))]


def test_tools_taken_away_name_no_server() -> None:
    state = after(turn(user("a"), tools=(LOOK,))).state
    assert steps(state, turn(*talk("a", "ok", "b"))) == [SetTools("a", ()), Ask(user("b"))]


def test_another_description_of_the_same_tool_needs_another_process() -> None:
    state = after(turn(user("a"), tools=(LOOK,)), turn(*talk("a", "ok", "b"))).state
    assert way(state, turn(user("x"), tools=(replace(LOOK, description="Looks harder"),))) is None
    other_schema = replace(LOOK, description="Looks harder", parameters=SEEK.parameters)
    assert way(state, turn(user("x"), tools=(other_schema,))) is not None
    assert way(state, turn(user("x"), tools=(replace(LOOK),))) is not None


def test_results_resume_the_parked_calls() -> None:
    expected = Resume(results("c2", "c1"), results("c2", "c1").content)  # type: ignore[arg-type]
    assert way(CALLED, ANSWERED) == Plan((expected,), kept=2)


DOCUMENT = ToolResult("c1", (Media("document", "text/plain", "x"),))
NOT_RESUMED = {
    "other limits": replace(ANSWERED, temperature=0.5),
    "another model": replace(ANSWERED, model="opus"),
    "another system prompt": replace(ANSWERED, system="T"),
    "other tools": replace(ANSWERED, tools=(LOOK, SEEK)),
    "a text beside": replace(
        ANSWERED, messages=(*ANSWERED.messages[:2], Message("user", (*results("c1", "c2").content, Text("and"))))
    ),
    "a document": replace(
        ANSWERED, messages=(*ANSWERED.messages[:2], Message("user", (DOCUMENT, *results("c2").content)))
    ),
    "another history": replace(ANSWERED, messages=(user("x"), *ANSWERED.messages[1:])),
    "other calls": turn(user("a"), called("c1"), results("c1"), system="S", tools=(LOOK,)),
}


@pytest.mark.parametrize("wanted", NOT_RESUMED.values(), ids=NOT_RESUMED.keys())
def test_what_cannot_be_resumed_is_replayed(wanted: Turn) -> None:
    found = steps(CALLED, wanted)
    assert found[:2] == [Interrupt(), Rewind("u1", 0)]
    assert found[-1] == Ask(wanted.messages[-1])
    assert [step.message for step in found if isinstance(step, Append)] == list(wanted.messages[:-1])


def test_without_resume_the_results_are_replayed() -> None:
    assert [type(step) for step in steps(CALLED, ANSWERED, "resume")] == [Interrupt, Rewind, Append, Append, Ask]


def test_a_parked_worker_is_interrupted_first() -> None:
    found = steps(CALLED, turn(user("x"), system="T"))
    assert [type(step) for step in found] == [Interrupt, Rewind, SetSystem, SetTools, Ask]


@pytest.mark.parametrize(
    ("without", "state", "wanted"),
    [
        ("rewind", HELD, turn(user("x"), system="S")),
        ("rewind", CALLED, turn(user("x"), system="S", tools=(LOOK,))),
        ("system", HELD, turn(user("x"), system="T")),
        ("tools", CALLED, turn(user("x"), system="S", tools=(SEEK,))),
        ("limits", HELD, turn(user("x"), system="S", max_tokens=5)),
        ("replay", State(), turn(*talk("a", "b", "c"))),
        ("replay", HELD, turn(*talk("x", "y", "z"), system="S")),
    ],
)
def test_without_a_feature_there_is_no_such_way(without: Feature, state: State, wanted: Turn) -> None:
    assert way(state, wanted) is not None
    assert way(state, wanted, without) is None


@pytest.mark.parametrize(
    ("without", "wanted"),
    [
        ("rewind", turn(*talk("a", "b", "c"))),
        ("system", turn(user("a"), system="S")),
        ("tools", turn(user("a"), tools=(LOOK,))),
        ("limits", turn(user("a"), max_tokens=5)),
    ],
)
def test_a_fresh_process_does_without(without: Feature, wanted: Turn) -> None:
    assert way(State(), wanted, without) == way(State(), wanted)


def test_schema_mode_is_fixed_at_the_start() -> None:
    wanted = turn(user("a"), system="S")
    assert way(State(), wanted, schema=PLAIN) is not None
    assert steps(State(), wanted)[0] == Initialize("S", None)
    found = way(State(), wanted, schema=PLAIN)
    assert found is not None
    assert found.steps[0] == Initialize("S", PLAIN)
    assert way(HELD, wanted, schema=PLAIN) is None
    state = after(wanted, schema=PLAIN).state
    assert way(state, wanted) is None
    assert way(state, wanted, schema={"type": "array"}) is None
    assert way(state, wanted, schema=dict(PLAIN)) is not None


def test_a_line_with_results_is_never_a_target() -> None:
    transcript = tuple(
        Entry.of(m, f"u{i}" if m.role == "user" else None)
        for i, m in enumerate((*talk("a"), called("c1"), results("c1"), said("b"), *talk("c", "d")))
    )
    assert rewind_steps(transcript, 0) == (Rewind("u4", 4), Rewind("u0", 0))
    assert rewind_steps(transcript, 4) == (Rewind("u4", 4),)
    assert rewind_steps(transcript, 6) == ()
