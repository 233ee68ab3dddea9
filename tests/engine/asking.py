"""Short ways to ask a pool, and to end one. No tests here."""

import asyncio

from engine.fake_worker import World, quiet
from engine.turns import by_lines, turn, user, wants

from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.events import Tool


async def ask(pool: Pool, text: str, system: str = "", tools: tuple[Tool, ...] = ()) -> str:
    """The answer's last event, as a word. With tools it goes by lines."""
    wanted = turn(user(text), system=system, tools=tools)
    found = [event async for event in pool.events(by_lines(wanted) if tools else wants(wanted))]
    return type(found[-1]).__name__


def asking(pool: Pool, text: str, system: str = "", tools: tuple[Tool, ...] = ()) -> asyncio.Task[str]:
    """The same, in the background."""
    return asyncio.create_task(ask(pool, text, system, tools))


async def shut(pool: Pool, world: World) -> None:
    """Ends the pool once nothing is on its way; nothing may be left."""
    await quiet(pool)
    await pool.close()
    assert not world.alive
    assert not pool._tasks
