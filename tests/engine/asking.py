"""Short ways to ask a pool, and to end one. No tests here."""

import asyncio

from engine.fake_worker import World, quiet
from engine.turns import turn, user, wants

from claude_max.proxy.engine.pool.pool import Pool


async def ask(pool: Pool, text: str, system: str = "") -> str:
    """The answer's last event, as a word."""
    found = [event async for event in pool.events(wants(turn(user(text), system=system)))]
    return type(found[-1]).__name__


def asking(pool: Pool, text: str, system: str = "") -> asyncio.Task[str]:
    """The same, in the background."""
    return asyncio.create_task(ask(pool, text, system))


async def shut(pool: Pool, world: World) -> None:
    """Ends the pool once nothing is on its way; nothing may be left."""
    await quiet(pool)
    await pool.close()
    assert not world.alive
    assert not pool._tasks
