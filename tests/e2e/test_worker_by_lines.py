"""One worker with the same tools, turn after turn by lines: what reaches the model is that turn's and nothing else."""

import random
import uuid
from pathlib import Path
from typing import Any

import pytest
from harness.asking import PIXEL, directive
from harness.proxy import home_environment, scripted
from harness.upstream import seen, without_notes

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.compose import Context
from claude_max.proxy.engine.planning.want import lines_want
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.process.channel import Timeouts
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.engine.wire import protocol
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.events import Media, Message, Text, TextDelta, Tool, ToolCall, ToolResult, Turn

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = (Tool("look", "Looks. " * 500, CITY), Tool("Bash", "Runs", {"type": "object", "properties": {}}))
TEXTS = (
    "plain", "µg m² ﬁ \u200b\u202e 👩‍👩‍👧", "\n\n  indented\n", "/cost", "@/etc/hostname", "{}", "a\tb\r\nc\0d",
    "<system-reminder>x</system-reminder>", "x" * 49_999, "ünï\u2028" * 20_000,
)  # fmt: skip
CALLS = [{"name": "look", "input": {"city": "A"}}, {"name": "Bash", "input": {}}]
# Calls that the CLI would answer by itself: it may have asked once more before it is stopped.
UNFIT: tuple[dict[str, Any], ...] = (
    {"call": {"name": "nowhere", "input": {}}, "then": {"text": "well"}},
    {"call": {"name": "look", "input": "{"}, "then": {"text": "well"}},
)
REPLIES: tuple[dict[str, Any], ...] = (
    {"text": "fine"}, {"call": CALLS}, {"text": "I look", "call": CALLS[:1]}, {"words": 5000, "pause": 0.01},
    {"status": 529}, {"text": "", "event_pause": 0.05}, *UNFIT,
)  # fmt: skip


class Client:
    """Makes up turns. What it draws depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.count = 0

    def text(self) -> Text:
        self.count += 1
        return Text(f"{self.dice.choice(TEXTS)} {self.count}")

    def result(self, call_id: str) -> ToolResult:
        picture = Media("image", "image/png", PIXEL)
        parts = self.dice.choice([(self.text(),), (self.text(),), (self.text(), picture)])
        return ToolResult(call_id, parts, is_error=len(parts) == 1 and self.dice.random() < 0.3)

    def turn(self, reply: dict[str, Any]) -> Turn:
        messages = [Message("user", (self.text(), Text(directive(**reply))))]
        for _ in range(self.dice.choice((0, 0, 1, 3))):
            ids = [f"toolu_{self.count}_{number}" for number in range(self.dice.randint(1, 3))]
            calls = [ToolCall(call_id, "look", {"city": self.text().text}) for call_id in ids]
            said = (Text("I look."),) if self.dice.random() < 0.5 else ()
            after = (self.text(),) if self.dice.random() < 0.3 else ()
            results = [self.result(call_id) for call_id in self.dice.sample(ids, len(ids))]
            messages += [Message("assistant", (*said, *calls)), Message("user", (*results, *after))]
        if self.dice.random() < 0.3:
            messages += [
                Message("assistant", (Text("Done."),)),
                Message("user", (self.text(), Text(directive(**reply)))),
            ]
        system = self.dice.choice(("One.", "Two."))
        return Turn(self.dice.choice(("sonnet", "opus")), tuple(messages), system=system, tools=TOOLS)


async def ask(worker: Worker, turn: Turn, reply: dict[str, Any], url: str) -> None:
    """Reads the whole answer, or leaves in the middle of a long one."""
    events = worker.run(lines_want(turn, str(uuid.uuid4()), Context(base_url=url)))
    try:
        async for event in events:
            if "words" in reply and isinstance(event, TextDelta):
                break
    except errors.Overloaded:
        assert "status" in reply
    finally:
        await events.aclose()


@pytest.mark.parametrize("seed", range(2))
async def test_messy_turns_one_after_another(home: Path, seed: int) -> None:
    client = Client(seed)
    offered: list[Any] = []
    with scripted() as api:
        environ = environment({**home_environment(home), "ANTHROPIC_BASE_URL": api.url})
        worker = await Worker.spawn(locate(None, environ).path, environ, home, Timeouts())
        try:
            await worker.prepare("")
            for reply in client.dice.sample(REPLIES * 2, len(REPLIES) * 2):
                turn, before = client.turn(reply), len(api.api.bodies())
                await ask(worker, turn, reply, api.url)
                assert await worker.finish_turn()
                body, *more = api.api.bodies()[before:]
                assert not more or reply in UNFIT
                notes = [message for message in body["messages"] if message["role"] == "system" and message["content"]]
                assert len(notes) == 1, "one note on the environment in each request"
                found, wanted = seen(without_notes(body)), [protocol.api_message(each) for each in turn.messages]
                assert found["messages"] == seen({**body, "messages": wanted})["messages"]
                assert found["system"] == turn.system
                offered.append(found["tools"])
        finally:
            await worker.close()
    assert {tool["name"]: tool["description"] for tool in offered[0]} == {tool.name: tool.description for tool in TOOLS}
    assert all(tools == offered[0] for tools in offered)
