"""Lines that wait to be read by one reader, in order, with a time limit that costs no timer for each line."""

import asyncio
from collections import deque

from ...events import JsonObject


class Inbox:
    """A queue for one reader. None is put at the end of the lines, and stays."""

    def __init__(self) -> None:
        self._lines: deque[JsonObject | None] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def put(self, line: JsonObject | None) -> None:
        """Adds a line; wakes the reader."""
        self._lines.append(line)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def take(self) -> JsonObject | None:
        """The next line, which must be there."""
        return self._lines[0] if self._lines[0] is None else self._lines.popleft()

    @property
    def empty(self) -> bool:
        """Whether a reader would wait."""
        return not self._lines

    async def get(self, seconds: float) -> JsonObject | None:
        """The next line. Raises TimeoutError where none comes for so long."""
        if not self._lines:
            loop = asyncio.get_running_loop()
            self._reader = loop.create_future()
            self._deadline = loop.time() + seconds
            if self._timer is None or self._timer.when() > self._deadline:
                self._set_timer(loop)
            try:
                await self._reader
            finally:
                self._reader = None
        return self.take()

    def close(self) -> None:
        """Forgets the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer outlasts many lines: it looks at the latest deadline when it fires, and is set again for that."""
        self.close()
        self._timer = loop.call_at(self._deadline, self._fire, loop)

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._reader is None or self._reader.done():
            return
        if loop.time() < self._deadline:
            self._set_timer(loop)
        else:
            self._reader.set_exception(TimeoutError())
