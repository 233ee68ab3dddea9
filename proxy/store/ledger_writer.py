"""Writes the ledger outside the event loop, in batches. No request waits for it or fails because of it.

A failed write is logged once, kept for a while, and tried again with the next batch.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..records import Row
from . import ledger
from .beside import FAILURES, Beside
from .ledger import MIGRATIONS, Sample

log = logging.getLogger("claude_max.store")

# Seconds between two batches; at most this much is lost if the process is killed.
BATCH_SECONDS = 0.5
# Seconds until a failed batch is retried.
AGAIN_SECONDS = 30.0
# Maximum rows that wait for disk space: some 5 MB. The oldest are dropped first.
WAITING = 10_000
PRUNE_SECONDS = 3600.0
DAY = 24 * 3600.0
# How far the wall clock may deviate from the monotonic one before it counts as reset.
JUMP_SECONDS = 3600.0


class LedgerWriter:
    """Writes to `file`, which is made with the first row; `keep` is in seconds, 0 keeps none.

    `now` is unix seconds, `steady` a clock that is never set.
    """

    def __init__(self, file: Path, keep: float, now: Callable[[], float], steady: Callable[[], float]) -> None:
        self._beside = Beside(file, MIGRATIONS, "ledger")
        self._keep = keep
        self._clock = _Clock(now, steady)
        self._rows: deque[Row] = deque(maxlen=WAITING)
        self._samples: deque[Sample] = deque(maxlen=WAITING)
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._failing = False
        self._pruned = float("-inf")

    def put(self, row: Row, samples: tuple[Sample, ...] = ()) -> None:
        """Takes a row, and returns at once."""
        if self._keep <= 0:
            return
        self._rows.append(row)
        self._samples.extend(samples)
        self._later(AGAIN_SECONDS if self._failing else BATCH_SECONDS)

    async def flush(self) -> None:
        """Writes what waits, where that is possible."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            await asyncio.wait({self._writing})
        if self._rows:
            await self._write()

    async def close(self) -> None:
        """Writes what waits, and ends the thread."""
        await self.flush()
        if self._timer is not None:
            self._timer.cancel()
        await self._beside.close()

    def _later(self, seconds: float) -> None:
        if self._timer is None and self._writing is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.ensure_future(self._write())
        self._writing.add_done_callback(self._written)

    def _written(self, _: asyncio.Task[None]) -> None:
        self._writing = None
        if self._rows:
            self._later(AGAIN_SECONDS if self._failing else BATCH_SECONDS)

    async def _write(self) -> None:
        rows, samples = list(self._rows), list(self._samples)
        self._rows.clear()
        self._samples.clear()
        try:
            await self._beside.do(lambda database: self._batch(database, rows, samples))
        except FAILURES as error:
            self._rows.extendleft(reversed(rows[: WAITING - len(self._rows)]))
            self._samples.extendleft(reversed(samples[: WAITING - len(self._samples)]))
            if not self._failing:
                log.warning("the ledger is not written: %s (%s)", error, self._beside.file)
            self._failing = True
        else:
            if self._failing:
                log.info("the ledger is written again (%s)", self._beside.file)
            self._failing = False

    def _batch(self, database: sqlite3.Connection, rows: list[Row], samples: list[Sample]) -> None:
        now, steady = self._clock.look(lambda: ledger.latest(database))
        ledger.put(database, rows, samples)
        if self._clock.trusted and steady - self._pruned >= PRUNE_SECONDS:
            self._pruned = steady
            ledger.prune(database, now - self._keep)


class _Clock:
    """Whether the time of day can be trusted. A clock that is set ahead must not make everything old at once.

    It is trusted where it continues from the latest row, at a start, or from the last value; else after a day.
    """

    def __init__(self, now: Callable[[], float], steady: Callable[[], float]) -> None:
        self._now, self._steady = now, steady
        self._offset: float | None = None
        self._doubted: float | None = None

    @property
    def trusted(self) -> bool:
        return self._doubted is None

    def look(self, latest: Callable[[], float | None]) -> tuple[float, float]:
        """The time of day and the steady one."""
        now, steady = self._now(), self._steady()
        if self._offset is None:
            last = latest()
            is_near = last is None or -JUMP_SECONDS < now - last < 30 * DAY
            self._doubted = None if is_near else steady
        elif abs(now - steady - self._offset) > JUMP_SECONDS:
            self._doubted = steady
        elif self._doubted is not None and steady - self._doubted >= DAY:
            self._doubted = None
        self._offset = now - steady
        return now, steady
