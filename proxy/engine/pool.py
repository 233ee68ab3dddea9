"""All workers: hands each Turn to one, keeps them bounded and a few warm, ends them all.

`choose` decides; here the decision is carried out. Between two `await`s the books are always right: a worker is idle,
busy, or leaving, and processes that are starting or leaving count against the limit too.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass

from .. import errors
from ..events import Event, JsonObject, Turn
from .channel import Doubt
from .choose import Candidate, Spawn, Take, choose
from .limits import Limits
from .plan import EVERYTHING, PLACEHOLDER, Feature, Plan, State, plan, preparation
from .queue import Queue
from .worker import Worker

log = logging.getLogger("claude_max.engine")

# How many workers one Turn may try before it fails: a doubtful worker is replaced by a fresh one, which may be unlucky.
ATTEMPTS = 3
# Longer than a process may take to be ended by force.
CLOSE_SECONDS = 5.0
# Half a second of processor for a start is worth more to the turns that run, which mostly end before it would help.
GROW_SECONDS = 0.2
SPAWNS_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)


@dataclass(frozen=True, slots=True)
class Bounds:
    """`workers`: processes at most. `warm`: idle ones kept ready. `queue`: turns that may wait. Ages in seconds."""

    workers: int = 8
    warm: int = 2
    queue: int = 64
    turns: int = 150
    age: float = 3600.0


class Pool:
    """Serves Turns with at most `bounds.workers` processes."""

    def __init__(
        self, launch: Callable[[], Awaitable[Worker]], bounds: Bounds, features: frozenset[Feature] = EVERYTHING
    ) -> None:
        self._launch = launch
        self._bounds = bounds
        self._features = features
        self._idle: dict[int, Worker] = {}
        self._busy: dict[int, Worker] = {}
        self._coming = 0
        self._claimed = 0
        self._settling = 0
        self._launching: set[asyncio.Timeout] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._queue = Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._since = time.monotonic()
        self._warming = False
        self._refusal: errors.ProxyError | None = None
        self._closing: errors.ProxyError | None = None
        self.about: JsonObject = {}

    def __repr__(self) -> str:
        return f"<Pool idle={len(self._idle)} busy={len(self._busy)} coming={self._coming} waiting={len(self._queue)}>"

    @property
    def count(self) -> int:
        """Processes that run, start or end now."""
        return len(self._idle) + len(self._busy) + self._coming + len(self._leaving)

    async def events(self, turn: Turn, wanted: Limits, schema: JsonObject | None = None) -> AsyncGenerator[Event]:
        """The answer to a Turn under these limits; `schema` asks for the CLI's own schema mode.

        Raises a ProxyError; close the iterator to abandon the turn.
        """
        place = self._queue.place()
        for attempt in range(ATTEMPTS):
            worker, way = await self._acquire(turn, wanted, schema, place, fresh=attempt > 0)
            try:
                async with contextlib.aclosing(worker.run(way)) as answer:
                    async for event in answer:
                        yield event
                return
            except Doubt as doubt:
                log.warning("worker %d replaced: %s", worker.pid, doubt)
            except (errors.NotSignedIn, errors.PermissionDenied):
                # A process keeps the login it began with; the next request should see a new one.
                self.renew()
                raise
            finally:
                self._settle(worker)
        raise errors.CliCrashed(
            f"The Claude Code CLI could not be brought to this request in {ATTEMPTS} attempts; the log says more."
        )

    @property
    def ready(self) -> bool:
        """Whether a process has answered, and turns are taken."""
        return bool(self.about) and self._stopped is None

    @property
    def _stopped(self) -> errors.ProxyError | None:
        """Why no turns are taken, None where they are."""
        return self._closing or self._refusal

    def start(self) -> None:
        """Makes workers ready, in the background."""
        self._warming = True
        self._start(self._keep_warm())

    async def _keep_warm(self) -> None:
        try:
            for attempt in range(ATTEMPTS):
                try:
                    await self.warm()
                    break
                except Doubt as doubt:
                    log.warning("no worker could be made ready (attempt %d of %d): %s", attempt + 1, ATTEMPTS, doubt)
        except errors.ShuttingDown:
            pass
        except errors.ProxyError as error:
            log.error("no worker could be made ready: %s", error)
        except Exception:
            log.exception("no worker could be made ready")
        finally:
            self._warming = False

    async def warm(self) -> None:
        """Starts what is missing of the workers kept ready, at least one to learn what the CLI offers."""
        wanted = self._bounds.warm if self.about else max(1, self._bounds.warm)
        while self._closing is None and len(self._idle) < wanted and self.count < self._bounds.workers:
            systems = [worker.state.system for worker in self._idle.values()]
            worker = await self._spawn(prepare="" if PLACEHOLDER in systems and "" not in systems else PLACEHOLDER)
            self.about = worker.about or self.about
            self._make_idle(worker)

    def renew(self) -> None:
        """Ends every idle worker now and every busy one after its turn: the CLI or its login has changed."""
        self._since = time.monotonic()
        gone = [self._dismiss(worker) for worker in self._idle.values()]
        self._idle.clear()
        self._start(self._refill_after(gone))

    def admit(self, features: frozenset[Feature]) -> None:
        """The CLI may be used, relying on `features`."""
        self._features, self._refusal = features, None

    def refuse(self, error: errors.ProxyError) -> None:
        """No new turns with this CLI; each gets `error`."""
        self._refusal = error
        self._queue.call_all()

    def trim(self, *, idle: float, too_large: Callable[[int], bool]) -> None:
        """Ends idle workers: the large, the old, and beyond those kept warm the ones idle for `idle` seconds."""
        self._drop_dead()
        now = time.monotonic()
        spare = len(self._idle) - self._bounds.warm
        for key, worker in sorted(self._idle.items(), key=lambda item: item[1].used):
            superfluous = spare > 0 and now - worker.used > idle
            if superfluous or self._is_old(worker) or too_large(worker.pid):
                spare -= 1
                self._dismiss(self._idle.pop(key))
        self._refill()

    async def drain(self, seconds: float) -> None:
        """No new turns; those that run may finish within `seconds`, then they end with ShuttingDown."""
        self._closing = errors.ShuttingDown("The proxy is shutting down.")
        self._queue.call_all()
        if seconds and self._busy:
            log.info("stopping; answers in flight (%d) get %g s", len(self._busy), seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._busy or self._claimed:
                    self._changed.clear()
                    await self._changed.wait()
        for worker in self._busy.values():
            worker.channel.fail(self._closing)
        for launching in self._launching:
            launching.reschedule(0)

    async def close(self) -> None:
        """Ends every process; returns when all are gone."""
        await self.drain(0)
        workers = [*self._idle.values(), *self._busy.values()]
        self._idle.clear()
        self._busy.clear()
        for task in self._tasks - self._leaving:
            task.cancel()
        await asyncio.gather(*(worker.close() for worker in workers), return_exceptions=True)
        # What was being started, or was cancelled just now, ends its process by itself.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._coming or self._tasks:
                    self._changed.clear()
                    await self._changed.wait()

    # Taking and giving back

    async def _acquire(
        self, turn: Turn, wanted: Limits, schema: JsonObject | None, place: int, *, fresh: bool
    ) -> tuple[Worker, Plan]:
        """A worker and the way from what it holds to the Turn; `fresh` asks for a new process."""
        try:
            return await self._find(turn, wanted, schema, place, fresh=fresh)
        finally:
            # Whatever this request found, or failed to find, there may be something left for the next in line.
            self._queue.call()

    async def _find(
        self, turn: Turn, wanted: Limits, schema: JsonObject | None, place: int, *, fresh: bool
    ) -> tuple[Worker, Plan]:
        first, grow_at = not fresh, time.monotonic() + GROW_SECONDS
        if self._queue and first:
            await self._wait(place, first=True)
            first = False
        while True:
            self._check_open()
            self._drop_dead()
            idle = {} if fresh else self._idle
            candidates = [Candidate(key, worker.state, worker.turns, worker.used) for key, worker in idle.items()]
            room = self.count < self._bounds.workers
            match choose(candidates, turn, wanted, room=room, schema=schema, features=self._features):
                case Take(key, way):
                    worker = self._busy[key] = self._idle.pop(key)
                    return worker, way
                case Spawn(None) if self._busy and self._coming >= SPAWNS_AT_ONCE:
                    await self._wait(place, first=first)
                case Spawn(None) if self._busy and (patience := grow_at - time.monotonic()) > 0:
                    await self._wait(place, first=first, seconds=patience)
                case Spawn(instead_of):
                    return await self._start_for(turn, wanted, schema, instead_of)
                case _ if fresh and self._idle:
                    oldest = min(self._idle, key=lambda key: self._idle[key].used)
                    return await self._start_for(turn, wanted, schema, oldest)
                case _:
                    await self._wait(place, first=first)
            first = False

    async def _start_for(
        self, turn: Turn, wanted: Limits, schema: JsonObject | None, instead_of: int | None
    ) -> tuple[Worker, Plan]:
        """A new process for this Turn, in the place of an idle one where the limit is reached."""
        gone = None if instead_of is None else self._idle.pop(instead_of)
        self._claimed += 1
        try:
            worker = await self._spawn(instead_of=gone)
        finally:
            self._claimed -= 1
        way = plan(State(), turn, wanted, schema=schema, features=self._features)
        if way is None or self._stopped is not None:
            self._dismiss(worker)
            self._check_open()
            raise errors.CliUnavailable("This Claude Code CLI cannot take part of the request.")
        self._busy[id(worker)] = worker
        return worker, way

    def _check_open(self) -> None:
        if self._stopped is not None:
            # Raised many times: it would gather the frames of all of them.
            raise self._stopped.with_traceback(None)

    async def _wait(self, place: int, *, first: bool, seconds: float | None = None) -> None:
        """Waits in line, `seconds` at most. Raises Busy where the line is full the `first` time."""
        # Who waits for a process that is starting, may still be started, or has just answered, is not in the queue.
        room = max(0, self._bounds.workers - len(self._busy) + self._settling - self._claimed)
        if first and len(self._queue) >= self._bounds.queue + room:
            raise errors.Busy(
                f"All {self._bounds.workers} workers are busy and {len(self._queue)} requests wait already."
            )
        await self._queue.wait(place, seconds)

    async def _spawn(self, *, prepare: str | None = None, instead_of: Worker | None = None) -> Worker:
        """A new worker, once `instead_of` is gone, whose place is kept meanwhile.

        `prepare` initializes it ahead of its first request: with a system prompt to be replaced, or for good without
        one.
        """
        self._coming += 1
        worker: Worker | None = None
        try:
            if instead_of is not None:
                # Shielded: a client that leaves now must not stop a process from being ended.
                await asyncio.shield(self._dismiss(instead_of))
            worker = await self._launched()
            if prepare is not None:
                for step in preparation(prepare, self._features):
                    await worker.take(step)
        except BaseException:
            if worker is not None:
                self._dismiss(worker)
            raise
        finally:
            self._coming -= 1
            self._changed.set()
            self._queue.call()
        return worker

    async def _launched(self) -> Worker:
        """A new process. Raises ShuttingDown where `drain` ended the wait for it."""
        async with asyncio.timeout(None) as until:
            self._launching.add(until)
            try:
                return await self._launch()
            except asyncio.CancelledError:
                if self._closing is not None and until.expired():
                    raise self._closing from None
                raise
            finally:
                self._launching.discard(until)

    def _settle(self, worker: Worker) -> None:
        """Gives a worker back, in the background: its client need not wait for the end of the CLI's turn."""

        self._settling += 1

        async def settle() -> None:
            try:
                good = await worker.settle()
            except Exception:
                log.exception("the end of a turn failed")
                good = False
            finally:
                self._settling -= 1
            self.about = worker.about or self.about
            self._busy.pop(id(worker), None)
            if good and self._closing is None and not self._is_old(worker):
                self._make_idle(worker)
            else:
                self._dismiss(worker)
            self._refill()

        self._start(settle())

    def _make_idle(self, worker: Worker) -> None:
        self._idle[id(worker)] = worker
        self._queue.call()

    def _drop_dead(self) -> None:
        for key, worker in list(self._idle.items()):
            if not worker.alive:
                self._dismiss(self._idle.pop(key))

    def _dismiss(self, worker: Worker) -> asyncio.Task[None]:
        leaving = self._start(worker.close())
        self._leaving.add(leaving)
        return leaving

    def _is_old(self, worker: Worker) -> bool:
        age = time.monotonic() - worker.born
        return worker.turns >= self._bounds.turns or age > self._bounds.age or worker.born < self._since

    def _refill(self) -> None:
        """Makes up for workers that went, while no turn needs the processor."""
        if not self._busy and not self._warming and self._stopped is None and self.count < self._bounds.warm:
            self.start()

    async def _refill_after(self, gone: Collection[asyncio.Task[None]]) -> None:
        if gone:
            await asyncio.wait(gone)
        self._refill()

    def _start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._leaving.discard(task)
        self._changed.set()
        self._queue.call()
