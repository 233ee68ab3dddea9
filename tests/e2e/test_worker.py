"""A worker by itself around the real CLI: facts that the engine's waits rely on."""

from pathlib import Path

from engine.turns import LOOK, called, results, turn, user, wants
from harness.asking import directive
from harness.proxy import home_environment, scripted

from claude_max.proxy.engine.planning.steps import plan
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.process.channel import Timeouts
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.events import Finished, TextDelta, ToolCallStarted, Turn


async def answered(worker: Worker, wanted: Turn) -> tuple[str, list[str]]:
    """Text and calls of the answer."""
    way = plan(worker.state, wanted, wants(wanted))
    assert way is not None
    events = [event async for event in worker.run(way)]
    assert isinstance(events[-1], Finished)
    assert await worker.settle()
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, [event.id for event in events if isinstance(event, ToolCallStarted)]


async def test_the_cli_says_at_once_that_it_took_a_message_up(home: Path) -> None:
    """A model that is slower than the patience for a step is no process in doubt: for a prompt and for results."""
    slow = {"first_byte": 2}
    prompt = user(directive(call={"name": "look", "input": {}}, **slow, then={"text": "seen", **slow}))

    with scripted() as api:
        environ = environment({**home_environment(home), "ANTHROPIC_BASE_URL": api.url})
        worker = await Worker.spawn(locate(None, environ).path, environ, home, Timeouts(step=1.5))
        try:
            _, calls = await answered(worker, turn(prompt, tools=(LOOK,)))
            text, _ = await answered(worker, turn(prompt, called(*calls), results(*calls), tools=(LOOK,)))
            assert text == "seen"
            assert worker.turns == 2
        finally:
            await worker.close()
