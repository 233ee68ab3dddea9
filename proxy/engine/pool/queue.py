"""The turns that wait for a worker, in order of arrival. Knows nothing of workers."""

import asyncio
import contextlib
import itertools


class Queue:
    """Places are numbers. Every change wakes all waiting turns, lower places first; each then decides for itself."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._places: dict[int, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def place(self) -> int:
        """A new last place."""
        return next(self._numbers)

    def ahead(self, place: int) -> int:
        """How many turns with a lower place wait."""
        return sum(other < place for other in self._places)

    async def wait(self, place: int, seconds: float | None = None) -> None:
        """Waits for the next change, at most `seconds`. Raises the error given to `fail`."""
        woken = self._places[place] = asyncio.get_running_loop().create_future()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await woken
        finally:
            del self._places[place]
            if woken.done() and not woken.cancelled():
                # Where the wait is cancelled at the same moment, the failure is not retrieved.
                woken.exception()

    def notify(self) -> None:
        """Wakes all waiting turns, in order."""
        for place in sorted(self._places):
            if not self._places[place].done():
                self._places[place].set_result(None)

    def fail(self, place: int, error: Exception) -> bool:
        """Raises `error` in the wait at this place. False where there is none."""
        waiting = self._places.get(place)
        if waiting is None or waiting.done():
            return False
        waiting.set_exception(error)
        return True
