"""Workers around a process that is none, and short ways to run a turn on one. No tests here."""

import asyncio
from collections.abc import Callable
from typing import Any

from engine.fake_process import LONG, FakeProcess, worker_on
from engine.stream_lines import RESULT, Line, answer, end, start, text
from engine.turns import turn, user, wants

from claude_max.proxy.engine.planning.want import Want
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.events import Event, TextDelta

ASK = turn(user("a"))
HELLO = [*answer(text("Hel", "lo")), RESULT]
FAILED: Line = {"type": "result", "is_error": True, "api_error_status": 429, "result": "API Error: slow down"}


def cut(output: int) -> list[Line]:
    """An answer that ended at a limit of so many tokens."""
    return [start(), *text("x"), *end("max_tokens", output_tokens=output), RESULT]


async def ready(process: FakeProcess, system: str = "", **more: Any) -> Worker:
    """A worker that is prepared, with what that wrote forgotten."""
    worker = worker_on(process, more.pop("timeouts", LONG), **more)
    await worker.prepare(system)
    process.written.clear()
    process.sends.clear()
    return worker


async def proved(process: FakeProcess, **more: Any) -> Worker:
    """A worker whose CLI was seen to send what it is given."""
    worker = await ready(process, **more)
    process.answers.append(HELLO)
    await run(worker, wants(ASK))
    assert await worker.finish_turn()
    process.written.clear()
    return worker


async def run(worker: Worker, want: Want) -> list[Event]:
    return [found async for found in worker.run(want)]


def shown(events: list[Event]) -> str:
    return "".join(found.text for found in events if isinstance(found, TextDelta))


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")
