"""The pool's bounds and its queue, with workers that are no processes."""

import asyncio

import pytest
from engine.asking import ask, asking, shut
from engine.fake_worker import World, end, quiet

from claude_max.proxy import errors


async def test_one_worker_serves_turns_one_after_the_other() -> None:
    world = World()
    pool = world.pool(1)
    tasks = [asking(pool, name) for name in "abcdef"]
    assert await asyncio.gather(*tasks) == ["Finished"] * 6
    assert world.begun == list("abcdef")
    assert world.peak == 1
    await shut(pool, world)


async def test_at_the_limit_another_is_ended_before_the_next_begins() -> None:
    world = World()
    pool = world.pool(2)
    for name in "abcdef":
        # No system prompt cannot become one: every second turn needs a process of its own.
        await ask(pool, name, system="" if name in "ace" else f"system {name}")
    await asyncio.gather(*(asking(pool, name, system=name * (i % 3)) for i, name in enumerate("ghijklmnop")))
    assert world.peak <= 2
    await shut(pool, world)


async def test_past_the_queue_requests_are_told_to_come_back() -> None:
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(1, queue=2)
    tasks = [asking(pool, name) for name in "abc"]
    await quiet(pool)
    assert repr(pool) == "<Pool <Roster busy 1> waiting=2>"
    with pytest.raises(errors.Busy) as caught:
        await ask(pool, "d")
    assert caught.value.headers()["retry-after"] == "2"
    world.gate.set()
    assert await asyncio.gather(*tasks) == ["Finished"] * 3
    await shut(pool, world)


async def test_a_doubtful_worker_is_replaced_and_gone() -> None:
    world = World()
    world.doubts = 2
    pool = world.pool(1)
    assert await ask(pool, "a") == "Finished"
    assert len(world.workers) == 3
    await quiet(pool)
    assert world.alive == {world.workers[2]}
    assert world.peak == 1
    await shut(pool, world)


async def test_after_a_doubt_only_a_younger_worker_will_do() -> None:
    world = World()
    pool = world.pool(3)
    await asyncio.gather(asking(pool, "a"), asking(pool, "b"))
    await quiet(pool)
    world.doubts = 1
    assert await ask(pool, "c") == "Finished"
    assert len(world.workers) == 3
    await shut(pool, world)


async def test_three_doubts_are_a_failure() -> None:
    world = World()
    world.doubts = 3
    pool = world.pool(2)
    with pytest.raises(errors.CliCrashed):
        await ask(pool, "a")
    assert len(world.workers) == 3
    assert await ask(pool, "b") == "Finished"
    await shut(pool, world)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_waiter_that_goes_away_takes_nobodys_turn(place: int) -> None:
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(1)
    first = asking(pool, "first")
    await quiet(pool)
    waiting = [asking(pool, name) for name in "abc"]
    await quiet(pool)
    gone = waiting.pop(place)
    # In the same moment the worker becomes free: the one who is called may be the one who leaves.
    world.gate.set()
    await first
    gone.cancel()
    assert await asyncio.gather(*waiting) == ["Finished"] * 2
    assert world.begun[1:] == [name for i, name in enumerate("abc") if i != place]
    await shut(pool, world)


async def test_one_that_leaves_when_it_is_called_hands_its_call_on() -> None:
    world = World(most=0)
    pool = world.pool(1)
    await ask(pool, "a")
    await quiet(pool)
    world.close_gate = asyncio.Event()
    pool.renew()
    gone, stays = asking(pool, "b"), asking(pool, "c")
    await quiet(pool)
    first = pool._queue._places[min(pool._queue._places)]
    world.close_gate.set()
    # To the very moment: woken, and not yet gone on.
    for _ in range(50):
        if first.done():
            break
        await asyncio.sleep(0)
    assert first.done()
    gone.cancel()
    assert await stays == "Finished"
    await shut(pool, world)


async def test_the_cancelled_turn_that_runs_frees_its_worker() -> None:
    world = World()
    world.gate, world.gated = asyncio.Event(), lambda text: text == "stuck"
    pool = world.pool(1)
    stuck = asking(pool, "stuck")
    await quiet(pool)
    after = asking(pool, "after")
    await quiet(pool)
    stuck.cancel()
    assert await after == "Finished"
    assert world.peak == 1
    await shut(pool, world)


async def test_draining_ends_those_who_wait_and_those_who_run() -> None:
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(2)
    tasks = [asking(pool, name) for name in "abcd"]
    await quiet(pool)
    draining = asyncio.create_task(pool.drain(30))
    await quiet(pool)
    assert [task.done() for task in tasks] == [False, False, True, True]
    with pytest.raises(errors.ShuttingDown):
        await ask(pool, "late")
    draining.cancel()
    await pool.drain(0)
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(found) for found in ends] == [errors.ShuttingDown] * 4
    await shut(pool, world)


async def test_a_turn_that_ends_in_time_is_not_cut() -> None:
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(1)
    task = asking(pool, "a")
    await quiet(pool)
    draining = asyncio.create_task(pool.drain(30))
    await quiet(pool)
    world.gate.set()
    assert await task == "Finished"
    await draining
    await shut(pool, world)


async def test_close_leaves_nothing() -> None:
    world = World(most=2)
    world.gate, world.gated = asyncio.Event(), lambda text: text == "stuck"
    pool = world.pool(3, warm=1)
    pool.start()
    await quiet(pool)
    tasks = [asking(pool, "stuck"), asking(pool, "a")]
    await quiet(pool)
    await pool.close()
    await end(*tasks)
    assert not world.alive
