"""A database outside the event loop, used by a single separate thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from .database import opened

T = TypeVar("T")
# Exceptions of work on a database.
FAILURES = (sqlite3.Error, OSError)


class Beside:
    """The database in `file`, which is opened when it is first needed, and again after each failure."""

    def __init__(self, file: Path, migrations: Sequence[str], name: str) -> None:
        """`name` is the thread's."""
        self.file = file
        self._migrations = migrations
        self._thread = ThreadPoolExecutor(1, name)
        self._database: sqlite3.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._database is not None

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns. Raises one of FAILURES."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._on_thread, work)

    async def close(self) -> None:
        """Ends the thread, once what it was given is done."""
        await asyncio.to_thread(self._thread.shutdown)
        if self._database is not None:
            self._database.close()
            self._database = None

    def _on_thread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._database is None:
            self._database = opened(self.file, self._migrations)
        try:
            return work(self._database)
        except sqlite3.Error:
            # Reopened for the next one: the file may have been replaced.
            self._database.close()
            self._database = None
            raise
