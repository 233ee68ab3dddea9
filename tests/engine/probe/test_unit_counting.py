"""Counting keeps one process while it can be trusted: held lines are taken back, and a doubt ends it."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from claude_max.proxy.engine.planning.steps import Append, Configure, Offer, SetSystem, Step
from claude_max.proxy.engine.planning.want import BARE, Holds
from claude_max.proxy.engine.probe.counting import TokenCounter, total
from claude_max.proxy.engine.process.channel import Unconfirmed
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.errors import CliCrashed
from claude_max.proxy.events import Message, Text, Tool, Turn

HELLO = Turn("sonnet", (Message("user", (Text("hello"),)),))
LOOK = Tool("look", "", {"type": "object"})


class Counting:
    """A process that holds lines and counts one token for each; `answers` replaces what it says."""

    def __init__(self, answers: dict[str, Any] | Exception | None = None) -> None:
        self.holds = BARE
        self.initialized = 0
        self.alive, self.closed = True, False
        self.held: list[Message] = []
        self.steps: list[type[Step]] = []
        self.asked, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.channel = SimpleNamespace(begin_turn=lambda: None, control=self._control, idle=True)
        self._answers = answers

    async def take(self, step: Step) -> None:
        self.steps.append(type(step))
        if isinstance(step, SetSystem):
            self.holds = replace(self.holds, system=step.system)
        if isinstance(step, Offer):
            self.holds = replace(self.holds, tools=step.encoded)
        if isinstance(step, Append):
            self.held.append(step.message)

    async def initialize(self, system: str) -> None:
        self.holds = Holds(system)
        self.initialized += 1

    async def rewind(self) -> None:
        self.held.clear()

    async def close(self) -> None:
        self.alive, self.closed = False, True

    async def _control(self, subtype: str, **fields: Any) -> dict[str, Any]:
        assert (subtype, fields) == ("get_context_usage", {"detail": "full"})
        self.asked.set()
        await self.gate.wait()
        if isinstance(self._answers, Exception):
            raise self._answers
        return self._answers or {"totalTokens": len(self.held)}


def counter_of(*processes: Counting) -> TokenCounter:
    coming = iter(processes)

    async def launch() -> Worker:
        return cast("Worker", next(coming))

    return TokenCounter(launch)


def said(*roles: str, **fields: Any) -> Turn:
    return Turn("sonnet", tuple(Message(cast("Any", role), (Text("x"),)) for role in roles), **fields)


async def test_one_process_counts_one_conversation_after_another() -> None:
    process = Counting()
    counter = counter_of(process)
    assert await counter.count(said("user", "assistant", "user")) == 3
    assert await counter.count(HELLO) == 1
    assert process.initialized == 1
    assert process.steps == [Configure, Append, Append, Append, Configure, Append]
    assert not process.closed
    await counter.close()
    assert process.closed


async def test_counts_wait_for_each_other() -> None:
    process = Counting()
    counter = counter_of(process)
    assert await asyncio.gather(*(counter.count(said(*["user"] * n)) for n in (1, 2, 3))) == [1, 2, 3]
    await counter.close()


async def test_a_system_prompt_is_replaced_but_never_taken_away() -> None:
    first, second = Counting(), Counting()
    counter = counter_of(first, second)
    await counter.count(said("user", system="one"))
    await counter.count(said("user", system="two"))
    assert (first.holds.system, first.steps[2]) == ("two", SetSystem)
    await counter.count(HELLO)
    assert second.holds == BARE
    await counter.close()
    assert first.closed


async def test_tools_are_kept_by_the_process_so_it_ends_where_others_are_wanted() -> None:
    first, second = Counting(), Counting()
    counter = counter_of(first, second)
    for _ in range(3):
        await counter.count(said("user", tools=(LOOK,)))
    assert first.steps.count(Offer) == 1
    assert not first.closed
    await counter.count(HELLO)
    await counter.close()
    assert first.closed
    assert second.steps


@pytest.mark.parametrize("answers", [Unconfirmed("refused"), CliCrashed("gone"), {"totalTokens": None}])
async def test_a_doubt_ends_the_process(answers: Any) -> None:
    first, second = Counting(answers), Counting()
    counter = counter_of(first, second)
    with pytest.raises(CliCrashed):
        await counter.count(HELLO)
    assert await counter.count(HELLO) == 1
    await counter.close()
    assert first.closed


async def test_a_client_that_leaves_ends_the_process() -> None:
    first, second = Counting(), Counting()
    first.gate.clear()
    counter = counter_of(first, second)
    counting = asyncio.ensure_future(counter.count(HELLO))
    await first.asked.wait()
    counting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await counting
    assert await counter.count(HELLO) == 1
    await counter.close()
    assert first.closed


def test_the_total() -> None:
    assert total({"totalTokens": 7, "categories": []}) == 7
