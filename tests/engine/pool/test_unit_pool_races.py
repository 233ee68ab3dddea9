"""The pool under cancellations, failures and bad moments: nobody waits for nothing, no process is lost or too many."""

import asyncio

import pytest
from engine.asking import ask, asking, shut
from engine.fake_worker import World, end, quiet
from engine.turns import turn, user, wants

from claude_max.proxy import errors


async def test_a_launch_that_fails_lets_the_next_try() -> None:
    world = World()
    world.failing_launches = [errors.CliUnavailable("it does not start")]
    world.launch_gate = asyncio.Event()
    pool = world.pool(1)
    tasks = [asking(pool, name) for name in "abc"]
    await quiet(pool)
    world.launch_gate.set()
    await quiet(pool)
    assert [task.done() for task in tasks] == [True] * 3, repr(pool)
    await end(*tasks)
    await shut(pool, world)


async def test_a_client_that_leaves_during_the_launch_lets_the_next_try() -> None:
    world = World()
    world.launch_gate = asyncio.Event()
    pool = world.pool(1)
    tasks = [asking(pool, name) for name in "abc"]
    await quiet(pool)
    tasks[0].cancel()
    world.launch_gate.set()
    await quiet(pool)
    assert [task.done() for task in tasks] == [True] * 3, repr(pool)
    await end(*tasks)
    await shut(pool, world)


async def test_a_client_that_leaves_while_another_is_ended_does_not_stop_that() -> None:
    """The process that makes room is ended all the same, and counts until it is gone."""
    for moment in range(6):
        world = World(most=0)
        pool = world.pool(1)
        await ask(pool, "a")
        await quiet(pool)
        world.close_gate = asyncio.Event()
        gone = asking(pool, "b", system="another")
        await quiet(pool, moment)
        gone.cancel()
        await quiet(pool)
        next_one = asking(pool, "c", system="a third")
        await quiet(pool)
        assert world.peak == 1, f"cancelled after {moment}"
        world.close_gate.set()
        await quiet(pool)
        assert next_one.done(), f"cancelled after {moment}: {pool!r}"
        await shut(pool, world)


async def test_a_refused_cli_ends_all_who_wait() -> None:
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(1)
    tasks = [asking(pool, name) for name in "abcdef"]
    await quiet(pool)
    pool.refuse(errors.CliUnavailable("unsafe"))
    world.gate.set()
    await quiet(pool)
    assert [task.done() for task in tasks] == [True] * 6, repr(pool)
    await end(*tasks)
    await shut(pool, world)


async def test_a_worker_whose_end_of_turn_fails_in_an_unknown_way_is_replaced() -> None:
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(1)
    first = asking(pool, "a")
    await quiet(pool)
    world.workers[0].finish_error = KeyError("event")
    world.gate.set()
    await first
    after = asking(pool, "b")
    await quiet(pool)
    assert after.done(), repr(pool)
    await end(after)
    await shut(pool, world)


@pytest.mark.parametrize("moment", range(6))
async def test_closing_in_the_moment_a_turn_ends_waits_for_its_process(moment: int) -> None:
    world = World(most=2)
    pool = world.pool(2, turns=1)
    await ask(pool, "a")
    for _ in range(moment):
        await asyncio.sleep(0)
    await pool.close()
    assert not world.alive


async def test_closing_waits_for_those_that_leave_already() -> None:
    world = World(most=2)
    pool = world.pool(1)
    await ask(pool, "a")
    await quiet(pool)
    world.close_gate = asyncio.Event()
    pool.renew()
    await quiet(pool)
    closing = asyncio.create_task(pool.close())
    await quiet(pool)
    assert not closing.done()
    world.close_gate.set()
    await closing
    assert not world.alive


async def test_draining_ends_a_turn_whose_process_still_starts() -> None:
    world = World()
    world.launch_gate, world.gate = asyncio.Event(), asyncio.Event()
    pool = world.pool(1)
    task = asking(pool, "a")
    await quiet(pool)
    await pool.drain(0)
    world.launch_gate.set()
    await quiet(pool)
    assert task.done(), repr(pool)
    await end(task)
    await shut(pool, world)


async def test_those_called_in_vain_keep_their_order() -> None:
    world = World(most=0)
    world.gate, world.gated = asyncio.Event(), lambda text: text in "ab"
    pool = world.pool(2, turns=1)
    running = [asking(pool, name) for name in "ab"]
    await quiet(pool)
    waiting = [asking(pool, name) for name in "cdef"]
    await quiet(pool)
    # Both processes retire at once: two are called before there is room for any.
    world.gate.set()
    await asyncio.gather(*running, *waiting)
    assert world.begun[2:] == list("cdef")
    await shut(pool, world)


async def test_room_that_comes_while_another_is_called_is_used() -> None:
    world = World(most=0)
    world.close_gate, world.gate = asyncio.Event(), asyncio.Event()
    pool = world.pool(2)
    world.gate.set()
    await asyncio.gather(asking(pool, "a"), asking(pool, "b"))
    await quiet(pool)
    world.gate.clear()
    pool.renew()
    first = asking(pool, "c")
    await quiet(pool)
    # Two places become free in one moment in which one waits and one more arrives.
    world.close_gate.set()
    for _ in range(3):
        await asyncio.sleep(0)
    second = asking(pool, "d")
    await quiet(pool)
    assert sorted(world.begun[2:]) == ["c", "d"], repr(pool)
    world.gate.set()
    await asyncio.gather(first, second)
    await shut(pool, world)


async def test_a_second_attempt_is_not_sent_away_by_a_full_queue() -> None:
    world = World()
    world.gate, world.doubts = asyncio.Event(), 1
    pool = world.pool(1, queue=1)
    tasks = [asking(pool, name) for name in "ab"]
    world.gate.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == ["Finished"] * 2
    await shut(pool, world)


async def test_user_messages_of_every_waiter_are_its_own() -> None:
    world = World()
    pool = world.pool(2)
    wanted = [turn(user(name)) for name in "abcdef"]

    async def text(index: int) -> str:
        found = [event async for event in pool.events(wants(wanted[index]))]
        return str(found[1])

    assert await asyncio.gather(*map(text, range(6))) == [f"TextDelta(text='to {name}')" for name in "abcdef"]
    await shut(pool, world)


async def test_closing_waits_for_a_process_that_is_being_warmed() -> None:
    for moment in range(12):
        world = World(most=2)
        pool = world.pool(2, warm=2)
        pool.start()
        await quiet(pool, moment)
        await pool.close()
        assert not world.alive, f"closed after {moment}"
