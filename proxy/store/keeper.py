"""Writes and reads stored responses outside the event loop.

A failed write is logged once and never reaches the client, whose answer is complete without it. A failed read is an
error, because the request is incomplete without it.
"""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..errors import Overloaded
from ..records import Kept, Record, Wanted
from . import responses
from .beside import FAILURES, Beside
from .database import MIGRATIONS
from .responses import Limits

log = logging.getLogger("claude_max.store")
T = TypeVar("T")


class Keeper:
    """Keeps records in `file`, which is made with the first of them. `now` is unix seconds."""

    def __init__(self, file: Path, limits: Limits, now: Callable[[], float]) -> None:
        self._beside = Beside(file, MIGRATIONS, "store")
        self._limits = limits
        self._now = now
        self._failing = False

    @property
    def on(self) -> bool:
        """Whether anything is kept at all."""
        return self._limits.seconds > 0 and self._limits.size > 0

    async def keep(self, record: Record) -> None:
        """Keeps a record, where that is possible."""
        if not self.on:
            return
        try:
            await self._beside.do(lambda database: responses.put(database, record, self._limits, self._now()))
        except FAILURES as error:
            if not self._failing:
                log.warning("answers are not stored: %s (%s)", error, self._beside.file)
            self._failing = True
        else:
            if self._failing:
                log.info("answers are stored again (%s)", self._beside.file)
            self._failing = False

    async def kept(self, wanted: Wanted) -> Kept:
        """What a request names of what is kept. Raises Overloaded where it cannot be read."""
        if not self.on or (wanted.previous is None and not wanted.items):
            return Kept(on=self.on)
        return await self._read(lambda database: responses.kept(database, wanted, self._limits, self._now()))

    async def get(self, id: str) -> Record | None:
        """The record of an id. Raises Overloaded where it cannot be read."""
        if not self.on:
            return None
        await self._read(lambda database: responses.prune(database, self._limits, self._now()))
        return await self._read(lambda database: responses.get(database, id))

    async def delete(self, id: str) -> bool:
        """Whether there was a record of this id; there is none now. Raises Overloaded where that is not certain."""
        return self.on and await self._read(lambda database: responses.delete(database, id))

    async def close(self) -> None:
        """Ends the thread, once what it was given is done."""
        await self._beside.close()

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._beside.do(work)
        except FAILURES as error:
            raise Overloaded(f"The stored responses cannot be used now: {error} ({self._beside.file}).") from None
