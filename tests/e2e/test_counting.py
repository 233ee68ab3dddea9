"""Counting tokens with the real CLI, whose process is lost between two counts."""

from pathlib import Path

import psutil
import pytest
from harness.proxy import home_environment, scripted

from claude_max.proxy.engine.probe.counting import TokenCounter
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.process import spawn, worker
from claude_max.proxy.engine.process.channel import Timeouts
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.events import Message, Text, Turn

HELLO = (Message("user", (Text("hello"),)),)
LONG = (*HELLO, Message("assistant", (Text("Good day"),))) * 2 + HELLO


async def test_a_process_that_is_lost_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Because its conversation is too long to be taken back, because it was killed, because it was stopped."""
    monkeypatch.setattr(worker, "REWINDS", 2)
    monkeypatch.setattr(spawn, "EXIT_SECONDS", 0.5)
    started: list[psutil.Process] = []

    async def launch() -> Worker:
        launched = await Worker.spawn(program, environ, home, Timeouts())
        started.append(psutil.Process(launched.pid))
        return launched

    with scripted() as api:
        environ = environment({**home_environment(home), "ANTHROPIC_BASE_URL": api.url})
        program = locate(None, environ).path
        counter = TokenCounter(launch, lambda _: False, api.url)

        async def count(messages: tuple[Message, ...]) -> int:
            return await counter.count(Turn("sonnet", messages))

        try:
            long = await count(LONG)
            short = await count(HELLO)
            assert 0 < short < long
            assert len(started) == 2
            started[1].kill()
            assert (await count(HELLO), len(started)) == (short, 3)
            started[2].suspend()
            assert (await count(HELLO), len(started)) == (short, 4)
        finally:
            await counter.close()
        assert not any(process.is_running() for process in started)
        assert api.api.messages() == []
