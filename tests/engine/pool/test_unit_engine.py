"""Negotiating with a model: what is asked again without what it refused, and what the client is told."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import cast

import pytest
from engine.scripted_pool import (
    ASK,
    BEGAN,
    DONE,
    USAGE,
    Reply,
    ScriptedPool,
    ask,
    calls,
    engine_on,
    fails,
    ignored,
    no_defaults,
    refuses,
    said,
)
from engine.turns import LOOK, PLAIN, SEEK, turn, user

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.schema_tool import NAME
from claude_max.proxy.engine.planning.want import Want
from claude_max.proxy.engine.pool import engine as module
from claude_max.proxy.engine.pool.engine import TOLD, Composer, Engine
from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.events import (
    Event,
    Finished,
    Message,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    StopReason,
    Text,
    TextDelta,
    ToolChoice,
    Usage,
)

COOL = replace(ASK, temperature=0.5)
FORCED = replace(ASK, tools=(LOOK, SEEK), tool_choice=ToolChoice("named", "seek"))
DEPRECATED = "`temperature` is deprecated for this model."
NO_CHOICE = "tool_choice: not supported by this model"
NO_FORMAT = "output_config.format is not supported by this model"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)


async def test_nothing_to_negotiate() -> None:
    engine, pool = engine_on(said("hi"))
    assert await ask(engine, COOL) == said("hi")
    (body,) = pool.bodies()
    assert (body["temperature"], body["thinking"]) == (0.5, {"type": "disabled"})


# What a model refuses


async def test_what_a_model_never_takes_is_dropped_told_and_remembered() -> None:
    engine, pool = engine_on(refuses(DEPRECATED), said("hi"), said("again"), said("other"))
    assert ignored(await ask(engine, COOL)) == {"temperature"}
    assert ignored(await ask(engine, COOL)) == {"temperature"}
    assert ignored(await ask(engine, replace(COOL, model="opus"))) == set(), "another model may take it"
    assert ["temperature" in body for body in pool.bodies()] == [True, False, False, True]


async def test_what_is_remembered_ends_as_it_would_be_found_out() -> None:
    """Without the temperature thinking stays on, and the effort is no matter."""
    beside = "thinking.type.disabled is not supported with this effort"
    engine, pool = engine_on(refuses(DEPRECATED), said("hi"), refuses(beside), said("hi"), said("hi"))
    assert ignored(await ask(engine, COOL)) == {"temperature"}
    assert ignored(await ask(engine, replace(FORCED, effort="max"))) == {"effort"}
    assert ignored(await ask(engine, replace(COOL, effort="max"))) == {"temperature"}
    assert len(pool.asked) == 5


async def test_thinking_that_a_schema_by_a_tool_excludes_is_told() -> None:
    engine, pool = engine_on(refuses(NO_FORMAT), calls(NAME, '{"n":1}'))
    wanted = replace(ASK, schema=SCHEMA, thinking="shown")
    assert ignored(await ask(engine, wanted)) == {"thinking"}
    assert pool.bodies()[1]["thinking"] == {"type": "disabled"}


async def test_a_refusal_of_one_value_is_not_remembered() -> None:
    engine, pool = engine_on(refuses("temperature: must be 1 for now"), said("hi"), said("again"))
    await ask(engine, COOL)
    assert ignored(await ask(engine, COOL)) == set()
    assert len(pool.asked) == 3


async def test_every_line_that_asks_has_a_name_of_its_own() -> None:
    """The CLI drops a repeated one without a word."""
    engine, pool = engine_on(refuses(DEPRECATED), [fails()], said("hi"))
    await ask(engine, COOL)
    assert len({want.uuid for want in pool.asked}) == 3


@pytest.mark.parametrize(
    "error", [errors.BadRequest("messages: no"), errors.Overloaded("temperature"), errors.TooLarge("x")]
)
async def test_other_failures_are_the_clients(error: errors.ProxyError) -> None:
    engine, pool = engine_on([error])
    with pytest.raises(type(error)):
        await ask(engine, COOL)
    assert len(pool.asked) == 1


async def test_nothing_is_asked_again_once_the_answer_has_begun() -> None:
    engine, pool = engine_on([BEGAN, errors.BadRequest(DEPRECATED)])
    with pytest.raises(errors.BadRequest):
        await ask(engine, COOL)
    assert len(pool.asked) == 1


async def test_a_model_that_refuses_everything_is_not_asked_for_ever() -> None:
    engine, pool = engine_on(*[refuses("temperature, thinking, top_p and effort are not supported")] * 9)
    with pytest.raises(errors.BadRequest):
        await ask(engine, replace(COOL, top_p=0.5, effort="low"))
    assert len(pool.asked) < 9


# What may be over a moment later


@pytest.mark.parametrize("kind", [errors.UpstreamFault, errors.Overloaded])
async def test_a_brief_fault_is_tried_once_more(kind: type[errors.ProxyError]) -> None:
    engine, pool = engine_on([fails(kind)], said("hi"))
    assert await ask(engine, ASK) == said("hi")
    assert len(pool.asked) == 2


async def test_only_once() -> None:
    engine, pool = engine_on([fails()], [fails()], said("hi"))
    with pytest.raises(errors.UpstreamFault):
        await ask(engine, ASK)
    assert len(pool.asked) == 2


async def test_a_fault_that_stays_is_not_tried_again() -> None:
    engine, pool = engine_on([fails(brief=False)])
    with pytest.raises(errors.UpstreamFault):
        await ask(engine, ASK)
    assert len(pool.asked) == 1


async def test_never_after_the_first_event() -> None:
    engine, pool = engine_on([BEGAN, fails()])
    with pytest.raises(errors.UpstreamFault):
        await ask(engine, ASK)
    assert len(pool.asked) == 1


async def test_a_fault_and_a_refusal_in_one_request() -> None:
    engine, pool = engine_on(refuses(DEPRECATED), [fails()], said("hi"))
    assert ignored(await ask(engine, COOL)) == {"temperature"}
    assert ["temperature" in body for body in pool.bodies()] == [True, False, False]


# A forced call, told in words


async def test_a_forced_call_is_asked_for_in_words_and_what_came_before_is_not_shown() -> None:
    engine, pool = engine_on(refuses(NO_CHOICE), said("no"), calls("seek"))
    started, *shown, last = await ask(engine, FORCED)
    assert isinstance(started, Started)
    assert started.repaired == {TOLD}
    assert [replace(started, repaired=frozenset()), *shown] == calls("seek")[:-1]
    assert isinstance(last, Finished)
    assert last.usage == USAGE + USAGE, "the first attempt counts too"
    note = "Answer by calling the tool `seek`, and with no other text."
    assert [want.system for want in pool.asked] == ["", note, note]
    assert ["tool_choice" in body for body in pool.bodies()] == [True, False, False]


async def test_a_call_that_never_comes_is_told() -> None:
    engine, pool = engine_on(refuses(NO_CHOICE), said("no"), calls("look"))
    events = await ask(engine, FORCED)
    assert ignored(events) == {"tool_choice"}
    assert events[1:-1] == calls("look")[1:-1]
    assert isinstance(events[-1], Finished)
    assert events[-1].usage == USAGE + USAGE, "the first attempt counts too"
    assert len(pool.asked) == 3


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
async def test_a_limit_or_a_refusal_is_not_asked_again(reason: StopReason) -> None:
    engine, pool = engine_on(refuses(NO_CHOICE), said("no", reason), said("no", reason))
    await ask(engine, FORCED)
    assert len(pool.asked) == 2


# Structured output by a tool

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
STRUCTURED = replace(ASK, schema=SCHEMA)


async def test_a_refused_schema_becomes_a_tool() -> None:
    engine, pool = engine_on(refuses(NO_FORMAT), calls(NAME, '{"n":1}'), calls(NAME, '{"n":2}'))
    events = await ask(engine, STRUCTURED)
    assert events == [BEGAN, TextDelta('{"n":1}'), DONE, Finished("end_turn", USAGE)]
    assert ignored(events) == set(), "it is had another way"
    await ask(engine, STRUCTURED)
    native, by_tool, at_once = pool.bodies()
    assert native["output_config"]["format"]["schema"] == SCHEMA
    for body in (by_tool, at_once):
        assert "output_config" not in body
        assert body["tools"][0]["input_schema"] == SCHEMA
        assert body["tool_choice"] == {"type": "tool", "name": NAME}


async def test_a_refused_keyword_is_remembered_for_this_schema_alone() -> None:
    keyword = "output_config.format.schema: For 'integer' type, property 'minimum' is not supported"
    engine, pool = engine_on(refuses(keyword), calls(NAME, '{"n":1}'), calls(NAME, '{"n":1}'), said("{}"))
    for wanted in (STRUCTURED, STRUCTURED, replace(ASK, schema=PLAIN)):
        await ask(engine, wanted)
    assert ["output_config" in body for body in pool.bodies()] == [True, False, False, True]


async def test_an_answer_that_does_not_fit_is_asked_for_once_more() -> None:
    engine, pool = engine_on(refuses(NO_FORMAT), calls(NAME, '{"n":0}'), calls(NAME, '{"n":1}'))
    events = await ask(engine, STRUCTURED)
    assert events == [BEGAN, TextDelta('{"n":1}'), DONE, Finished("end_turn", Usage(output=2))]
    roles = [[message["role"] for message in body["messages"]] for body in pool.bodies()]
    assert roles == [["user"], ["user"], ["user", "assistant", "user"]]


async def test_two_answers_that_do_not_fit_are_a_fault() -> None:
    engine, pool = engine_on(refuses(NO_FORMAT), calls(NAME, '{"n":0}'), said("no"), calls(NAME, '{"n":1}'))
    with pytest.raises(errors.UpstreamFault, match="fits the schema"):
        await ask(engine, STRUCTURED)
    assert len(pool.asked) == 3


async def test_a_model_that_takes_neither_is_told_in_words() -> None:
    """It refuses a choice that is ours, not the client's."""
    engine, pool = engine_on(refuses(NO_FORMAT), refuses(NO_CHOICE), said("no"), calls(NAME, '{"n":1}'))
    events = await ask(engine, STRUCTURED)
    assert events == [BEGAN, TextDelta('{"n":1}'), DONE, Finished("end_turn", USAGE + USAGE)]
    assert pool.asked[-1].system == f"Answer by calling the tool `{NAME}`, and with no other text."


