"""The real Claude Code binary against the scripted API: it must take the answers as it takes the real API's."""

import asyncio
import importlib.util
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from claude_max.proxy.scripted import ScriptedAPI, serve_scripted

SDK = importlib.util.find_spec("claude_agent_sdk")
assert SDK is not None
assert SDK.origin is not None, "a development dependency"
BINARY = Path(SDK.origin).parent / "_bundled/claude"
ARGS = (
    "-p --input-format stream-json --output-format stream-json --verbose --include-partial-messages --setting-sources="
    " --strict-mcp-config --no-session-persistence --model haiku --allowedTools mcp__a --tools"
)
BOUND = 30  # seconds any wait may take; a cold start on a busy machine takes about 1
Line = dict[str, Any]


class Claude:
    """One CLI process; just enough of its protocol for a turn and a client tool."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self.stdin, self.stdout = process, process.stdin, process.stdout

    def send(self, line: Line) -> None:
        self.stdin.write(json.dumps(line).encode() + b"\n")

    async def until(self, stop: Callable[[Line], bool]) -> list[Line]:
        """The lines up to the one that `stop` holds for, answering tool traffic meanwhile."""
        lines: list[Line] = []
        async with asyncio.timeout(BOUND):
            while not lines or not stop(lines[-1]):
                lines.append(json.loads(await self.stdout.readline()))
                if lines[-1]["type"] == "control_request":
                    self.tool_server(lines[-1])
        return lines

    def tool_server(self, asked: Line) -> None:
        rpc = asked["request"]["message"]
        tool = {"name": "get_weather", "inputSchema": {"type": "object"}, "_meta": {"anthropic/alwaysLoad": True}}
        result: Line = {
            "initialize": {
                "protocolVersion": rpc.get("params", {}).get("protocolVersion"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "a", "version": "1"},
            },
            "tools/list": {"tools": [tool]},
            "tools/call": {
                "content": [
                    {"type": "text", "text": "sunny in " + rpc.get("params", {}).get("arguments", {}).get("city", "?")}
                ]
            },
        }.get(rpc.get("method"), {})
        answer = {"mcp_response": {"jsonrpc": "2.0", "id": rpc.get("id"), "result": result}}
        self.send(
            {
                "type": "control_response",
                "response": {"subtype": "success", "request_id": asked["request_id"], "response": answer},
            }
        )

    async def control(self, **request: Any) -> Line:
        self.send({"type": "control_request", "request_id": "r", "request": request})
        return (await self.until(lambda line: line["type"] == "control_response"))[-1]["response"]  # type: ignore[no-any-return]

    def say(self, text: str, **more: Any) -> str:
        name = str(uuid.uuid4())
        message = {"role": "user", "content": text}
        self.send(
            {
                "type": "user",
                "message": message,
                "parent_tool_use_id": None,
                "session_id": "default",
                "uuid": name,
                "client_composed": True,
                **more,
            }
        )
        return name

    async def turn(self, text: str) -> list[Line]:
        self.say(text)
        return await self.until(lambda line: line["type"] == "result")


@asynccontextmanager
async def claude(url: str, home: Path) -> AsyncIterator[Claude]:
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "ANTHROPIC_BASE_URL": url,
        "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-scripted",
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "ENABLE_TOOL_SEARCH": "false",
        "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",
    }
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        BINARY, *ARGS.split(), "", stdin=pipe, stdout=pipe, stderr=nothing, cwd=home, env=settings, limit=2**26
    )
    try:
        yield Claude(process)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), BOUND)


def with_cli(home: Path, scenario: Callable[[ScriptedAPI, Claude], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        api = ScriptedAPI()
        async with serve_scripted(api) as url, claude(url, home) as cli:
            await cli.control(subtype="initialize", systemPrompt=["P"], sdkMcpServers=["a"])
            await scenario(api, cli)

    asyncio.run(run())


def stream(lines: list[Line]) -> list[Line]:
    return [line["event"] for line in lines if line["type"] == "stream_event"]


def said(lines: list[Line]) -> str:
    return "".join(e["delta"].get("text", "") for e in stream(lines) if e["type"] == "content_block_delta")


def test_text_thinking_and_history_go_through_the_rules(tmp_path: Path) -> None:
    async def scenario(api: ScriptedAPI, cli: Claude) -> None:
        past = cli.say("the past", shouldQuery=False)
        await cli.until(lambda line: line.get("command_uuid") == past and line.get("state") == "completed")
        message = {"role": "assistant", "content": [{"type": "text", "text": "was"}]}
        cli.send({"type": "assistant", "message": message, "parent_tool_use_id": None, "session_id": "default"})
        lines = await cli.turn(
            'scripted: {"thinking": "let me see", "text": "one two\\n three", "usage": {"output_tokens": 42}}'
        )
        assert said(lines) == "one two\n three"
        kinds = [event["delta"]["type"] for event in stream(lines) if event["type"] == "content_block_delta"]
        assert kinds == ["thinking_delta"] * 3 + ["signature_delta"] + ["text_delta"] * 3
        assert (lines[-1]["is_error"], lines[-1]["result"], lines[-1]["usage"]["output_tokens"]) == (
            False,
            "one two\n three",
            42,
        )
        again = await cli.turn("and now?")
        assert said(again) == "This is a scripted answer: no model was asked. You said: and now?"
        assert [exchange.status for exchange in api.messages()] == [200, 200]
        roles = [m["role"] for m in api.bodies()[-1]["messages"] if m["role"] != "system"]
        assert roles == ["user", "assistant", "user", "assistant", "user"]
        lost = await cli.turn('scripted: {"text": "a b c", "cut_after": 2}')
        assert (said(lost), lost[-1]["is_error"]) == ("a b", True)

    with_cli(tmp_path, scenario)


def test_tools_are_called_and_then_follows(tmp_path: Path) -> None:
    async def scenario(api: ScriptedAPI, cli: Claude) -> None:
        calls = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]
        lines = await cli.turn(
            "scripted: " + json.dumps({"text": "Let me look.", "call": calls, "then": {"call": calls[:1]}})
        )
        assert (lines[-1]["is_error"], api.arrived) == (False, 3)
        last = json.loads(lines[-1]["result"].removeprefix("results: "))
        assert [each["text"] for each in last] == ["sunny in Paris"]
        two = [
            b
            for m in api.bodies()[1]["messages"]
            for b in m["content"]
            if isinstance(b, dict) and b["type"] == "tool_result"
        ]
        assert [b["content"][0]["text"] for b in two] == ["sunny in Paris", "sunny in Rome"]

    with_cli(tmp_path, scenario)


def test_failures_reach_the_cli_as_the_real_ones_do(tmp_path: Path) -> None:
    async def scenario(_api: ScriptedAPI, cli: Claude) -> None:
        lines = await cli.turn('scripted: {"status": 429, "reset": 4000000000, "claim": "five_hour"}')
        limits = [line["rate_limit_info"] for line in lines if line["type"] == "rate_limit_event"]
        assert [(i["status"], i["resetsAt"], i["rateLimitType"]) for i in limits] == [
            ("rejected", 4000000000, "five_hour")
        ]
        assert (lines[-1]["is_error"], lines[-1]["api_error_status"]) == (True, 429)

    with_cli(tmp_path, scenario)


def test_blocks_of_any_type_go_through_the_cli(tmp_path: Path) -> None:
    redacted = {"type": "redacted_thinking", "data": "x"}
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    content = [redacted, search, found, {"type": "text", "text": "so"}]

    async def scenario(_api: ScriptedAPI, cli: Claude) -> None:
        lines = await cli.turn("scripted: " + json.dumps({"content": content, "stop_sequence": "END"}))
        opened = [event["content_block"] for event in stream(lines) if event["type"] == "content_block_start"]
        assert opened == [redacted, search | {"input": {}}, found, {"type": "text", "text": ""}]
        ended = [event["delta"] for event in stream(lines) if event["type"] == "message_delta"]
        assert ended == [{"stop_reason": "end_turn", "stop_sequence": "END"}]

    with_cli(tmp_path, scenario)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [({"drop": "before_headers"}, None), ({"drop": "after_headers"}, None), ({"status": 529}, 529)],
)
def test_failing_once(tmp_path: Path, wanted: dict[str, Any], status: int | None) -> None:
    async def scenario(api: ScriptedAPI, cli: Claude) -> None:
        lines = await cli.turn("scripted: " + json.dumps({"text": "fine", "once": {**wanted, "times": 9}}))
        assert (said(lines), lines[-1]["is_error"], lines[-1]["api_error_status"]) == ("", True, status)
        assert api.arrived in (1, 2), "a dropped connection is tried once more"

    with_cli(tmp_path, scenario)


def test_the_limits_of_a_plan_reach_the_cli(tmp_path: Path) -> None:
    limits = {
        "status": "allowed_warning",
        "claim": "five_hour",
        "reset": "+60",
        "5h": 0.93,
        "7d": 0.2,
        "5h_surpassed": 0.9,
    }

    async def scenario(_api: ScriptedAPI, cli: Claude) -> None:
        lines = await cli.turn("scripted: " + json.dumps({"text": "fine", "limits": limits}))
        told = [line["rate_limit_info"] for line in lines if line["type"] == "rate_limit_event"]
        assert [(each["status"], each["rateLimitType"], each["utilization"]) for each in told] == [
            ("allowed_warning", "five_hour", 0.93)
        ]
        assert told[0]["unifiedWindows"]["seven_day"]["utilization"] == 0.2

    with_cli(tmp_path, scenario)
