"""What the CLI alone takes, without a server: driven by its pipes, with nothing but the engine's worker before it.

No server that uses this CLI can be faster, so these rows tell how much of a figure is claude-max. Measurements, as
latency.py has them.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack

from claude_max.proxy.engine.planning.compose import Context
from claude_max.proxy.engine.planning.want import exact_want
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.process.channel import Timeouts
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.events import Message, Text, TextDelta, Turn

from .client import CannotError, system, user
from .latency import TURNS, Samples
from .rows import OURS
from .servers import Server

# As many as a fresh server starts for eight requests at once, and as many at a time.
STARTS, AT_A_TIME = 6, 2
# Between two turns, as `Server.rest` waits.
REST_SECONDS = 0.15


def alone(server: Server) -> Samples:
    """The turns of one conversation but its first; then processes that start together, each to its first token."""
    if server.name != OURS:
        raise CannotError("the CLI is the same")
    server.rest()
    for seconds in asyncio.run(_turns(server)):
        yield "floor turns", seconds
    yield "floor starts", asyncio.run(_starts(server))


async def _turns(server: Server) -> list[float]:
    worker = await _worker(server, system()["content"])
    try:
        await worker.warm_up()
        found = []
        said: list[Message] = []
        for _ in range(TURNS):
            said.append(_message("user", user()["content"]))
            await asyncio.sleep(REST_SECONDS)
            found.append(await _first(server, worker, said))
            said.append(_message("assistant", "one two three four"))
        return found[1:]
    finally:
        await worker.close()


async def _starts(server: Server) -> float:
    turn = asyncio.Semaphore(AT_A_TIME)

    async def one(opened: AsyncExitStack) -> None:
        async with turn:
            worker = await _worker(server, system()["content"])
        opened.push_async_callback(worker.close)
        await _first(server, worker, [_message("user", user()["content"])])

    async with AsyncExitStack() as opened:
        began = time.perf_counter()
        await asyncio.gather(*(one(opened) for _ in range(STARTS)))
        return time.perf_counter() - began


async def _worker(server: Server, prompt: str) -> Worker:
    environ = environment(server.environment)
    worker = await Worker.spawn(locate(str(server.claude), environ).path, environ, server.folder, Timeouts())
    try:
        await worker.prepare(prompt)
    except BaseException:
        await worker.close()
        raise
    return worker


def _message(role: str, text: str) -> Message:
    return Message("user" if role == "user" else "assistant", (Text(text),))


async def _first(server: Server, worker: Worker, messages: Sequence[Message]) -> float:
    began, first = time.perf_counter(), None
    turn = Turn("sonnet", tuple(messages), system=worker.holds.system)
    want, _ = exact_want(turn, str(uuid.uuid4()), Context(base_url=server.api.url))
    async for event in worker.run(want):
        if first is None and isinstance(event, TextDelta):
            first = time.perf_counter() - began
    if first is None or not await worker.finish_turn():
        raise CannotError("the CLI gave no answer")
    return first
