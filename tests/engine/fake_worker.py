"""Workers without a process, in a world that counts them: what the pool's logic is tested with. No tests here.

Every wait takes a few turns of the event loop and no time, so a seed decides each interleaving.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

from engine.cli_model import CliModel
from engine.turns import said

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.steps import Plan, State, Step
from claude_max.proxy.engine.pool.pool import Bounds, Pool
from claude_max.proxy.engine.process.channel import Doubt
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.events import Event, Finished, JsonObject, Started, TextDelta, Usage


class World:
    """All fakes of a test. `alive` are the processes that run now, `peak` the most there were."""

    def __init__(self, seed: int = 0, most: int = 4) -> None:
        self.random = random.Random(seed)
        self.most = most
        self.workers: list[FakeWorker] = []
        self.alive: set[FakeWorker] = set()
        self.peak = 0
        self.begun: list[str] = []
        self.gate: asyncio.Event | None = None
        self.gated: Callable[[str], bool] = lambda text: True
        self.launch_gate: asyncio.Event | None = None
        self.close_gate: asyncio.Event | None = None
        self.failing_launches = 0
        self.doubts = 0
        self.doubtful = 0.0

    async def pause(self) -> None:
        """Some turns of the event loop."""
        for _ in range(self.random.randint(0, self.most)):
            await asyncio.sleep(0)

    async def launch(self) -> Worker:
        """As `Worker.spawn`; a cancelled one leaves no process, as asyncio's own does."""
        await self.pause()
        if self.launch_gate is not None:
            await self.launch_gate.wait()
        if self.failing_launches:
            self.failing_launches -= 1
            raise errors.CliUnavailable("it does not start")
        return cast("Worker", FakeWorker(self))

    def pool(self, workers: int = 2, *, warm: int = 0, queue: int = 64, turns: int = 150, age: float = 3600) -> Pool:
        """A pool of such workers."""
        return Pool(self.launch, Bounds(workers, warm, queue, turns, age))


class FakeChannel:
    """Only what the pool uses."""

    def __init__(self) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, error: errors.ProxyError) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)
            self.failed.exception()


class FakeWorker:
    """The Worker interface; `cli` holds what a CLI would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cli = CliModel()
        self.channel = FakeChannel()
        self.born = self.used = 0.0
        self.touch()
        self.born = self.used
        self.turns = 0
        self.about: JsonObject = {"models": []}
        self.alive = True
        self.good = True
        self.settle_error: Exception | None = None
        self._done = False
        self._ending: asyncio.Task[None] | None = None
        self.pid = len(world.workers) + 1
        world.workers.append(self)
        world.alive.add(self)
        world.peak = max(world.peak, len(world.alive))

    @property
    def state(self) -> State:
        return self.cli.state

    def touch(self) -> None:
        self.used = time.monotonic()

    async def take(self, step: Step) -> None:
        await self.world.pause()
        self.cli.take(step)

    async def run(self, plan: Plan) -> AsyncGenerator[Event]:
        assert self.alive, "a dead worker was used"
        self._done = False
        world = self.world
        if world.doubts or world.random.random() < world.doubtful:
            world.doubts = max(0, world.doubts - 1)
            self.good = False
            await world.pause()
            raise Doubt("a step was not confirmed")
        for step in plan.steps:
            await world.pause()
            self.cli.take(step)
        text = plan.steps[-1].message.content[0]  # type: ignore[union-attr]
        name = getattr(text, "text", "")
        world.begun.append(name)
        yield Started("m")
        if world.gate is not None and world.gated(name):
            waiting: asyncio.Future[Any] = asyncio.ensure_future(world.gate.wait())
            try:
                await asyncio.wait([waiting, self.channel.failed], return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
        await world.pause()
        if self.channel.failed.done():
            self.channel.failed.result()
        yield TextDelta(f"to {name}")
        self._done = True
        yield Finished("end_turn", Usage())

    async def settle(self) -> bool:
        self.turns += 1
        self.touch()
        await self.world.pause()
        if self.settle_error is not None:
            raise self.settle_error
        if self._done:
            self.cli.answered(said("ok"))
        else:
            self.good = False
        return self.good and self.alive

    async def close(self) -> None:
        """Shielded, as `ClaudeProcess.close` is: once begun it goes on to its end."""
        self.alive = False
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        await self.world.pause()
        if self.world.close_gate is not None:
            await self.world.close_gate.wait()
        await asyncio.sleep(0)
        self.world.alive.discard(self)


async def quiet(pool: Pool, turns: int = 300) -> None:
    """Lets the event loop go round until nothing in these tests can still be on its way."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def end(*tasks: asyncio.Task[str]) -> None:
    """Cancels what a test has left."""
    for task in tasks:
        task.cancel()
    with contextlib.suppress(BaseException):
        await asyncio.gather(*tasks, return_exceptions=True)
