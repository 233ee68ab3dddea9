"""How processes come to be: who waits for which, what a start outlives, and who is told that one has failed."""

import asyncio

import pytest
from engine.asking import ask, asking, shut
from engine.fake_worker import World, end, quiet
from engine.turns import LOOK, SEEK

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.growth import is_worth_a_start
from claude_max.proxy.engine.planning.steps import EVERYTHING, Feature
from claude_max.proxy.engine.pool import pool as module
from claude_max.proxy.engine.process.channel import Unconfirmed


async def test_a_start_outlives_the_client_that_wanted_it() -> None:
    world = World()
    world.launch_gate = asyncio.Event()
    pool = world.pool(2)
    gone = asking(pool, "a", system="S")
    await quiet(pool)
    gone.cancel()
    await quiet(pool)
    world.launch_gate.set()
    await quiet(pool)
    assert [worker.system for worker in world.workers] == ["S"]
    assert await ask(pool, "b", system="S") == "Finished"
    assert len(world.workers) == 1
    await shut(pool, world)


@pytest.mark.parametrize("lacks", [None, "silence", "rewind"])
async def test_a_spare_process_is_warmed_up_and_one_that_somebody_waits_for_is_not(lacks: Feature | None) -> None:
    world = World()
    pool = world.pool(2, warm=1, features=EVERYTHING - {lacks})
    pool.start()
    await quiet(pool)
    assert [worker.warmed for worker in world.workers] == [lacks is None]
    await shut(pool, world)
    world = World()
    pool = world.pool(2, features=EVERYTHING - {lacks})
    assert await ask(pool, "a") == "Finished"
    assert [worker.warmed for worker in world.workers] == [False]
    await shut(pool, world)


async def test_one_start_serves_those_who_want_it_one_after_the_other() -> None:
    world = World()
    world.launch_gate, world.gate = asyncio.Event(), asyncio.Event()
    pool = world.pool(3)
    tasks = [asking(pool, "a"), asking(pool, "b")]
    await quiet(pool)
    assert repr(pool) == "<Pool <Roster starting 2> waiting=2>"
    tasks[0].cancel()
    third = asking(pool, "c")
    await quiet(pool)
    assert repr(pool) == "<Pool <Roster starting 2> waiting=2>", "the one that was left is used"
    world.launch_gate.set()
    world.gate.set()
    assert set(await asyncio.gather(tasks[1], third)) == {"Finished"}
    await shut(pool, world)


async def test_a_turn_without_a_system_prompt_waits_for_the_one_that_can_serve_it() -> None:
    """Rather than ending another that is in use."""
    world = World()
    pool = world.pool(2)
    assert await ask(pool, "bare") == "Finished"
    for number in range(6):
        await ask(pool, f"n{number}", system=f"system {number % 3}")
        await quiet(pool)
    assert sorted(worker.system or "" for worker in world.alive) == ["", "system 2"]
    world.gate, world.gated = asyncio.Event(), lambda text: text == "long"
    first, second = asking(pool, "long"), asking(pool, "after")
    await quiet(pool)
    assert not second.done()
    world.gate.set()
    assert set(await asyncio.gather(first, second)) == {"Finished"}
    assert len(world.workers) == 2
    await shut(pool, world)


async def test_at_the_limit_the_last_without_a_system_prompt_is_kept() -> None:
    world = World()
    world.gate, world.gated = asyncio.Event(), lambda text: text == "long"
    pool = world.pool(2)
    await ask(pool, "bare")
    await quiet(pool)
    long = asking(pool, "long", system="S")
    await quiet(pool)
    assert len(world.workers) == 1, "there is room for another: nothing need be kept"
    world.gate.set()
    await long
    await quiet(pool)
    world.gate.clear()
    long, bare = asking(pool, "long", system="S"), asking(pool, "again")
    await quiet(pool)
    assert bare.done()
    waits = asking(pool, "waits", system="T")
    await quiet(pool)
    assert not waits.done()
    assert await ask(pool, "bare at once") == "Finished"
    world.gate.set()
    assert set(await asyncio.gather(long, bare, waits)) == {"Finished"}
    await shut(pool, world)


async def test_where_none_can_serve_one_is_ended_for_one_that_can() -> None:
    world = World()
    pool = world.pool(2)
    await asyncio.gather(asking(pool, "a", "S"), asking(pool, "b", "T"))
    await quiet(pool)
    assert await ask(pool, "bare") == "Finished"
    assert world.peak == 2
    assert len(world.workers) == 3
    await shut(pool, world)


async def test_one_with_other_tools_is_ended_rather_than_waiting_for_a_busy_one() -> None:
    world = World()
    world.gate, world.gated = asyncio.Event(), lambda text: text == "long"
    pool = world.pool(2)
    long = asking(pool, "long", "S", tools=(SEEK,))
    await quiet(pool)
    assert await ask(pool, "other tools", "S", tools=(LOOK,)) == "Finished"
    await quiet(pool)
    assert await ask(pool, "short", "S", tools=(SEEK,)) == "Finished"
    assert not long.done()
    assert (world.peak, len(world.workers)) == (2, 3)
    world.gate.set()
    assert await long == "Finished"
    await shut(pool, world)


async def test_a_cli_that_keeps_its_system_prompt_gets_a_process_for_each() -> None:
    world = World()
    pool = world.pool(1, features=EVERYTHING - {"system"})
    for system in ("S", "S", "T"):
        await ask(pool, system, system)
        await quiet(pool)
    assert len(world.workers) == 2
    await shut(pool, world)


