"""Who waits, in which order they are woken, and who is told of a failure."""

import asyncio

import pytest

from claude_max.proxy.engine.pool.queue import Queue


class Line:
    """A queue, and those who have been woken in it."""

    def __init__(self) -> None:
        self.queue = Queue()
        self.woken: list[int | str] = []

    async def _wait(self, place: int, seconds: float | None) -> None:
        try:
            await self.queue.wait(place, seconds)
            self.woken.append(place)
        except ValueError as error:
            self.woken.append(f"{place}: {error}")

    async def join(self, place: int, seconds: float | None = None) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._wait(place, seconds))
        await asyncio.sleep(0)
        return task


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_places_go_up_and_count_those_ahead() -> None:
    line = Line()
    first, second, third = (line.queue.place() for _ in range(3))
    assert first < second < third
    waiting = [await line.join(third), await line.join(first)]
    assert len(line.queue) == 2
    assert [line.queue.ahead(place) for place in (first, second, third)] == [0, 1, 1]
    line.queue.notify()
    await asyncio.gather(*waiting)
    assert len(line.queue) == 0


async def test_all_are_woken_lower_places_first() -> None:
    line = Line()
    waiting = [await line.join(place) for place in (2, 0, 1)]
    line.queue.notify()
    line.queue.notify()
    await asyncio.gather(*waiting)
    assert line.woken == [0, 1, 2]


async def test_a_wait_ends_by_itself() -> None:
    line = Line()
    await (await line.join(0, 0.001))
    assert line.woken == [0]
    assert len(line.queue) == 0
    line.queue.notify()


async def test_one_that_leaves_is_not_in_it_any_more() -> None:
    line = Line()
    gone, stays = await line.join(0), await line.join(1)
    gone.cancel()
    await settled()
    assert len(line.queue) == 1
    assert line.queue.ahead(1) == 0
    line.queue.notify()
    await stays
    assert line.woken == [1]
    assert gone.cancelled()


@pytest.mark.parametrize(("place", "told"), [(1, ["1: no"]), (0, ["0: no"]), (7, []), (-1, [])])
async def test_a_failure_is_told_to_its_place_alone(place: int, told: list[str]) -> None:
    line = Line()
    waiting = [await line.join(0), await line.join(1)]
    assert line.queue.fail(place, ValueError("no")) is bool(told)
    await settled()
    assert line.woken == told
    line.queue.notify()
    await asyncio.gather(*waiting)
    assert len(line.woken) == 2


async def test_a_failure_that_nobody_waits_for() -> None:
    line = Line()
    assert not line.queue.fail(0, ValueError("no"))
    waiting = await line.join(0)
    line.queue.notify()
    assert not line.queue.fail(0, ValueError("no")), "it is woken already and looks for itself"
    await waiting
    assert line.woken == [0]


async def test_one_that_leaves_as_it_is_told_leaves_no_unread_failure() -> None:
    """The event loop of these tests reports each that nobody has read."""
    line = Line()
    waiting = await line.join(0)
    line.queue.fail(0, ValueError("no"))
    waiting.cancel()
    await settled()
    assert waiting.done()
    assert len(line.queue) == 0
