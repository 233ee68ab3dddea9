"""The pool of workers: assigns each Want to one, limits their number, keeps some ready, and ends them all.

`planning.choice` decides from the state in `planning.roster`; this module carries the decision out. Processes start and
end in the pool's own tasks: a client that leaves does not cancel a start that the next one can use.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

from ... import errors, receipts
from ...events import Event, JsonObject
from ...receipts import Call, Receipt, Tab
from ..planning.choice import Evict, Start, Take, Wait, choose
from ..planning.growth import SOON, Line, Pace, is_worth_a_start, starts_at_once
from ..planning.roster import Member, PoolLimits, Roster, Status
from ..planning.steps import EVERYTHING, Feature, can_serve
from ..planning.want import BARE, Holds, Want
from ..process.channel import Unconfirmed
from ..process.worker import Worker
from .queue import Queue

log = logging.getLogger("claude_max.engine")

# How many workers are tried for one Turn, and how often a failed start is repeated.
ATTEMPTS = 3
# Longer than a process may take to be ended by force.
CLOSE_SECONDS = 5.0
# How often a waiting turn checks again whether a start is worth it: the turns before it may take longer than usual.
LOOK_SECONDS = 0.1
# The same while no turn has ended, and the model's silence may tell at any moment.
FIRST_LOOK_SECONDS = 0.02
PROCESSORS = os.cpu_count() or 1


class Pool:
    """Serves Wants with at most `limits.workers` processes."""

    def __init__(
        self, launch: Callable[[], Awaitable[Worker]], limits: PoolLimits, features: frozenset[Feature] = EVERYTHING
    ) -> None:
        """`launch` starts a process, not yet initialized. `features` are those that the CLI supports.

        `cli_info` is the latest reply to `initialize`, `rate_limit` the latest `rate_limit_info`.
        """
        self.features = features
        self.cli_info: JsonObject = {}
        self.rate_limit: JsonObject = {}
        self._launch = launch
        self._roster = Roster(limits)
        self._workers: dict[int, Worker] = {}
        self._queue = Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._failed_starts = 0
        self._pace = Pace()
        self._refusal: errors.ProxyError | None = None
        self._closing: errors.ProxyError | None = None

    def __repr__(self) -> str:
        return f"<Pool {self._roster!r} waiting={len(self._queue)}>"

    @property
    def ready(self) -> bool:
        """Whether a process has been initialized and turns are accepted."""
        return bool(self.cli_info) and self._stopped is None

    @property
    def limits(self) -> PoolLimits:
        """How many there may be."""
        return self._roster.limits

    @property
    def waiting(self) -> int:
        """How many turns wait for a worker."""
        return len(self._queue)

    def members(self) -> list[tuple[Member, int | None]]:
        """Every worker with its process id, None while it has no process."""
        return [(each, worker.pid if (worker := self._workers.get(each.key)) else None) for each in self._roster]

    @property
    def _stopped(self) -> errors.ProxyError | None:
        """Why turns are not accepted, None where they are."""
        return self._closing or self._refusal

    async def events(self, want: Want) -> AsyncGenerator[Event]:
        """The answer to a Want. Raises a ProxyError; close the iterator to abandon the turn."""
        place = self._queue.place()
        born_after: float | None = None
        tab, asked = receipts.tab(), time.monotonic()
        for _ in range(ATTEMPTS):
            member = await self._acquire(want, place, born_after)
            worker = self._workers[member.key]
            tab.opened(Call(want.way, member.born < asked, time.monotonic() - asked))
            try:
                async with contextlib.aclosing(worker.run(want)) as answer:
                    async for event in answer:
                        yield event
                return
            except Unconfirmed as doubt:
                log.warning("worker %d replaced: %s", worker.pid, doubt)
                born_after = time.monotonic()
            except (errors.NotSignedIn, errors.PermissionDenied):
                # A process keeps the login it started with; the next request should use a new one.
                self.renew()
                raise
            finally:
                self._finish(member, tab)
        raise errors.CliCrashed(
            f"The Claude Code CLI could not be brought to this request in {ATTEMPTS} attempts; the log says more."
        )

    # Maintenance

    def start(self) -> None:
        """Starts workers in the background: at least one, to learn what the CLI offers."""
        self._failed_starts = 0
        self._refill()

    def renew(self) -> None:
        """Ends idle workers now and busy ones after their turn, because the CLI or its login has changed."""
        self._failed_starts = 0
        self._roster.renew(time.monotonic())
        for member in self._roster.among(Status.IDLE):
            self._close(member)
        self._refill()

    def is_outdated(self, born: float) -> bool:
        """Whether a process that started at this `time.monotonic()` must be replaced, since the latest `renew`."""
        return self._roster.is_outdated(born)

    def admit(self, features: frozenset[Feature]) -> None:
        """Accepts turns again. `features` are those of the CLI now."""
        self.features, self._refusal = features, None

    def refuse(self, error: errors.ProxyError) -> None:
        """Raises `error` for every new turn."""
        self._refusal = error
        self._queue.notify()

    def trim(self, *, idle: float, too_large: Callable[[int], bool]) -> None:
        """Ends idle workers that are too large, too old, or idle for `idle` seconds and not among those kept warm."""
        self._close_dead()
        now = time.monotonic()
        members = self._roster.among(Status.IDLE)
        spare = len(members) - self._roster.limits.warm
        bare = sum(member.holds == BARE for member in members)
        for member in members:
            is_last_bare = member.holds == BARE and bare == 1
            superfluous = spare > 0 and now - member.used > idle and not is_last_bare
            if superfluous or self._roster.is_old(member, now) or too_large(self._workers[member.key].pid):
                spare -= 1
                bare -= member.holds == BARE
                self._close(member)
        # One more start each time: the cause of earlier failures may be gone.
        self._failed_starts = min(self._failed_starts, ATTEMPTS - 1)
        self._refill()

    # Shutdown

    async def drain(self, seconds: float) -> None:
        """Refuses new turns. Running ones end with ShuttingDown after `seconds`."""
        self._closing = errors.ShuttingDown("The proxy is shutting down.")
        self._queue.notify()
        running = self._roster.count(Status.BUSY)
        if seconds and running:
            log.info("stopping; answers in flight (%d) get %g s", running, seconds)
        await self._until(lambda: not self._roster.count(Status.BUSY), seconds)
        for member in self._roster.among(Status.BUSY):
            self._workers[member.key].channel.fail(self._closing)

    async def close(self) -> None:
        """Ends every process, and returns when all have exited."""
        await self.drain(0)
        for task in self._tasks - self._ending:
            task.cancel()
        # A task that is cancelled before its first step cleans nothing up.
        for member in list(self._roster):
            self._close(member)
        await self._until(lambda: not self._tasks and not len(self._roster), CLOSE_SECONDS)

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()

    # Acquiring and releasing

    async def _acquire(self, want: Want, place: int, born_after: float | None) -> Member:
        """Waits for a worker for the want and marks it busy. Raises a ProxyError."""
        failed = 0
        is_first = True
        wanted = want.holds
        while True:
            if self._stopped is not None:
                # Raised many times: its traceback would grow each time.
                raise self._stopped.with_traceback(None)
            self._close_dead()
            seconds: float | None = None
            ahead = self._queue.ahead(place)
            rested = time.monotonic() - self._pace.start
            match choose(
                self._roster, wanted, ahead=ahead, born_after=born_after, features=self.features, rested=rested
            ):
                case Wait(look=True):
                    seconds = LOOK_SECONDS
                case Take(key) if not (is_first and ahead):
                    self._roster.take(key, wanted, time.monotonic())
                    return self._roster[key]
                case Take():
                    # Earlier turns choose first.
                    asyncio.get_running_loop().call_soon(self._queue.notify)
                case Start() | Evict() if not self._should_start(wanted, ahead):
                    seconds = LOOK_SECONDS if self._pace.is_known else FIRST_LOOK_SECONDS
                case Start():
                    self._start_worker(wanted.system, place)
                case Evict(key):
                    self._close(self._roster[key])
            if is_first:
                self._check_queue()
            is_first = False
            try:
                await self._queue.wait(place, seconds)
            except Unconfirmed as doubt:
                failed += 1
                if failed == ATTEMPTS:
                    raise errors.CliCrashed(f"The Claude Code CLI could not be started: {doubt}.") from None

    def _should_start(self, wanted: Holds, ahead: int) -> bool:
        """Whether starting a process is better than waiting for an existing one."""
        now = time.monotonic()
        fits = [member for member in self._roster if can_serve(member.holds, wanted, self.features)]
        at_work = [member for member in fits if member.status is Status.BUSY]
        busy = [now - member.used for member in at_work]
        starting = [now - member.born for member in fits if member.status is Status.STARTING]
        if busy and len(starting) >= starts_at_once(self._pace, PROCESSORS):
            return False
        soon = sum(member.status is Status.FINISHING and now - member.used < SOON for member in fits)
        silent = max((self._workers[member.key].silent for member in at_work), default=0.0)
        return is_worth_a_start(self._pace, Line(busy, starting, ahead, soon, len(self._queue), silent))

    def _check_queue(self) -> None:
        """Raises Busy where the queue is full. Turns that wait for a start, or could have one, do not count."""
        limits, busy = self._roster.limits, self._roster.count(Status.BUSY)
        if len(self._queue) >= limits.queue + max(0, limits.workers - busy):
            raise errors.Busy(f"All {limits.workers} workers are busy and {len(self._queue)} requests wait already.")

    def _finish(self, member: Member, tab: Tab) -> None:
        """Releases a worker in the background: the client does not wait for the end of the CLI's turn."""
        if member.status is Status.BUSY:
            begun, now = member.used, time.monotonic()
            self._roster.finishing(member.key, now)
            self._spawn(self._finish_turn(member, tab, begun))
        else:
            tab.settled(Receipt(None, self.rate_limit))

    async def _finish_turn(self, member: Member, tab: Tab, begun: float) -> None:
        worker = self._workers[member.key]
        good, said = False, worker.rate_limit
        try:
            good = await worker.finish_turn()
        except Exception:
            log.exception("the end of a turn failed")
        finally:
            if worker.rate_limit is not said:
                # Where this worker heard nothing new, another one may have.
                self.rate_limit = worker.rate_limit or {}
            tab.settled(Receipt(worker.spent, self.rate_limit))
            now = time.monotonic()
            reusable = good and "rewind" in self.features and self._closing is None
            self._pace.turned(now - begun)
            if reusable and not self._roster.is_old(member, now):
                self._roster.ready(member.key, now)
            else:
                self._close(member)
            self._refill()

    # Starting and ending

    def _start_worker(self, system: str, place: int = -1) -> None:
        """Starts a process with this system prompt. A failure is raised in the turn at `place`."""
        self._spawn(self._begin(self._roster.add(Holds(system), time.monotonic()), place))

    async def _begin(self, member: Member, place: int) -> None:
        worker: Worker | None = None
        try:
            worker = await self._launch()
            self._workers[member.key] = worker
            await worker.prepare(member.holds.system)
            self._pace.started(time.monotonic() - member.born)
            if not len(self._queue) and {"silence", "rewind"} <= self.features:
                # No turn waits for it.
                await worker.warm_up()
        except BaseException as error:
            self._failed_starts += 1
            self._close(member)
            known = isinstance(error, errors.ProxyError | Unconfirmed)
            if isinstance(error, Exception) and not self._queue.fail(place, error if known else _fault(error)):
                log.error("no worker could be made ready: %s", error, exc_info=None if known else error)
            if not isinstance(error, Exception):
                raise
        else:
            self._failed_starts = 0
            self.cli_info = worker.cli_info or self.cli_info
            if self.is_outdated(member.born):
                self._close(member)
            else:
                self._roster.ready(member.key, time.monotonic())
        self._refill()

    def _refill(self) -> None:
        """Starts missing workers while no turn needs the processor.

        One of those kept ready holds nothing: a Turn without a system prompt needs it, and any other Turn can use it.
        """
        roster, limits = self._roster, self._roster.limits
        is_wanted = roster.count(Status.BUSY) or len(self._queue)
        if self._stopped is not None or self._failed_starts >= ATTEMPTS or is_wanted:
            return
        ready = roster.among(Status.IDLE, Status.STARTING, Status.FINISHING)
        wanted = limits.warm if self.cli_info else max(1, limits.warm)
        has_bare = any(member.holds == BARE for member in ready)
        missing = len(ready) < wanted or (wanted > 0 and not has_bare)
        if missing and roster.room and roster.count(Status.STARTING) < max(1, PROCESSORS // 2):
            self._start_worker("")

    def _close_dead(self) -> None:
        for member in self._roster.among(Status.IDLE):
            if not self._workers[member.key].alive:
                self._close(member)

    def _close(self, member: Member) -> None:
        """Ends a worker in the background, unless that has begun already."""
        if member.status is not Status.CLOSING:
            self._roster.closing(member.key)
            self._ending.add(self._spawn(self._end(member)))

    async def _end(self, member: Member) -> None:
        worker = self._workers.pop(member.key, None)
        try:
            if worker is not None:
                await worker.close()
        finally:
            self._roster.gone(member.key)
            self._refill()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ending.discard(task)
        self._changed.set()
        self._queue.notify()


def _fault(error: Exception) -> errors.ProxyError:
    return errors.ServerFault(f"A claude process could not be started: {error!r}.")
