"""Which way a Turn goes, and where it is composed."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from engine.scripted_pool import ASK, ScriptedPool, ask, engine_on, said
from engine.turns import LOOK, PLAIN, SEEK, called, results, talk, turn, user

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.compose import Context, composed
from claude_max.proxy.engine.planning.steps import EVERYTHING, Feature
from claude_max.proxy.engine.pool.engine import LARGE, size_of
from claude_max.proxy.events import Media, Message, ServerTool, Started, Tool, Turn


def way_of(pool: ScriptedPool) -> str:
    return pool.asked[-1].way


@pytest.mark.parametrize(
    ("composition", "features", "limit", "way"),
    [
        ("auto", EVERYTHING, None, "exact"),
        ("auto", EVERYTHING - {"exact"}, None, "lines"),
        ("auto", EVERYTHING, 10, "lines"),
        ("exact", EVERYTHING - {"lines", "tools"}, None, "exact"),
        ("lines", EVERYTHING - {"exact"}, None, "lines"),
        # One message without tools needs nothing of what fails here.
        ("lines", EVERYTHING - {"lines", "tools"}, None, "lines"),
    ],
)
async def test_the_way(composition: str, features: frozenset[Feature], limit: int | None, way: str) -> None:
    engine, pool = engine_on(said("hi"), features=features, composition=composition, limit=limit)
    (began, *_) = await ask(engine, ASK)
    assert way_of(pool) == way
    assert isinstance(began, Started)
    assert bool(began.repaired) is (way == "lines")


LONG = turn(*talk("a", "b", "c"))


@pytest.mark.parametrize(
    ("composition", "lost", "limit", "wanted", "why"),
    [
        ("exact", {"exact"}, None, ASK, "exact composition, and the setting"),
        ("lines", {"lines"}, None, LONG, r"\(lines\)"),
        ("auto", {"lines"}, 10, LONG, r"\(lines\)"),
        ("auto", {"exact", "tools"}, None, replace(ASK, tools=(LOOK,)), r"\(tools\)"),
    ],
)
async def test_a_way_whose_check_fails_is_not_gone(
    composition: str, lost: set[Feature], limit: int | None, wanted: Turn, why: str
) -> None:
    engine, pool = engine_on(said("hi"), features=EVERYTHING - lost, composition=composition, limit=limit)
    with pytest.raises(errors.CliUnavailable, match=why):
        await ask(engine, wanted)
    assert pool.asked == []


async def test_a_body_over_the_size_where_only_the_exact_way_is_allowed() -> None:
    engine, pool = engine_on(said("hi"), composition="exact", limit=10)
    with pytest.raises(errors.BadRequest, match=r"bytes; with the exact composition 10 are the most"):
        await ask(engine, ASK)
    assert pool.asked == []


async def test_what_the_lines_way_would_lose_is_refused() -> None:
    engine, pool = engine_on(said("hi"), composition="lines")
    with pytest.raises(errors.BadRequest, match="exact composition"):
        await ask(engine, replace(ASK, tools=(ServerTool({"name": "web_search"}),)))
    assert pool.asked == []


async def test_a_large_turn_is_composed_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    beside: list[bool] = []
    to_thread = asyncio.to_thread

    async def counted(*arguments: Any) -> Any:
        beside.append(True)
        return await to_thread(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    engine, _ = engine_on(said("hi"), said("hi"))
    await ask(engine, ASK)
    assert not beside
    await ask(engine, turn(user("x" * (LARGE + 1))))
    assert beside


MILLION = 1_000_000
ENUM = {"type": "object", "properties": {"p": {"enum": [str(number) for number in range(MILLION // 7)]}}}
WIDE = {"type": "object", "properties": {f"property {number}": {"type": "string"} for number in range(MILLION // 30)}}


@pytest.mark.parametrize(
    "large",
    [
        pytest.param(turn(user("x" * MILLION)), id="a text"),
        pytest.param(turn(user(*["x"] * (MILLION // 30))), id="many texts"),
        pytest.param(turn(*talk(*["x"] * (MILLION // 60))), id="many messages"),
        pytest.param(turn(user("x"), system="x" * MILLION), id="a system prompt"),
        pytest.param(turn(Message("user", (Media("image", "image/png", "A" * MILLION),))), id="an image"),
        pytest.param(turn(user("a"), called("1"), results("1", text="x" * MILLION)), id="a result"),
        pytest.param(turn(user("a"), called("1", file="x" * MILLION), results("1")), id="arguments"),
        pytest.param(turn(user("a"), tools=(Tool("t", "x" * MILLION, PLAIN),)), id="a description"),
        pytest.param(turn(user("a"), tools=(Tool("t", "", ENUM),)), id="an enumeration"),
        pytest.param(turn(user("a"), tools=(Tool("t", "", WIDE),)), id="many properties"),
    ],
)
def test_what_is_large_as_json_counts_as_large(large: Turn) -> None:
    """However it is made up; and what is small does not."""
    assert len(orjson.dumps(composed(large, Context()).body)) + len(large.system) > 0.9 * MILLION
    assert size_of(large) > LARGE
    assert size_of(turn(user("x"), called("1"), results("1"), tools=(LOOK, SEEK))) < 2000
