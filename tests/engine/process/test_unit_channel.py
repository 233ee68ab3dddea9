"""Requests and replies, the CLI's own requests, lines that nobody asked for, and ends of every kind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from engine.fake_process import SHORT, FakeProcess, channel_on, control
from engine.stream_lines import RESULT, Line, start
from engine.turns import LOOK

from claude_max.proxy import errors
from claude_max.proxy.engine.process.channel import Channel, NoReply, Unconfirmed

OTHER: Line = {"type": "system", "subtype": "status"}


@pytest.fixture
async def process() -> FakeProcess:
    return FakeProcess()


@pytest.fixture
async def channel(process: FakeProcess) -> AsyncIterator[Channel]:
    made = channel_on(process)
    yield made
    await made.close()


async def read(process: FakeProcess) -> None:
    """Until everything it said has been read."""
    for _ in range(process._out.qsize() + 5):
        await asyncio.sleep(0)
    assert process._out.empty()


async def test_replies_find_their_requests(process: FakeProcess, channel: Channel) -> None:
    process.silent = {"a", "b"}
    tasks = [asyncio.create_task(channel.control(name, x=1)) for name in "ab"]
    await read(process)
    ids = [line["request_id"] for line in process.written]
    for number in (1, 0):
        payload = {"for": number}
        process.says({"type": "control_response", "response": {
            "subtype": "success", "request_id": ids[number], "response": payload,
        }})  # fmt: skip
    assert await asyncio.gather(*tasks) == [{"for": 0}, {"for": 1}]
    assert process.requests("a") == [{"subtype": "a", "x": 1}]


async def test_a_reply_without_a_payload_has_an_empty_one(process: FakeProcess, channel: Channel) -> None:
    process.payloads["a"] = None  # type: ignore[assignment]
    assert await channel.control("a") == {}
    assert await channel.control("b") == {}


async def test_a_refusal_says_why(process: FakeProcess, channel: Channel) -> None:
    process.refused = {"set_model"}
    with pytest.raises(Unconfirmed, match="set_model was refused: not now"):
        await channel.control("set_model")


@pytest.mark.parametrize("subtype", ["initialize", "set_model"])
async def test_silence_is_no_confirmation(process: FakeProcess, subtype: str) -> None:
    channel = channel_on(process, SHORT)
    process.silent = {subtype}
    with pytest.raises(NoReply, match=f"no answer to {subtype}"):
        await channel.control(subtype)
    process.says({"type": "control_response", "response": {"subtype": "success", "request_id": "r1"}})
    await read(process)
    assert channel.alive, "a late reply does no harm"
    await channel.close()


async def test_a_process_that_reads_nothing_is_not_waited_for(process: FakeProcess) -> None:
    """One that is stopped, with more on its stdin than the pipe takes."""
    channel = channel_on(process, SHORT)
    process.reads.clear()
    with pytest.raises(NoReply):
        async with asyncio.timeout(5):
            await channel.send({"type": "assistant"})
    await channel.close()


async def test_lines_come_in_their_order(process: FakeProcess, channel: Channel) -> None:
    process.says(*({"type": "system", "n": n} for n in range(5)))
    assert [(await channel.line(10))["n"] for _ in range(5)] == list(range(5))
    with pytest.raises(TimeoutError):
        await channel.line(0.001)


@pytest.mark.parametrize("kind", ["assistant", "user", "stream_event", "result"])
async def test_a_line_of_a_turn_while_nothing_is_asked_closes_it(
    process: FakeProcess, channel: Channel, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another session of the same user may have written to it; what comes next would be an answer to that."""
    assert channel.alive
    process.says({"type": kind})
    await read(process)
    assert not channel.alive
    for used in (channel.send({"type": "user"}), channel.line(10), channel.control("a")):
        with pytest.raises(errors.CliCrashed, match="a turn of its own"):
            await used
    with pytest.raises(errors.CliCrashed):
        channel.begin_turn()


async def test_other_lines_do_no_harm_while_nothing_is_asked(process: FakeProcess, channel: Channel) -> None:
    process.says(OTHER, {"type": "rate_limit_event"}, {"type": "command_lifecycle"}, {"no": "type"})
    await read(process)
    assert channel.alive
    channel.begin_turn()
    process.says(start())
    assert await channel.line(10) == start(), "what was said before is dropped"


