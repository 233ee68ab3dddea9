"""Records the requests to the scripted API, and waits for them without polling.

No HTTP. Waiting works from any thread and any event loop, since a test often runs in a different one than the server.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from .prompt_cache import CacheUse


@dataclass
class Exchange:
    """One request and how its answer went.

    `number` counts POST /v1/messages from 1, and is 0 for every other request. `time` is unix seconds. `headers` are
    lower-cased and never hold credentials. `body` is {} when there was none or it was not a JSON object. `status` is
    None until an answer began; `finished`: sent to its end (a scripted cut never is); `aborted`: the client went away
    before that. `cache` is what a message that was answered had of the prompt cache, None for every other request;
    `refused` the sentence of the rule that it broke. `usage` is what a streamed answer has told of its tokens so far.
    """

    number: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: dict[str, Any]
    time: float = field(default_factory=time.time)
    status: int | None = None
    finished: bool = False
    aborted: bool = False
    cache: CacheUse | None = None
    refused: str | None = None
    usage: dict[str, Any] | None = None


class Record:
    """The latest `keep` exchanges, the total number of messages, the open ones, and the waiters."""

    def __init__(self, keep: int) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=keep)
        self.arrived = 0
        self.writing: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()
        self._waiting: list[tuple[Callable[[], bool], Future[None]]] = []

    def changed(self) -> None:
        """Re-evaluates the waiters' predicates; called by the server after each change."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._waiting = [each for each in waiting if not _settled(*each)]

    def when(self, predicate: Callable[[], bool]) -> Future[None]:
        """A future that is done once `predicate` holds; cancel it to stop looking."""
        future: Future[None] = Future()
        with self._lock:
            self._waiting.append((predicate, future))
        self.changed()
        return future

    async def wait(self, predicate: Callable[[], bool], seconds: float) -> None:
        """Returns once `predicate` is true; TimeoutError, listing what arrived, after `seconds`."""
        try:
            await asyncio.wait_for(asyncio.wrap_future(self.when(predicate)), seconds)
        except TimeoutError:
            raise TimeoutError(self._story(seconds)) from None

    def wait_blocking(self, predicate: Callable[[], bool], seconds: float) -> None:
        """`wait` for code without an event loop."""
        future = self.when(predicate)
        try:
            future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise TimeoutError(self._story(seconds)) from None

    def _story(self, seconds: float) -> str:
        seen = [f"{e.method} {e.path} #{e.number} {e.status}" for e in list(self.exchanges)[-10:]]
        return f"not within {seconds} s; {self.arrived} messages arrived, the latest requests are {seen}"


def _settled(predicate: Callable[[], bool], future: Future[None]) -> bool:
    """Whether the wait is over; an exception of the predicate is passed to its waiter."""
    if future.cancelled():
        return True
    try:
        if not predicate():
            return False
    except Exception as why:  # noqa: BLE001 - whatever it is, it belongs to the waiter and not to the server
        future.set_exception(why)
        return True
    if future.set_running_or_notify_cancel():
        future.set_result(None)
    return True
