"""Those who wait for a worker, in order of arrival. Knows nothing of workers."""

import asyncio
import contextlib
import itertools


class Queue:
    """Places are numbers; a lower one is called first, however often it was called in vain before."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._places: dict[int, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def place(self) -> int:
        """A place behind everybody else's."""
        return next(self._numbers)

    async def wait(self, place: int, seconds: float | None = None) -> None:
        """Waits to be called, `seconds` at most. One that leaves gives its call to the next."""
        called = self._places[place] = asyncio.get_running_loop().create_future()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self.call()
            raise
        finally:
            del self._places[place]

    def call(self) -> None:
        """Calls the first that was not called yet."""
        for place in sorted(self._places):
            if not self._places[place].done():
                self._places[place].set_result(None)
                return

    def call_all(self) -> None:
        """Calls everybody."""
        for called in self._places.values():
            if not called.done():
                called.set_result(None)
