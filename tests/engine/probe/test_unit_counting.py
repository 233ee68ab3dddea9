"""Counting keeps one process while it can be trusted: held lines are taken back, and a doubt replaces it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from claude_max.proxy.engine.planning.steps import Append, Configure, Offer, SetSystem, Step
from claude_max.proxy.engine.planning.want import BARE, Holds
from claude_max.proxy.engine.probe import counting
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
        # What happens at the next step, and when the lines are taken back.
        self.fault: Exception | None = None
        self.is_stopped = False
        self.slow: dict[type[Step], float] = {}
        self.unwilling: Exception | None = None

    async def take(self, step: Step) -> None:
        if self.is_stopped:
            await asyncio.Event().wait()
        await asyncio.sleep(self.slow.get(type(step), 0))
        if self.fault is not None:
            raise self.fault
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
        if self.unwilling is not None:
            raise self.unwilling
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


def counter_of(*processes: Counting, is_outdated: Callable[[float], bool] = lambda _: False) -> TokenCounter:
    coming = iter(processes)

    async def launch() -> Worker:
        return cast("Worker", next(coming))

    return TokenCounter(launch, is_outdated)


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
    assert await asyncio.gather(*(counter.count(said(*["user", "assistant"] * n)) for n in (1, 2, 3))) == [2, 4, 6]
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


DOUBTS = [Unconfirmed("refused"), CliCrashed("gone"), {"totalTokens": None}]


@pytest.mark.parametrize("answers", DOUBTS)
async def test_a_doubt_ends_the_process_and_another_counts(answers: Any) -> None:
    first, second = Counting(answers), Counting()
    counter = counter_of(first, second)
    assert await counter.count(HELLO) == 1
    await counter.close()
    assert first.closed


@pytest.mark.parametrize("answers", DOUBTS)
async def test_a_count_is_tried_twice_and_no_more(answers: Any) -> None:
    first, second, third = Counting(answers), Counting(answers), Counting()
    counter = counter_of(first, second, third)
    with pytest.raises(CliCrashed):
        await counter.count(HELLO)
    assert third.initialized == 0
    assert await counter.count(HELLO) == 1
    await counter.close()
    assert first.closed
    assert second.closed


@pytest.mark.parametrize("unwilling", [Unconfirmed("too long"), CliCrashed("gone")])
async def test_a_process_that_cannot_be_rewound_has_counted(unwilling: Exception) -> None:
    first, second = Counting(), Counting()
    first.unwilling = unwilling
    counter = counter_of(first, second)
    assert await counter.count(said("user", "assistant", "user")) == 3
    assert second.initialized == 0
    assert await counter.count(HELLO) == 1
    assert second.initialized == 1
    await counter.close()
    assert first.closed


@pytest.mark.parametrize("spoil", [{"alive": False}, {"fault": CliCrashed("killed")}, {"is_stopped": True}], ids=str)
async def test_a_kept_process_that_died_or_stopped_is_soon_replaced(
    monkeypatch: pytest.MonkeyPatch, spoil: dict[str, Any]
) -> None:
    monkeypatch.setattr(counting, "SOON", 0.05)
    first, second = Counting(), Counting()
    counter = counter_of(first, second)
    await counter.count(HELLO)
    vars(first).update(spoil)
    assert await asyncio.wait_for(counter.count(HELLO), 5) == 1
    await counter.close()
    assert first.closed
    assert second.initialized == 1


async def test_only_the_first_answer_of_a_kept_process_must_come_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "SOON", 0.1)
    process = Counting()
    process.slow = {Configure: 0.12}
    counter = counter_of(process)
    assert await counter.count(HELLO) == 1
    process.slow = {Append: 0.12}
    assert await counter.count(HELLO) == 1
    assert process.initialized == 1
    await counter.close()


async def test_a_process_with_an_old_login_is_replaced() -> None:
    first, second = Counting(), Counting()
    renewed = float("-inf")
    counter = counter_of(first, second, is_outdated=lambda born: born < renewed)
    await counter.count(HELLO)
    await counter.count(HELLO)
    renewed = time.monotonic()
    await counter.count(HELLO)
    await counter.count(HELLO)
    assert (first.initialized, second.initialized) == (1, 1)
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