async def test_during_a_turn_they_are_its_lines(process: FakeProcess, channel: Channel) -> None:
    channel.begin_turn()
    process.says(start(), RESULT)
    assert [await channel.line(10), await channel.line(10)] == [start(), RESULT]
    assert channel.alive


async def test_an_end_ends_everything_that_waits(process: FakeProcess, channel: Channel) -> None:
    process.silent = {"a"}
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(channel.control("a")), asyncio.create_task(channel.line(10)),
    ]  # fmt: skip
    await read(process)
    process.dies()
    assert [type(found) for found in await asyncio.gather(*tasks, return_exceptions=True)] == [errors.CliCrashed] * 2
    assert not channel.alive
    with pytest.raises(errors.CliCrashed):
        await channel.line(10)


async def test_a_reply_that_nobody_came_for_is_no_noise(process: FakeProcess) -> None:
    """The event loop of these tests reports each failure that nobody has read."""
    channel = channel_on(process)
    channel.expect("settings")
    process.dies()
    await read(process)
    await channel.close()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"type": "control_response"}, "unknown shape"),
        ({"type": "control_response", "response": None}, "unknown shape"),
        ({"type": "control_request", "request_id": "x"}, "unknown shape"),
        ({"type": "control_request", "request_id": "x", "request": {"subtype": "mcp_message"}}, "unknown shape"),
    ],
)
async def test_a_line_of_an_unknown_shape(process: FakeProcess, channel: Channel, line: Line, words: str) -> None:
    process.says(line)
    with pytest.raises(errors.CliCrashed, match=words):
        await channel.line(10)


async def test_a_line_that_is_no_json(process: FakeProcess, channel: Channel) -> None:
    process.breaks(errors.CliCrashed("The Claude Code CLI wrote nonsense."))
    with pytest.raises(errors.CliCrashed, match="nonsense"):
        await channel.line(10)
    assert not channel.alive


async def test_the_first_failure_stays(process: FakeProcess, channel: Channel) -> None:
    channel.fail(errors.ShuttingDown("stop"))
    process.dies()
    await read(process)
    with pytest.raises(errors.ShuttingDown):
        await channel.line(10)


async def test_permissions_and_hooks_are_refused(process: FakeProcess, channel: Channel) -> None:
    process.says(control("q1", subtype="can_use_tool", tool_name="Bash"))
    await read(process)
    (refusal,) = process.written
    assert refusal["response"]["subtype"] == "error"
    assert refusal["response"]["request_id"] == "q1"
    process.says({"type": "control_cancel_request", "request_id": "q1"})
    await read(process)
    assert channel.alive


async def test_tools_are_offered_until_they_were_asked_for(process: FakeProcess, channel: Channel) -> None:
    offering = asyncio.create_task(channel.offer("client", (LOOK,)))
    await read(process)
    assert not offering.done()
    assert process.requests("mcp_set_servers")[0]["servers"] == {"client": {"type": "sdk", "name": "client"}}
    rpc = {"jsonrpc": "2.0", "id": 3, "method": "tools/list"}
    process.says(control("q1", subtype="mcp_message", server_name="client", message=rpc))
    await offering
    answer = process.written[-1]["response"]["response"]["mcp_response"]
    assert [tool["name"] for tool in answer["result"]["tools"]] == ["look"]


async def test_tools_that_are_never_asked_for(process: FakeProcess) -> None:
    channel = channel_on(process, SHORT)
    with pytest.raises(Unconfirmed, match="did not ask for the tools"):
        await channel.offer("client", (LOOK,))
    await channel.close()


async def test_a_call_of_a_clients_tool_is_left_to_the_client(process: FakeProcess, channel: Channel) -> None:
    rpc = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "look"}}
    process.says(control("q1", subtype="mcp_message", server_name="client", message=rpc))
    await read(process)
    assert process.written == []


async def test_reading_until_a_line_comes(process: FakeProcess) -> None:
    channel = channel_on(process, SHORT)
    process.says(OTHER, {"type": "system", "n": 1})
    await channel.read_until(lambda line: line.get("n") == 1)
    with pytest.raises(Unconfirmed, match="did not come"):
        await channel.read_until(lambda line: line.get("n") == 2)
    await channel.close()
