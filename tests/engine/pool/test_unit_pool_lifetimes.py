"""How long workers live: retired, trimmed, renewed, kept warm."""

import asyncio

import pytest
from engine.asking import ask, asking, shut
from engine.fake_worker import FakeWorker, World, quiet

from claude_max.proxy import errors


@pytest.mark.parametrize(("turns", "age", "workers"), [(3, 3600.0, 2), (150, 3600.0, 1), (150, -1.0, 4)])
async def test_workers_retire(turns: int, age: float, workers: int) -> None:
    world = World()
    pool = world.pool(1, turns=turns, age=age)
    for name in "abcd":
        await ask(pool, name)
        await quiet(pool)
    assert len(world.workers) == workers
    await shut(pool, world)


async def test_a_change_of_the_cli_retires_every_worker() -> None:
    world = World()
    world.gate, world.gated = asyncio.Event(), lambda text: text == "long"
    pool = world.pool(2)
    await asyncio.gather(asking(pool, "a"), asking(pool, "b"))
    running = asking(pool, "long")
    await quiet(pool)
    before = set(world.workers)
    pool.renew()
    await quiet(pool)
    assert len(world.alive) == 1, "the idle one goes at once"
    world.gate.set()
    assert await running == "Finished"
    await quiet(pool)
    assert not world.alive & before
    await ask(pool, "c")
    assert len(world.workers) == 3
    await shut(pool, world)


async def test_the_pool_is_warmed_only_while_nobody_asks() -> None:
    world = World()
    world.gate, world.gated = asyncio.Event(), lambda text: text == "long"
    pool = world.pool(4, warm=2)
    pool.start()
    await quiet(pool)
    assert [worker.system for worker in world.workers] == ["", ""]
    running = asking(pool, "long")
    await quiet(pool)
    pool.renew()
    await quiet(pool)
    pool.trim(idle=600, too_large=lambda pid: False)
    await quiet(pool)
    assert len(world.alive) == 1
    world.gate.set()
    await running
    await quiet(pool)
    assert len(world.alive) == 2
    await shut(pool, world)


async def test_trimming_takes_the_large_and_the_superfluous_and_keeps_the_warm() -> None:
    world = World()
    pool = world.pool(4, warm=1)
    await asyncio.gather(*(asking(pool, name) for name in "abcd"))
    await quiet(pool)
    pool.trim(idle=600, too_large=lambda pid: pid == 2)
    await quiet(pool)
    assert {worker.pid for worker in world.alive} == {1, 3, 4}
    pool.trim(idle=-1, too_large=lambda pid: False)
    await quiet(pool)
    assert len(world.alive) == 1
    await shut(pool, world)


async def test_trimming_keeps_the_last_one_without_a_system_prompt() -> None:
    """Ending it would start another at once."""
    world = World()
    pool = world.pool(4, warm=1)
    world.gate = asyncio.Event()
    tasks = [asking(pool, "a"), asking(pool, "b"), asking(pool, "c", system="S")]
    await quiet(pool)
    world.gate.set()
    await asyncio.gather(*tasks)
    await quiet(pool)
    await ask(pool, "d", system="S")
    await quiet(pool)
    before = len(world.workers)
    assert sorted(str(worker.system) for worker in world.alive) == ["", "", "S"]
    pool.trim(idle=-1, too_large=lambda pid: False)
    await quiet(pool)
    assert [worker.system for worker in world.alive] == [""]
    assert len(world.workers) == before
    await shut(pool, world)


async def test_a_worker_that_died_idle_is_not_used() -> None:
    world = World()
    pool = world.pool(1)
    await ask(pool, "a")
    await quiet(pool)
    world.workers[0].alive = False
    assert await ask(pool, "b") == "Finished"
    assert len(world.workers) == 2
    await shut(pool, world)


async def test_a_worker_that_died_idle_is_made_up_for() -> None:
    world = World()
    pool = world.pool(2, warm=1)
    pool.start()
    await quiet(pool)
    world.workers[0].alive = False
    for _ in range(2):
        pool.trim(idle=600, too_large=lambda pid: False)
        await quiet(pool)
    assert {worker.pid for worker in world.alive} == {2}
    await shut(pool, world)


async def test_a_login_refused_once_is_not_kept() -> None:
    world = World()
    world.gate = asyncio.Event()
    pool = world.pool(1)
    task = asking(pool, "a")
    await quiet(pool)
    worker: FakeWorker = world.workers[0]
    worker.channel.fail(errors.NotSignedIn("no"))
    with pytest.raises(errors.NotSignedIn):
        await task
    await quiet(pool)
    assert not world.alive
    await shut(pool, world)


async def test_a_refused_cli_serves_nobody_until_it_is_admitted() -> None:
    world = World()
    pool = world.pool(1)
    pool.refuse(errors.CliUnavailable("unsafe"))
    with pytest.raises(errors.CliUnavailable):
        await ask(pool, "a")
    pool.admit(frozenset({"exact"}))
    assert await ask(pool, "b") == "Finished"
    await shut(pool, world)
