"""Counts the input tokens of a Turn with the CLI. Calls no model and spends no tokens.

For `get_context_usage {"detail": "full"}` the CLI asks the service to count what it holds: the messages as lines, the
system prompt as a message, the tools of an MCP server (measured on 2.1.332); not the body of the exact composition. So
the number is the service's for the messages, some tokens too high for the system prompt, and excludes tools that the
service runs. If the service refuses to count, the CLI estimates by length without saying so.

Uses one separate process, started with the first question and ended when idle.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable

from ...errors import CliCrashed, ProxyError
from ...events import JsonObject, Turn
from ..planning.steps import Append, can_serve, steps
from ..planning.want import Want, plain_want, without_billing_line
from ..process.channel import Unconfirmed
from ..process.worker import Worker

# A process that counts is kept so long for the next count: agents count several parts of a prompt in a row.
IDLE_SECONDS = 60.0


class TokenCounter:
    """Counts one Turn after another. `close` in every case."""

    def __init__(self, launch: Callable[[], Awaitable[Worker]], base_url: str = "") -> None:
        """`launch` starts a process that is not initialized; `base_url` is the configured address of the service."""
        self._launch = launch
        self._base_url = base_url
        self._one_at_a_time = asyncio.Lock()
        self._worker: Worker | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def count(self, turn: Turn) -> int:
        """The tokens of the Turn's input. Raises a ProxyError."""
        turn = without_billing_line(turn)
        async with self._one_at_a_time:
            if self._idle is not None:
                self._idle.cancel()
            counted = False
            try:
                want = plain_want(turn, str(uuid.uuid4()), self._base_url)
                found = await self._count(await self._ready(want), want)
                counted = True
                return found
            except Unconfirmed as doubt:
                raise CliCrashed(f"The Claude Code CLI could not count: {doubt}.") from None
            finally:
                if counted:
                    self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)
                else:
                    # What it holds is not known.
                    self._end()

    async def close(self) -> None:
        """Ends the process; returns when it is gone."""
        if self._idle is not None:
            self._idle.cancel()
        self._end()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _ready(self, want: Want) -> Worker:
        """A process that can hold the want."""
        worker = self._worker
        if worker is None or not worker.alive or not can_serve(worker.holds, want.holds):
            self._end()
            worker = self._worker = await self._launch()
            await worker.initialize(want.system)
        return worker

    async def _count(self, worker: Worker, want: Want) -> int:
        worker.channel.begin_turn()
        for step in steps(worker.holds, want)[:-1]:
            await worker.take(step)
        # The last one too is only held: asking is what costs.
        await worker.take(Append(want.turn.messages[-1]))
        usage = await worker.channel.control("get_context_usage", detail="full")
        await worker.rewind()
        worker.channel.idle = True
        return total(usage)

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
