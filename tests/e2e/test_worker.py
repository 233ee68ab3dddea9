"""A worker by itself around the real CLI: facts that the engine's waits rely on."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness.asking import directive
from harness.proxy import home_environment, scripted
from harness.upstream import seen

from claude_max.proxy.engine.planning.compose import Context
from claude_max.proxy.engine.planning.want import BOUNDARY, exact_want
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.process.channel import Timeouts
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.events import Event, Finished, Message, Text, TextDelta, Turn


async def collected(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


BOUNDARIES = f"A\n\n{BOUNDARY}\n\nB\n {BOUNDARY} \nC"
PROMPTS = {"whole lines": (BOUNDARIES, f"\n{BOUNDARIES}"), "no whole line": (f"{BOUNDARY}x", f"{BOUNDARY}x")}


@pytest.mark.parametrize(("words", "seen_as"), PROMPTS.values(), ids=PROMPTS)
async def test_a_new_process_and_one_at_work_send_the_same_system_prompt(home: Path, words: str, seen_as: str) -> None:
    """One is initialized with it, the other one is told later, where a boundary line would cut it."""
    turn = Turn("sonnet", (Message("user", (Text("x"),)),), system=words)
    with scripted() as api:
        environ = environment({**home_environment(home), "ANTHROPIC_BASE_URL": api.url})
        want, _ = exact_want(turn, str(uuid.uuid4()), Context(base_url=api.url))
        for first in (want.system, ""):
            worker = await Worker.spawn(locate(None, environ).path, environ, home, Timeouts())
            try:
                await worker.prepare(first)
                assert isinstance((await collected(worker.run(want)))[-1], Finished)
            finally:
                await worker.close()
    assert [seen(body)["system"] for body in api.api.bodies()] == [seen_as] * 2


async def test_the_cli_says_at_once_that_it_took_a_message_up(home: Path) -> None:
    """A model that is slower than the time for a step does not make a process doubtful; its silence can be seen."""
    text = directive(text="seen", first_byte=1.2)
    with scripted() as api:
        environ = environment({**home_environment(home), "ANTHROPIC_BASE_URL": api.url})
        worker = await Worker.spawn(locate(None, environ).path, environ, home, Timeouts(step=0.9))
        try:
            for _ in range(2):
                turn = Turn("sonnet", (Message("user", (Text(text),)),))
                want, _ = exact_want(turn, str(uuid.uuid4()), Context(base_url=api.url))
                asked = asyncio.create_task(collected(worker.run(want)))
                while worker.silent < 0.3:
                    assert not asked.done()
                    await asyncio.sleep(0.02)
                events = await asked
                assert worker.silent == 0
                assert isinstance(events[-1], Finished)
                assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "seen"
                assert await worker.finish_turn()
        finally:
            await worker.close()
