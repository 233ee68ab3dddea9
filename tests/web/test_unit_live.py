"""One producer for all tabs, which looks while somebody does; a tab that sleeps loses events and gets a snapshot."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest

from claude_max.proxy.errors import Busy
from claude_max.proxy.translate.common.frames import Frame, server_sent_event
from claude_max.proxy.web import live as module
from claude_max.proxy.web.live import MOST_TABS, MOST_WAITING, RECENT, Live

Told = tuple[str, dict[str, Any]]


class Looked:
    """A state, and how often it was looked at."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"number": 0}
        self.times = 0
        self.live = Live(self, lambda: 1_700_000_000.0)

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        if self.state.get("fails"):
            raise ValueError("no state")
        return dict(self.state)

    def ask(self, number: int) -> None:
        self.live.finished(lambda: {"id": number})


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    monkeypatch.setattr(module, "SHORTEST", 0.001)
    monkeypatch.setattr(module, "LONGEST", 0.005)
    return Looked()


async def told(stream: AsyncGenerator[bytes]) -> Told:
    async with asyncio.timeout(5):
        name, data = (await anext(stream)).decode().removesuffix("\n\n").split("\n")
    return name.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))


async def until(stream: AsyncGenerator[bytes], name: str) -> Told:
    while (found := await told(stream))[0] != name:
        pass
    return found


async def test_a_snapshot_then_what_changes(looked: Looked) -> None:
    looked.ask(1)
    looked.ask(2)
    stream = looked.live.events()
    name, snapshot = await told(stream)
    assert (name, snapshot["number"], snapshot["now"]) == ("snapshot", 0, 1_700_000_000.0)
    assert [row["id"] for row in snapshot["requests"]] == [2, 1]
    looked.state["number"] = 7
    looked.live.poke()
    while (await until(stream, "state"))[1]["number"] != 7:
        pass
    looked.ask(3)
    assert (await until(stream, "request"))[1] == {"id": 3}
    await stream.aclose()


async def test_nobody_looks_where_nobody_is(looked: Looked) -> None:
    for number in range(10 * RECENT):
        looked.ask(number)
    await asyncio.sleep(0.02)
    assert looked.times == 0
    assert len(looked.live.recent) == RECENT
    stream = looked.live.events()
    await told(stream)
    await until(stream, "state")
    await stream.aclose()
    assert looked.live._producer is not None
    await asyncio.wait({looked.live._producer}, timeout=5)
    seen = looked.times
    await asyncio.sleep(0.02)
    assert looked.times == seen
    # And again.
    again = looked.live.events()
    assert (await told(again))[0] == "snapshot"
    looked.state["number"] = 1
    assert (await until(again, "state"))[1]["number"] in (0, 1)
    await again.aclose()


async def test_many_tabs_cost_one_look(looked: Looked) -> None:
    streams = [looked.live.events() for _ in range(MOST_TABS)]
    whole = [await told(stream) for stream in streams]
    assert looked.times <= 2
    assert all(one == whole[0] for one in whole)
    with pytest.raises(Busy):
        looked.live.events()
    looked.ask(1)
    before = looked.times
    for stream in streams:
        assert (await until(stream, "request"))[1] == {"id": 1}
    assert looked.times - before <= 3
    await streams[0].aclose()
    # One that never begins takes no place.
    await looked.live.events().aclose()
    for stream in streams:
        await stream.aclose()


async def test_many_tabs_at_once_are_no_more(looked: Looked) -> None:
    streams = [looked.live.events() for _ in range(3 * MOST_TABS)]
    began = [await anext(stream, None) is not None for stream in streams]
    assert began == [True] * MOST_TABS + [False] * 2 * MOST_TABS
    for stream in streams:
        await stream.aclose()


async def test_the_end_of_a_session_ends_its_tabs_alone(looked: Looked) -> None:
    allowed = [True]
    ending, other = looked.live.events(lambda: allowed[0]), looked.live.events()
    await told(ending)
    await told(other)
    looked.ask(1)
    allowed[0] = False
    looked.live.ask_again()
    assert await anext(ending, None) is None
    assert (await until(other, "request"))[1] == {"id": 1}
    await other.aclose()


async def test_a_tab_that_sleeps_gets_a_snapshot(looked: Looked) -> None:
    asleep, awake = looked.live.events(), looked.live.events()
    await told(asleep)
    await told(awake)
    for number in range(3 * MOST_WAITING):
        looked.ask(number)
        await until(awake, "request")
    tabs = list(looked.live._tabs)
    assert max(len(tab.waiting) for tab in tabs) <= MOST_WAITING
    name, snapshot = await told(asleep)
    assert name == "snapshot"
    assert snapshot["requests"][0]["id"] == 3 * MOST_WAITING - 1
    looked.ask(1000)
    assert (await until(asleep, "request"))[1] == {"id": 1000}
    await asleep.aclose()
    await awake.aclose()


async def test_a_state_that_cannot_be_told_is_told_later(looked: Looked) -> None:
    stream = looked.live.events()
    await told(stream)
    looked.state["fails"] = True
    await asyncio.sleep(0.02)
    looked.state = {"number": 9}
    while (await until(stream, "state"))[1]["number"] != 9:
        pass
    await stream.aclose()


async def test_the_end_of_the_server_ends_every_tab(looked: Looked) -> None:
    stream = looked.live.events()
    await told(stream)
    looked.live.close()
    async with asyncio.timeout(5):
        assert all(b"state" in each for each in [each async for each in stream])


def test_no_value_breaks_an_event() -> None:
    lines = server_sent_event(Frame({"model": "a\n\ndata: b\r\u2028<script>"}, "request")).decode().split("\n")
    assert lines[2:] == ["", ""]
    assert lines[1].startswith("data: {")
