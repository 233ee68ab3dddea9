"""Workers without a process, in a world that counts them: what the pool's logic is tested with. No tests here.

Every wait takes a few turns of the event loop and no time, so a seed decides each interleaving. A worker holds what a
CLI would, and refuses what a CLI would: a second initialize, a system prompt taken away.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.growth import FIRST_TURN
from claude_max.proxy.engine.planning.roster import PoolLimits
from claude_max.proxy.engine.planning.steps import EVERYTHING, Feature, Offer, SetSystem, steps
from claude_max.proxy.engine.planning.want import BARE, Holds, Want, trigger
from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.engine.process.channel import Unconfirmed
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.events import Event, Finished, JsonObject, Started, TextDelta, Usage
from claude_max.proxy.receipts import Spent


class Books(Pool):
    """A pool whose books are looked through after every step they take."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # As behind a slow model, so that no start waits for the clock.
        self._pace.turned(FIRST_TURN)
        step, add, gone = self._roster._step, self._roster.add, self._roster.gone

        def checked(work: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                found = work(*arguments)
                self._roster.check()
                return found

            return run

        # In place of the methods of this one roster.
        vars(self._roster).update(_step=checked(step), add=checked(add), gone=checked(gone))


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
        self.finish_gate: asyncio.Event | None = None
        self.close_gate: asyncio.Event | None = None
        self.failing_launches: list[Exception] = []
        self.failing_prepares: list[Exception] = []
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
            raise self.failing_launches.pop(0)
        return cast("Worker", FakeWorker(self))

    def pool(
        self,
        workers: int = 2,
        *,
        warm: int = 0,
        queue: int = 64,
        turns: int = 150,
        age: float = 3600,
        features: frozenset[Feature] = EVERYTHING,
    ) -> Pool:
        """A pool of such workers."""
        return Books(self.launch, PoolLimits(workers, warm, queue, turns, age), features)


class FakeChannel:
    """Only what the pool uses."""

    def __init__(self) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, error: errors.ProxyError) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)
            self.failed.exception()


class FakeWorker:
    """The Worker interface."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.holds: Holds | None = None
        self.channel = FakeChannel()
        self.cli_info: JsonObject = {}
        self.rate_limit: JsonObject | None = None
        self.spent: Spent | None = None
        self.alive = True
        self.silent = 0.0
        self.good = True
        self.busy = False
        self.warmed = False
        self.turns = 0
        self.finish_error: Exception | None = None
        self._done = False
        self._ending: asyncio.Task[None] | None = None
        self.pid = len(world.workers) + 1
        world.workers.append(self)
        world.alive.add(self)
        world.peak = max(world.peak, len(world.alive))

    @property
    def system(self) -> str | None:
        return self.holds.system if self.holds is not None else None

    @property
    def tools(self) -> str:
        return self.holds.tools if self.holds is not None else ""

    async def prepare(self, system: str) -> None:
        await self.world.pause()
        if self.world.failing_prepares:
            raise self.world.failing_prepares.pop(0)
        assert self.holds is None, "a second initialize changes nothing"
        self.holds = Holds(system)
        self.cli_info = {"models": []}

    async def warm_up(self) -> None:
        assert self.holds is not None
        self.warmed = True
        await self.world.pause()

    async def run(self, want: Want) -> AsyncGenerator[Event]:
        assert self.alive, "a dead worker was used"
        assert not self.busy, "two turns at once"
        self.busy, self._done = True, False
        world = self.world
        if world.doubts or world.random.random() < world.doubtful:
            world.doubts = max(0, world.doubts - 1)
            self.good = False
            await world.pause()
            raise Unconfirmed("a step was not confirmed")
        for step in steps(self.holds or BARE, want):
            await world.pause()
            match step:
                case SetSystem(system):
                    assert system, "none cannot become one"
                    self.holds = Holds(system, self.tools)
                case Offer(_, encoded):
                    assert not self.tools, "tools are offered once"
                    self.holds = Holds(self.system or "", encoded)
        assert self.holds == want.holds
        name = trigger(want.turn)
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

    async def finish_turn(self) -> bool:
        self.turns += 1
        await self.world.pause()
        if self.world.finish_gate is not None:
            await self.world.finish_gate.wait()
        if self.finish_error is not None:
            raise self.finish_error
        if not self._done:
            self.good = False
        self.busy = False
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
