"""One turn after another on a process that is none: what is written, what is shown, and what is taken back."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest
from engine.fake_process import LONG, SHORT, FakeProcess, worker_on
from engine.stream_lines import RESULT, USAGE, Line, answer, call, end, event, start, text
from engine.turned import ASK, FAILED, HELLO, proved, ready, run, shown, until
from engine.turns import LOOK, by_lines, called, results, talk, turn, user, wants

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.want import Want
from claude_max.proxy.engine.process import worker as module
from claude_max.proxy.engine.process.channel import Unconfirmed
from claude_max.proxy.engine.process.worker import REWINDS, Worker
from claude_max.proxy.events import Event, Finished, Started, Usage
from claude_max.proxy.receipts import Spent

CALL = [*answer(call("c1", "look", "{}"), reason="tool_use"), {**RESULT, "subtype": "error_max_turns"}]


# What is written


async def test_a_new_process_is_initialized_and_reset() -> None:
    process = FakeProcess()
    worker = worker_on(process)
    process.payloads["initialize"] = {"models": [1]}
    await worker.prepare("S")
    assert process.requests("initialize") == [
        {"subtype": "initialize", "systemPrompt": ["S"], "systemPromptSnapshot": False, "hooks": {}}
    ]
    assert process.asked() == ["initialize", "apply_flag_settings"]
    assert (worker.holds.system, worker.cli_info) == ("S", {"models": [1]})
    await worker.close()


async def test_a_warm_up_is_a_turn_without_an_address_and_leaves_nothing() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append([{"type": "result", "is_error": True, "result": "API Error: Invalid URL"}])
    await worker.warm_up()
    assert process.asked() == ["user", "rewind_conversation"]
    process.answers.append(HELLO)
    assert shown(await run(worker, wants(ASK))) == "Hello"
    assert await worker.finish_turn()
    await worker.close()


@pytest.mark.parametrize("said", ["Hello", "API Error: 401 no", "API Error: Connection refused"])
async def test_a_process_that_reaches_somebody_while_idle_is_not_used(said: str) -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append([{"type": "result", "is_error": said != "Hello", "result": said}])
    with pytest.raises(Unconfirmed, match="address was taken away"):
        await worker.warm_up()
    await worker.close()


async def test_a_turn_is_one_write_two_settings_and_a_rewind() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append(HELLO)
    want = wants(ASK, "u1")
    events = await run(worker, want)
    assert isinstance(events[0], Started)
    assert shown(events) == "Hello"
    assert isinstance(events[-1], Finished)
    assert await worker.finish_turn()
    assert process.sends == [2, 1]
    assert process.asked() == ["apply_flag_settings", "user", "apply_flag_settings", "rewind_conversation"]
    settings = process.requests("apply_flag_settings")
    assert settings[1]["settings"] == {"env": {"CLAUDE_CODE_EXTRA_BODY": "", "ANTHROPIC_BASE_URL": None}}
    assert process.requests("rewind_conversation")[0]["target_message_uuid"] == "u1"
    line = process.written[1]
    assert (line["uuid"], line["message"]["content"], line["client_composed"]) == ("u1", want.trigger, True)
    await worker.close()


async def test_another_system_prompt_is_confirmed_before_the_question() -> None:
    process = FakeProcess()
    worker = await ready(process, "S")
    process.answers += [HELLO, HELLO]
    for system, steps in (("T", ["set_model"]), ("T", [])):
        await run(worker, wants(turn(user("a"), system=system)))
        assert await worker.finish_turn()
        assert process.asked()[: len(steps)] == steps
        process.written.clear()
    assert worker.holds.system == "T"
    process.refused = {"set_model"}
    with pytest.raises(Unconfirmed):
        await run(worker, wants(turn(user("a"), system="U")))
    assert process.asked() == ["set_model"], "nothing was asked"
    assert not await worker.finish_turn()
    await worker.close()


async def test_the_lines_way_writes_the_history_line_by_line() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append(HELLO)
    await run(worker, by_lines(turn(*talk("a", "b", "c"))))
    assert process.asked() == ["apply_flag_settings", "user", "assistant", "user", "apply_flag_settings"]
    assert await worker.finish_turn()
    lines = [line["uuid"] for line in process.written if line["type"] == "user"]
    rewound = [request["target_message_uuid"] for request in process.requests("rewind_conversation")]
    assert rewound == lines[::-1], "the latest first"
    await worker.close()


async def test_a_worker_is_offered_tools_once() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers += [HELLO, HELLO]
    want = by_lines(turn(user("a"), tools=(LOOK,)))
    asking = asyncio.create_task(run(worker, want))
    await until(lambda: bool(process.requests("mcp_set_servers")))
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    asks = {"subtype": "mcp_message", "server_name": "client", "message": rpc}
    process.says({"type": "control_request", "request_id": "q", "request": asks})
    assert shown(await asking) == "Hello"
    assert await worker.finish_turn()
    assert worker.holds == want.holds
    assert shown(await run(worker, by_lines(turn(user("b"), tools=(LOOK,))))) == "Hello"
    assert await worker.finish_turn()
    assert len(process.requests("mcp_set_servers")) == 1
    await worker.close()


async def test_a_conversation_too_long_to_rewind() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append(HELLO)
    await run(worker, by_lines(turn(*talk(*map(str, range(2 * REWINDS + 1))))))
    assert not await worker.finish_turn()
    assert not process.requests("rewind_conversation")
    await worker.close()


# Ends


async def test_an_error_leaves_a_worker_that_may_be_used_again() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers += [[FAILED], HELLO]
    with pytest.raises(errors.RateLimited, match="slow down"):
        await run(worker, wants(ASK))
    assert await worker.finish_turn()
    assert process.asked() == ["apply_flag_settings", "user", "apply_flag_settings", "rewind_conversation"]
    assert shown(await run(worker, wants(ASK))) == "Hello"
    assert await worker.finish_turn()
    await worker.close()


@pytest.mark.parametrize("payload", [{"rewound": False, "reason": "stale_target"}, {}, {"rewound": "yes"}])
async def test_a_rewind_that_is_not_done(payload: Line) -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append(HELLO)
    process.payloads["rewind_conversation"] = payload
    await run(worker, wants(ASK))
    assert not await worker.finish_turn()
    await worker.close()


@pytest.mark.parametrize("subtype", ["apply_flag_settings", "rewind_conversation"])
async def test_what_is_not_confirmed_is_not_used_again(subtype: str) -> None:
    process = FakeProcess()
    worker = await ready(process, timeouts=SHORT)
    process.answers.append(HELLO)
    process.silent = {subtype}
    await run(worker, wants(ASK))
    assert not await worker.finish_turn()
    await worker.close()


async def leave(worker: Worker, want: Want) -> None:
    """Reads the first event, and leaves."""
    events: AsyncGenerator[Event] = worker.run(want)
    await anext(events)
    await events.aclose()


async def test_a_client_that_leaves_in_mid_stream() -> None:
    process = FakeProcess()
    worker = await proved(process)
    process.answers.append([start(), *text("one", "two")])
    await leave(worker, wants(ASK))
    assert await worker.finish_turn()
    assert process.asked()[-3:] == ["apply_flag_settings", "interrupt", "rewind_conversation"]
    process.answers.append(HELLO)
    assert shown(await run(worker, wants(ASK))) == "Hello", "nothing of the turn before is left"
    assert await worker.finish_turn()
    await worker.close()


async def test_a_client_that_leaves_before_its_line_is_taken_up() -> None:
    """An interrupt sent before that says success and is lost."""
    process = FakeProcess()
    worker = await proved(process)
    process.takes_up = False
    asking = asyncio.create_task(run(worker, wants(ASK, "u9")))
    await until(lambda: "user" in process.asked())
    asking.cancel()
    await asyncio.wait({asking})
    settling = asyncio.create_task(worker.finish_turn())
    for _ in range(20):
        await asyncio.sleep(0)
    assert "interrupt" not in process.asked()
    process.says({"type": "command_lifecycle", "command_uuid": "u9", "state": "started"})
    assert await settling
    assert "interrupt" in process.asked()
    await worker.close()


async def test_the_end_of_a_turn_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FINISH_SECONDS", 0.05)
    process = FakeProcess()
    worker = await proved(process)
    process.answers.append([*answer(text("x"))])
    await run(worker, wants(ASK))
    begun = time.monotonic()
    assert not await worker.finish_turn()
    assert time.monotonic() - begun < 5
    await worker.close()


async def test_a_process_that_dies_before_it_took_the_line_up_is_replaced() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.takes_up = False
    asking = asyncio.create_task(run(worker, wants(ASK)))
    await until(lambda: "user" in process.asked())
    process.dies()
    with pytest.raises(Unconfirmed):
        await asking
    assert not await worker.finish_turn()
    await worker.close()


async def test_a_process_that_dies_later_is_a_failure() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append([start(), *text("one")])
    asking = asyncio.create_task(run(worker, wants(ASK)))
    await until(lambda: bool(process.requests("apply_flag_settings")[1:]))
    process.dies()
    with pytest.raises(errors.CliCrashed):
        await asking
    assert not await worker.finish_turn()
    await worker.close()


async def test_a_silent_process_is_replaced_and_a_silent_model_is_a_failure() -> None:
    process = FakeProcess()
    worker = await ready(process, timeouts=SHORT)
    process.takes_up = False
    with pytest.raises(Unconfirmed, match="no answer to a message"):
        await run(worker, wants(ASK))
    await worker.close()
    process = FakeProcess()
    worker = await ready(process, timeouts=SHORT)
    with pytest.raises(errors.TimedOut, match="Nothing of the model's answer came for"):
        await run(worker, wants(ASK))
    await worker.close()


async def test_a_line_of_an_unknown_shape_is_a_failure_of_the_cli() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append([event("content_block_delta", index=0)])
    with pytest.raises(errors.CliCrashed, match="unknown shape"):
        await run(worker, wants(ASK))
    process.says(RESULT)
    await worker.finish_turn()
    await worker.close()


async def test_a_worker_that_was_written_to_while_idle_serves_nobody() -> None:
    process = FakeProcess()
    worker = await proved(process)
    process.says(start())
    await until(lambda: not worker.alive)
    with pytest.raises(Unconfirmed, match="a turn of its own"):
        await run(worker, wants(ASK))
    assert not await worker.finish_turn()
    assert "user" not in process.asked()
    await worker.close()


async def test_what_the_cli_does_after_the_answer_is_not_the_clients() -> None:
    process = FakeProcess()
    worker = await ready(process)
    again = {"type": "result", "is_error": True, "result": "Invalid URL"}
    process.answers.append([*answer(text("one", "two"), reason="max_tokens"), start(), *text("more"), again])
    events = await run(worker, wants(turn(user("a"), max_tokens=7)))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "max_tokens"
    assert await worker.finish_turn()
    await worker.close()


async def test_a_call_in_the_lines_way_is_interrupted() -> None:
    process = FakeProcess()
    worker = await ready(process)
    process.answers.append(CALL[:-1])
    await run(worker, by_lines(turn(user("a"), called("c0"), results("c0"))))
    await worker.finish_turn()
    assert "interrupt" in process.asked()
    await worker.close()


# The process


async def test_a_new_process_that_says_nothing() -> None:
    process = FakeProcess()
    process.silent = {"initialize"}
    worker = worker_on(process, SHORT)
    with pytest.raises(errors.CliUnavailable, match="said nothing"):
        await worker.prepare("")
    await worker.close()


async def test_a_process_that_is_not_accepted() -> None:
    def accept(info: Line) -> None:
        raise Unconfirmed("another version")

    worker = worker_on(FakeProcess(), LONG, accept)
    with pytest.raises(Unconfirmed, match="another version"):
        await worker.prepare("")
    await worker.close()


async def test_closing_in_mid_turn_interrupts() -> None:
    """A CLI whose stdin closes finishes its answer first."""
    process = FakeProcess()
    worker = await proved(process)
    process.answers.append([start(), *text("one", "two")])
    await leave(worker, wants(ASK))
    await worker.close()
    assert process.asked()[-1] == "interrupt"
    assert process.closing


async def test_closing_after_a_turn_that_could_not_be_ended_interrupts_too() -> None:
    process = FakeProcess()
    worker = await proved(process)
    process.answers.append([start(), *text("one", "two")])
    await leave(worker, wants(ASK))
    worker.channel.fail(errors.ShuttingDown("stop"))
    assert not await worker.finish_turn()
    await worker.close()
    assert process.asked()[-1] == "interrupt"


async def test_what_the_cli_says_of_limits_is_kept_for_the_next_turn() -> None:
    process = FakeProcess()
    worker = await ready(process)
    info = {"status": "rejected", "rateLimitType": "five_hour", "resetsAt": time.time() + 50}
    process.answers += [[{"type": "rate_limit_event", "rate_limit_info": info}, FAILED], [FAILED]]
    for _ in range(2):
        with pytest.raises(errors.RateLimited, match="five-hour limit"):
            await run(worker, wants(ASK))
        assert await worker.finish_turn()
    assert worker.rate_limit == info
    await worker.close()


async def test_what_comes_between_an_answer_and_its_result_is_known_once_settled() -> None:
    process = FakeProcess()
    worker = await ready(process)
    used = {"claude-sonnet-4-5": {"inputTokens": 7, "outputTokens": 9, "costUSD": 0.25, "costBasis": "list"}}
    info = {"status": "allowed", "isUsingOverage": True}
    late = [{"type": "rate_limit_event", "rate_limit_info": info}, {**RESULT, "model_usage_since_last_result": used}]
    process.answers += [[*HELLO[:-1], *late], HELLO]
    await run(worker, wants(ASK))
    assert await worker.finish_turn()
    assert worker.rate_limit == info
    assert worker.spent == Spent(Usage(input=7, output=9), 0.25, "list")
    # What nobody said is not made up: the tokens are those of the answer, without a value.
    await run(worker, wants(ASK))
    assert await worker.finish_turn()
    assert worker.spent is not None
    assert (worker.spent.usage.input, worker.spent.cost) == (USAGE["input_tokens"], None)
    await worker.close()


def test_the_usage_of_these_answers() -> None:
    """More output than `Want.outside`, so that they prove what they are to prove."""
    assert USAGE["output_tokens"] == 1
    assert end()[0]["event"]["usage"]["output_tokens"] > 2
