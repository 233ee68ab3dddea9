"""Two hundred turns that come, go and fail at random moments; each seed is another interleaving."""

import asyncio
import random

import pytest
from engine.asking import shut
from engine.fake_worker import World, quiet
from engine.turns import LOOK, SEEK, by_lines, turn, user, wants

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.roster import Status
from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.events import TextDelta, Turn

LIMIT = 3
SYSTEMS = ("", "one", "two")


def some_turn(dice: random.Random, name: str) -> Turn:
    """A question under one of the system prompts, some with tools, which go by lines."""
    system, model = dice.choice(SYSTEMS), dice.choice(("sonnet", "opus"))
    return turn(user(name), system=system, model=model, tools=dice.choice(((), (), (LOOK,), (SEEK,))))


async def answer(pool: Pool, wanted: Turn) -> str:
    found = [event async for event in pool.events(by_lines(wanted) if wanted.tools else wants(wanted))]
    return "".join(event.text for event in found if isinstance(event, TextDelta))


async def storm(seed: int, *, leave_at_any_time: bool, requests: int = 200) -> None:
    dice = random.Random(seed)
    world = World(seed, most=3)
    world.doubtful = 0.05
    pool = world.pool(LIMIT, warm=dice.randint(0, 2), queue=requests, turns=dice.randint(2, 9))
    pool.start()
    tasks: list[asyncio.Task[str]] = []
    left: set[int] = set()
    while len(tasks) < requests:
        for _ in range(dice.choice((1, 1, 1, 5))):
            tasks.append(asyncio.create_task(answer(pool, some_turn(dice, f"n{len(tasks)}"))))
        await quiet(pool, dice.randint(0, 12))
        if dice.random() < 0.05:
            pool.renew()
        is_safe = leave_at_any_time or (not pool._roster.count(Status.STARTING, Status.CLOSING))
        if is_safe and dice.random() < 0.6:
            gone = dice.randrange(len(tasks))
            left.add(gone)
            tasks[gone].cancel()
    if leave_at_any_time:
        for _ in range(100):
            if all(task.done() for task in tasks):
                break
            await quiet(pool, 200)
        stuck = [index for index, task in enumerate(tasks) if not task.done()]
        for index in stuck:
            tasks[index].cancel()
        assert not stuck, f"seed {seed}: {len(stuck)} wait for nothing in {pool!r}"
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    for index, end in enumerate(ends):
        is_own = end == f"to n{index}"
        assert is_own or isinstance(end, errors.CliCrashed) or index in left, f"seed {seed}: {index} got {end!r}"
    assert world.peak <= LIMIT, f"seed {seed}: {world.peak} at once"
    await quiet(pool)
    assert not pool._roster.count(Status.STARTING, Status.BUSY, Status.FINISHING, Status.CLOSING)
    assert not len(pool._queue)
    await shut(pool, world)


@pytest.mark.parametrize("seed", range(6))
async def test_turns_that_come_and_go(seed: int) -> None:
    await storm(seed, leave_at_any_time=False)


async def test_turns_whose_clients_leave_at_any_time() -> None:
    for seed in (1, 7, 58, 61, 100):
        await storm(seed, leave_at_any_time=True)