async def test_a_cli_that_does_not_rewind_gets_a_process_for_each_turn() -> None:
    world = World()
    pool = world.pool(1, features=EVERYTHING - {"rewind"})
    for name in "abc":
        await ask(pool, name)
    assert len(world.workers) == 3
    await shut(pool, world)


@pytest.mark.parametrize("when", ["launch", "prepare"])
@pytest.mark.parametrize("error", [errors.CliUnavailable("no"), errors.Overloaded("full")], ids=["none", "full"])
async def test_a_start_that_fails_is_told_to_the_one_who_wanted_it(when: str, error: errors.ProxyError) -> None:
    world = World()
    (world.failing_launches if when == "launch" else world.failing_prepares).append(error)
    pool = world.pool(1)
    with pytest.raises(type(error)):
        await ask(pool, "a")
    assert await ask(pool, "b") == "Finished"
    await quiet(pool)
    assert len(world.alive) == 1, "the one that could not be prepared is ended"
    await shut(pool, world)


async def test_a_fault_of_our_own_in_a_start_is_told_as_one(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.failing_launches.append(KeyError("x"))
    pool = world.pool(1)
    with pytest.raises(errors.ServerFault, match="could not be started"):
        await ask(pool, "a")
    await shut(pool, world)


@pytest.mark.parametrize("doubts", [1, 2])
async def test_a_start_in_doubt_is_made_again(doubts: int) -> None:
    world = World()
    world.failing_prepares = [Unconfirmed("another version")] * doubts
    pool = world.pool(1)
    assert await ask(pool, "a") == "Finished"
    assert len(world.workers) == doubts + 1
    await shut(pool, world)


async def test_three_starts_in_doubt_are_a_failure() -> None:
    world = World()
    world.failing_prepares = [Unconfirmed("another version")] * 3
    pool = world.pool(2)
    with pytest.raises(errors.CliCrashed, match="could not be started: another version"):
        await ask(pool, "a")
    await shut(pool, world)


async def test_warm_starts_that_fail_are_not_made_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.failing_launches = [errors.CliUnavailable("no")] * 9
    pool = world.pool(2, warm=2)
    pool.start()
    await quiet(pool, 1000)
    left = len(world.failing_launches)
    # Two are on their way at a time.
    assert left >= 5
    assert not pool.ready
    pool.trim(idle=600, too_large=lambda pid: False)
    await quiet(pool)
    assert len(world.failing_launches) == left - 1, "one more at each look"
    world.failing_launches.clear()
    pool.renew()
    await quiet(pool)
    assert pool.ready
    assert len(world.alive) == 2
    await shut(pool, world)


async def test_one_that_starts_while_all_are_renewed_serves_nobody() -> None:
    """It may be a process of the CLI, or have the login, from before."""
    world = World()
    world.launch_gate = asyncio.Event()
    pool = world.pool(1)
    task = asking(pool, "a")
    await quiet(pool)
    pool.renew()
    world.launch_gate.set()
    assert await task == "Finished"
    assert len(world.workers) == 2
    assert [worker.turns for worker in world.workers] == [0, 1]
    await shut(pool, world)


async def test_busy_workers_are_given_a_moment_before_another_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_worth_a_start", lambda _, line: not line.busy)
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(3)
    first = asking(pool, "a")
    await quiet(pool)
    second = asking(pool, "b")
    await quiet(pool)
    assert repr(pool) == "<Pool <Roster busy 1> waiting=1>"
    world.gate.set()
    assert set(await asyncio.gather(first, second)) == {"Finished"}
    assert len(world.workers) == 1
    await shut(pool, world)


async def test_a_worker_that_does_not_finish_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that was stopped in the middle of its answer: ten seconds pass until it is given up."""
    monkeypatch.setattr(module, "is_worth_a_start", is_worth_a_start)
    monkeypatch.setattr(module, "SOON", 1e9)
    world = World()
    world.finish_gate = asyncio.Event()
    pool = world.pool(2)
    assert await ask(pool, "a") == "Finished"
    second = asking(pool, "b")
    await quiet(pool)
    assert repr(pool) == "<Pool <Roster finishing 1> waiting=1>"
    monkeypatch.setattr(module, "SOON", 0.0)
    assert await second == "Finished"
    assert len(world.workers) == 2
    world.finish_gate.set()
    await shut(pool, world)


async def test_beside_busy_workers_only_so_many_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROCESSORS", 1)
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(5)
    tasks = [asking(pool, "a")]
    await quiet(pool)
    world.launch_gate = asyncio.Event()
    tasks += [asking(pool, name) for name in "bcd"]
    await quiet(pool)
    assert repr(pool) == "<Pool <Roster starting 1, busy 1> waiting=3>"
    world.launch_gate.set()
    world.gate.set()
    assert await asyncio.gather(*tasks) == ["Finished"] * 4
    await shut(pool, world)


@pytest.mark.parametrize("moment", range(8))
async def test_closing_at_any_moment_of_a_start_leaves_nothing(moment: int) -> None:
    world = World(most=2)
    pool = world.pool(2)
    task = asking(pool, "a", system="S")
    await quiet(pool, moment)
    await pool.close()
    assert not world.alive
    assert not len(pool._roster)
    await end(task)
    assert not world.alive
