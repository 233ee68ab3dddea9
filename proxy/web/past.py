"""Reads the ledger for the page, outside the event loop.

Concurrent requests share one reading. A missing, locked or broken ledger is reported in `trouble`, and never breaks the
page.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from ..events import JsonObject
from ..records import Row
from ..store import ledger, usage
from ..store.database import read_only
from ..store.forecast import length_of
from ..store.ledger import By, Sample
from ..store.usage import Line, total

T = TypeVar("T")

GROUPS: tuple[By, ...] = ("day", "model", "client")
# Seconds for which a reading is fresh enough: less than the page waits after a request (`usage.js`).
FRESH = 0.5
WINDOWS_FRESH = 60.0
# Requests that are shown at once.
PAGE_ROWS = 100
# Names of a group that are listed; the others are added up. A client can send any name.
MOST_LINES = 200
OFF = "No ledger is kept, so there is no history."


class Past:
    """The ledger in `file`; None where none is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._usage: asyncio.Task[JsonObject] | None = None
        self._usage_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._read_at = float("-inf")
        self._samples: dict[str, list[Sample]] = {}
        # How often the windows were read.
        self.reads = 0
        # A locked ledger holds up one thread at most.
        self._one_at_a_time = asyncio.Lock()

    async def usage(self) -> JsonObject:
        """`periods`, and `day`, `model` and `client` of 30 days, each a list of lines as `claude-max usage --json`."""
        now = time.monotonic()
        if self._usage is None or (self._usage.done() and now - self._usage_at > FRESH):
            self._usage_at = now
            self._usage = asyncio.ensure_future(self._told(_usage))
        # A tab that disconnects does not cancel the reading.
        return await asyncio.shield(self._usage)

    async def requests(self, before: tuple[float, str] | None = None) -> JsonObject:
        """PAGE_ROWS `requests` at most, the latest first; `more` says that there are older ones."""

        def read(database: sqlite3.Connection) -> JsonObject:
            found = ledger.rows(database, PAGE_ROWS + 1, before)
            return {"requests": [row_json(row) for row in found[:PAGE_ROWS]], "more": len(found) > PAGE_ROWS}

        return await self._told(read)

    def samples(self, name: str) -> Sequence[Sample]:
        """Readings of a window, the oldest first; refreshed from time to time in the background."""
        self._refresh()
        return self._samples.get(name, ())

    def last(self) -> list[Sample]:
        """The last reading of each window."""
        self._refresh()
        return [found[-1] for found in self._samples.values() if found]

    async def close(self) -> None:
        """Waits for readings in progress."""
        under_way = [task for task in (self._usage, self._reading) if task is not None]
        await asyncio.gather(*under_way, return_exceptions=True)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._read_at > WINDOWS_FRESH and (self._reading is None or self._reading.done()):
            self._read_at = now
            self._reading = asyncio.ensure_future(self._read_windows())

    async def _read_windows(self) -> None:
        def read(database: sqlite3.Connection) -> dict[str, list[Sample]]:
            names = [sample.name for sample in ledger.latest_samples(database)]
            since = {name: time.time() - (length_of(name) or 0.0) for name in names}
            return {name: ledger.samples(database, name, since[name]) for name in names}

        found, _ = await self._read(read)
        if found is not None:
            self._samples = found
        self.reads += 1

    async def _told(self, read: Callable[[sqlite3.Connection], JsonObject]) -> JsonObject:
        found, trouble = await self._read(read)
        return {**(found or {}), "trouble": trouble}

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> tuple[T | None, str]:
        """The reading, or why there is none; both are empty if there is no ledger yet."""
        file = self._file
        if file is None:
            return None, OFF

        def work() -> T | None:
            with read_only(file) as database:
                # A file that is just being created has no tables.
                if database is None or not database.execute("PRAGMA user_version").fetchone()[0]:
                    return None
                return read(database)

        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(work), ""
        except (sqlite3.Error, OSError) as error:
            return None, f"The ledger cannot be read now: {error}."


def _usage(database: sqlite3.Connection) -> JsonObject:
    now = datetime.now().astimezone()
    since = usage.begin(now, "30 days")
    lines: JsonObject = {str(by): [asdict(line) for line in _few(usage.grouped(database, by, since))] for by in GROUPS}
    return {"today": f"{now:%Y-%m-%d}", "periods": [asdict(line) for line in usage.periods(database, now)], **lines}


def _few(lines: Sequence[Line]) -> Sequence[Line]:
    """MOST_LINES at most: what is beyond is added up in the last."""
    rest = lines[MOST_LINES - 1 :]
    return lines if len(rest) < 2 else (*lines[: MOST_LINES - 1], replace(total(rest), name=f"{len(rest)} others"))


def row_json(row: Row) -> JsonObject:
    """A request as the page and `claude-max status` know it."""
    return asdict(row)
