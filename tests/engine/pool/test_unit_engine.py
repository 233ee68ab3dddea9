"""Coming to terms with a model: what is asked again without what it refused, and what the client is told."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import cast

import pytest
from engine.turns import LOOK, PLAIN, SEEK, turn, user

from claude_max.proxy import errors
from claude_max.proxy.engine.limits import Limits
from claude_max.proxy.engine.pool.engine import Engine
from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.events import (
    Event,
    Finished,
    JsonObject,
    Started,
    StopReason,
    TextDelta,
    ToolCallStarted,
    ToolChoice,
    Turn,
    Usage,
)

Reply = list[Event | errors.ProxyError]


class ScriptedPool:
    """Answers from a list; keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[Turn, Limits, JsonObject | None]] = []

    async def events(self, turn: Turn, wanted: Limits, schema: JsonObject | None = None) -> AsyncGenerator[Event]:
        self.asked.append((turn, wanted, schema))
        for event in self.replies.pop(0):
            if isinstance(event, errors.ProxyError):
                raise event
            yield event


def said(text: str, reason: StopReason = "end_turn") -> Reply:
    return [Started("m"), TextDelta(text), Finished(reason, Usage(output=1))]


def calls(name: str) -> Reply:
    return [Started("m"), ToolCallStarted(0, "c1", name), Finished("tool_use", Usage())]


def refuses(message: str) -> Reply:
    return [errors.BadRequest(f"The service refused the request: {message}")]


def ask(engine: Engine, wanted: Turn) -> list[Event]:
    async def collect() -> list[Event]:
        return [event async for event in engine.events(wanted)]

    return asyncio.run(collect())


def engine_on(*replies: Reply) -> tuple[Engine, ScriptedPool]:
    pool = ScriptedPool(*replies)
    return Engine(cast("Pool", pool)), pool


def ignored(events: list[Event]) -> set[str]:
    (started,) = [event for event in events if isinstance(event, Started)]
    return set(started.ignored)


ASK = turn(user("a"))
COOL = replace(ASK, temperature=0.5)
FORCED = replace(ASK, tools=(LOOK, SEEK), tool_choice=ToolChoice("named", "seek"))
DEPRECATED = "`temperature` is deprecated for this model."
NO_CHOICE = "tool_choice: not supported by this model"


def test_nothing_to_negotiate() -> None:
    engine, pool = engine_on(said("hi"))
    assert ask(engine, COOL) == said("hi")
    assert pool.asked == [
        (COOL, Limits("sonnet", extra_body='{"temperature":0.5,"thinking":{"type":"disabled"}}'), None)
    ]


def test_what_a_model_never_takes_is_dropped_told_and_remembered() -> None:
    engine, pool = engine_on(refuses(DEPRECATED), said("hi"), said("again"), said("other"))
    assert ignored(ask(engine, COOL)) == {"temperature"}
    assert ignored(ask(engine, COOL)) == {"temperature"}
    assert ignored(ask(engine, replace(COOL, model="opus"))) == set(), "another model may take it"
    assert [found[1].extra_body != "" for found in pool.asked] == [True, False, False, True]


def test_a_refusal_of_one_value_is_not_remembered() -> None:
    engine, pool = engine_on(refuses("temperature: must be 1 for now"), said("hi"), said("again"))
    ask(engine, COOL)
    assert ignored(ask(engine, COOL)) == set()
    assert len(pool.asked) == 3


@pytest.mark.parametrize(
    "error", [errors.BadRequest("messages: no"), errors.Overloaded("temperature"), errors.TooLarge("x")]
)
def test_other_failures_are_the_clients(error: errors.ProxyError) -> None:
    engine, pool = engine_on([error])
    with pytest.raises(type(error)):
        ask(engine, COOL)
    assert len(pool.asked) == 1


def test_nothing_is_asked_again_once_the_answer_has_begun() -> None:
    engine, pool = engine_on([Started("m"), errors.BadRequest(DEPRECATED)])
    with pytest.raises(errors.BadRequest):
        ask(engine, COOL)
    assert len(pool.asked) == 1


def test_a_model_that_refuses_everything_is_not_asked_for_ever() -> None:
    engine, pool = engine_on(*[refuses("temperature, thinking, top_p and effort are not supported")] * 9)
    with pytest.raises(errors.BadRequest):
        ask(engine, replace(COOL, top_p=0.5))
    # Without both there is nothing left that thinking would have to be off for.
    assert len(pool.asked) == 3


def test_a_refused_schema_is_had_by_the_clis_own_mode() -> None:
    engine, pool = engine_on(refuses("output_config.format is not supported"), said("{}"))
    assert ignored(ask(engine, replace(ASK, schema=PLAIN))) == set()
    assert [found[2] for found in pool.asked] == [None, PLAIN]


def test_a_forced_call_is_asked_for_in_words_and_what_came_before_is_not_shown() -> None:
    engine, pool = engine_on(refuses(NO_CHOICE), said("no"), calls("seek"))
    assert ask(engine, FORCED) == calls("seek")
    assert [found[0].system for found in pool.asked] == [
        "",
        *["Answer by calling the tool `seek`, and with no other text."] * 2,
    ]


def test_a_call_that_never_comes_is_told() -> None:
    engine, pool = engine_on(refuses(NO_CHOICE), said("no"), calls("look"))
    events = ask(engine, FORCED)
    assert ignored(events) == {"tool_choice"}
    assert events[1:] == calls("look")[1:]
    assert len(pool.asked) == 3


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
def test_a_limit_or_a_refusal_is_not_asked_again(reason: StopReason) -> None:
    engine, pool = engine_on(refuses(NO_CHOICE), said("no", reason), said("no", reason))
    ask(engine, FORCED)
    assert len(pool.asked) == 2


async def test_a_turn_that_is_abandoned_is_closed_all_the_way_down() -> None:
    closed: list[bool] = []

    class Endless(ScriptedPool):
        async def events(self, turn: Turn, wanted: Limits, schema: JsonObject | None = None) -> AsyncGenerator[Event]:
            try:
                while True:
                    yield TextDelta("x")
            finally:
                closed.append(True)

    events = Engine(cast("Pool", Endless())).events(ASK)
    await anext(events)
    await events.aclose()
    assert closed == [True]
