"""Counts the input tokens of a Turn with the CLI. Calls no model and spends no tokens.

For `get_context_usage {"detail": "full"}` the CLI asks the service to count what it holds: the messages as lines, the
system prompt as a message, the tools of an MCP server (measured on 2.1.332); not the body of the exact composition. So
the number is the service's for the messages, some tokens too high for the system prompt, and excludes tools that the
service runs. The CLI subtracts 500 from the tokens of all tools, so that few and short ones count as 0. If the service
refuses to count, the CLI estimates by length without saying so.

Uses one separate process, started with the first question and ended when idle.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable

from ...errors import CliCrashed, ProxyError
from ...events import JsonObject, Turn
from ..planning.growth import SOON
from ..planning.steps import Append, can_serve, steps
from ..planning.want import Want, plain_want
from ..process.channel import NoReply, Unconfirmed
from ..process.worker import Worker

log = logging.getLogger("claude_max.engine")

# A process that counts is kept so long for the next count: agents count several parts of a prompt in a row.
IDLE_SECONDS = 60.0


class TokenCounter:
    """Counts one Turn after another. `close` in every case."""

    def __init__(
        self,
        launch: Callable[[], Awaitable[Worker]],
        is_outdated: Callable[[float], bool],
        base_url: str = "",
    ) -> None:
        """`launch` starts a process that is not initialized; `base_url` is the configured address of the service.

        `is_outdated` tells of a process that started at this `time.monotonic()` whether to replace it.
        """
        self._launch = launch
        self._base_url = base_url
        self._is_outdated = is_outdated
        self._one_at_a_time = asyncio.Lock()
        self._worker: Worker | None = None
        self._born = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def count(self, turn: Turn) -> int:
        """The tokens of the Turn's input. Raises a ProxyError."""
        want = plain_want(turn, str(uuid.uuid4()), self._base_url)
        async with self._one_at_a_time:
            try:
                return await self._count(want)
            except (Unconfirmed, CliCrashed) as doubt:
                log.warning("counting again in a new process: %s", doubt)
            # Harmless: the service counts free of charge, and no model is asked.
            try:
                return await self._count(want)
            except Unconfirmed as doubt:
                raise CliCrashed(f"The Claude Code CLI could not count: {doubt}.") from None

    async def close(self) -> None:
        """Ends the process; returns when it is gone."""
        if self._idle is not None:
            self._idle.cancel()
        self._end()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _ready(self, want: Want) -> Worker:
        """A process that can hold the want."""
        worker = self._worker
        is_usable = worker is not None and worker.alive and not self._is_outdated(self._born)
        if worker is None or not is_usable or not can_serve(worker.holds, want.holds):
            self._end()
            self._born = time.monotonic()
            worker = self._worker = await self._launch()
            await worker.initialize(want.system)
        return worker

    async def _count(self, want: Want) -> int:
        """The count by the kept process or a new one. Ends the process unless it was rewound."""
        if self._idle is not None:
            self._idle.cancel()
        kept, is_clean = self._worker, False
        try:
            worker = await self._ready(want)
            await self._hold(worker, want, SOON if worker is kept else None)
            found = total(await worker.channel.control("get_context_usage", detail="full"))
            # The count is known, even if its conversation is too long to be rewound.
            with contextlib.suppress(Unconfirmed, ProxyError):
                await worker.rewind()
                worker.channel.idle = is_clean = True
            return found
        finally:
            if is_clean:
                self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)
            else:
                self._end()

    async def _hold(self, worker: Worker, want: Want, seconds: float | None) -> None:
        """Takes all steps but the one that asks, the first of them within `seconds`: a kept process may be stopped."""
        worker.channel.begin_turn()
        try:
            async with asyncio.timeout(seconds) as limit:
                for step in (*steps(worker.holds, want)[:-1], Append(want.turn.messages[-1])):
                    await worker.take(step)
                    limit.reschedule(None)
        except TimeoutError:
            raise NoReply("it does not answer") from None

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            task = asyncio.ensure_future(_closed(worker))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def total(usage: JsonObject) -> int:
    """The tokens in the CLI's answer. Raises Unconfirmed where it has none."""
    found = usage.get("totalTokens")
    if not isinstance(found, int):
        raise Unconfirmed("its count has no total")
    return found


async def _closed(worker: Worker) -> None:
    with contextlib.suppress(ProxyError):
        await worker.close()