async def test_thinking_that_cannot_be_stopped_for_a_forced_call() -> None:
    engine, pool = engine_on(
        refuses(NO_FORMAT), refuses("disabled thinking is not supported by this model"), calls(NAME, '{"n":1}')
    )
    assert TextDelta('{"n":1}') in await ask(engine, STRUCTURED)
    assert ["thinking" in body for body in pool.bodies()] == [False, True, False]


async def test_a_clients_own_choice_leaves_no_room_for_a_schema() -> None:
    engine, pool = engine_on(refuses(NO_FORMAT), calls("seek"))
    assert await ask(engine, replace(FORCED, schema=SCHEMA)) == calls("seek")
    assert [tool["name"] for tool in pool.bodies()[1]["tools"]] == ["look", "seek"]


# Thinking that a client does not send back


async def test_thinking_comes_back_with_the_answer_it_belongs_to() -> None:
    thought: Reply = [BEGAN, ReasoningDelta("hm"), ReasoningSigned("c2ln"), DONE, *said("b")[1:]]
    engine, pool = engine_on(thought, said("d"), refuses("messages.1.content.0: `thinking` is bound"), said("e"))
    await ask(engine, ASK)
    follow = turn(user("a"), Message("assistant", (Text("b"),)), user("c"))
    await ask(engine, follow)
    await ask(engine, follow)
    kinds = [[block["type"] for block in body["messages"][1]["content"]] for body in pool.bodies()[1:]]
    assert kinds == [["thinking", "text"], ["thinking", "text"], ["text"]]


# Leaving


async def test_a_turn_that_is_abandoned_is_closed_all_the_way_down() -> None:
    closed: list[bool] = []

    class Endless(ScriptedPool):
        async def events(self, want: Want) -> AsyncGenerator[Event]:
            try:
                while True:
                    yield TextDelta("x")
            finally:
                closed.append(True)

    events = Engine(cast("Pool", Endless()), Composer(no_defaults)).events(ASK)
    await anext(events)
    await events.aclose()
    assert closed == [True]
