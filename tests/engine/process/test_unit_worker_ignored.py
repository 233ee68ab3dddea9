"""Answers to a body that the CLI did not send: never passed off as the client's, by the first process or the last."""

import asyncio

import pytest
from engine.fake_process import FakeProcess
from engine.stream_lines import RESULT, Line, call, end, start, text, thinking
from engine.turned import ASK, FAILED, cut, proved, ready, run, shown, until
from engine.turns import by_lines, turn, user, wants

from claude_max.proxy import errors
from claude_max.proxy.engine.process.channel import Unconfirmed
from claude_max.proxy.engine.process.worker import Worker
from claude_max.proxy.events import Event, Started, ToolCallStarted


async def first_events(worker: Worker, process: FakeProcess, *lines: Line) -> tuple[list[Event], "asyncio.Task[None]"]:
    """What is shown of an answer while it goes on."""
    found: list[Event] = []
    process.answers.append(lines)

    async def collect() -> None:
        async for each in worker.run(wants(ASK)):
            found.append(each)  # noqa: PERF401 - looked at on the way

    task = asyncio.create_task(collect())
    await until(lambda: process._out.empty() and worker.channel._inbox.empty)
    for _ in range(10):
        await asyncio.sleep(0)
    return found, task


async def test_the_first_answer_of_a_process_is_held_until_it_is_longer_than_an_ignored_one() -> None:
    process = FakeProcess()
    worker = await ready(process)
    lines = [start(), *thinking(), *text("one", "two", index=1)]
    found, task = await first_events(worker, process, *lines[:-2])
    assert found == []
    process.says(*lines[-2:], *end(), RESULT)
    await task
    assert shown(found) == "onetwo"
    assert await worker.finish_turn()
    found, task = await first_events(worker, process, start())
    assert [type(each) for each in found] == [Started], "the next one is not held"
    process.says(*text("x"), *end(), RESULT)
    await task
    await worker.close()


async def test_a_call_is_no_answer_to_the_trigger() -> None:
    process = FakeProcess()
    worker = await ready(process)
    found, task = await first_events(worker, process, start(), *call("c1", "look", "{}")[:1])
    assert [type(each) for each in found] == [Started, ToolCallStarted]
    process.says(*call("c1", "look", "{}")[1:], *end("tool_use"), RESULT)
    await task
    assert await worker.finish_turn()
    await worker.close()


@pytest.mark.parametrize(
    ("limit", "output", "ignored"),
    [(None, 1, True), (5, 1, True), (2, 1, True), (None, 0, True), (1, 2, True), (1, 1, False), (5, 5, False),
     (2, 2, False)],
)  # fmt: skip
async def test_a_body_that_was_ignored_is_never_passed_off_as_an_answer(
    limit: int | None, output: int, ignored: bool
) -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append(cut(output))
    want = wants(turn(user("a"), max_tokens=limit))
    if ignored:
        with pytest.raises(errors.CompositionIgnored, match="CLAUDE_CODE_EXTRA_BODY"):
            await run(worker, want)
    else:
        assert shown(await run(worker, want)) == "x"
    await worker.finish_turn()
    await worker.close()


@pytest.mark.parametrize("is_proved", [False, True])
@pytest.mark.parametrize("said", [text("Hi"), thinking("Hm"), call("c1", "look", "{}")])
async def test_a_limit_of_one_token_leaves_no_room_for_an_answer_that_ends_by_itself(
    said: list[Line], is_proved: bool
) -> None:
    process = FakeProcess()
    worker = await (proved if is_proved else ready)(process)
    process.answers.append([start(), *said, *end(output_tokens=1), RESULT])
    with pytest.raises(errors.CompositionIgnored, match="CLAUDE_CODE_EXTRA_BODY"):
        await run(worker, wants(turn(user("a"), max_tokens=1)))
    await worker.finish_turn()
    await worker.close()


async def test_an_empty_answer_fits_into_one_token() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append([start(), *end(output_tokens=1), RESULT])
    assert shown(await run(worker, wants(turn(user("a"), max_tokens=1)))) == ""
    assert await worker.finish_turn()
    await worker.close()


async def test_a_short_answer_proves_nothing() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers += [[start(), *text("x"), *end(output_tokens=1), RESULT], cut(1)]
    assert shown(await run(worker, wants(ASK))) == "x"
    assert await worker.finish_turn()
    with pytest.raises(errors.CompositionIgnored):
        await run(worker, wants(ASK))
    await worker.finish_turn()
    await worker.close()


async def test_a_body_that_comes_to_be_ignored_later() -> None:
    """A managed policy may change while a process runs."""
    process = FakeProcess()
    worker = await proved(process)
    process.answers.append(cut(1))
    with pytest.raises(errors.CompositionIgnored):
        await run(worker, wants(ASK))
    await worker.finish_turn()
    await worker.close()


async def test_lines_are_never_held() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append(cut(1))
    assert shown(await run(worker, by_lines(ASK))) == "x"
    await worker.finish_turn()
    await worker.close()


async def test_settings_that_are_refused_ask_nobody() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.refused = {"apply_flag_settings"}
    process.answers.append([FAILED])
    with pytest.raises(Unconfirmed, match="its settings were refused"):
        await run(worker, wants(ASK))
    assert not await worker.finish_turn()
    await worker.close()
