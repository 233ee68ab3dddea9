"""The real Claude Code binary against the scripted API: it must take the answers as it takes the real API's."""

import importlib.util
import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_max.proxy.scripted import ScriptedAPI, scripted_in_thread
from claude_max.proxy.scripted.exchange import Exchange

SDK = importlib.util.find_spec("claude_agent_sdk")
assert SDK is not None
assert SDK.origin is not None, "a development dependency"
BINARY = Path(SDK.origin).parent / "_bundled/claude"
ARGS = (
    "-p --input-format stream-json --output-format stream-json --verbose --include-partial-messages --setting-sources="
    " --strict-mcp-config --no-session-persistence --model haiku --allowedTools mcp__a --tools"
)
BOUND = 30  # seconds until it has ended
Line = dict[str, Any]


class Claude:
    """One CLI process; just enough of its protocol for a turn and a client tool."""

    def __init__(self, process: subprocess.Popen[bytes], api: ScriptedAPI) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.api, self.stdin, self.stdout = api, process.stdin, process.stdout
        self.lines: list[str] = []
        self.before = 0

    def asked(self) -> list[Exchange]:
        """What it asked the service since `again`."""
        return self.api.messages()[self.before :]

    def again(self) -> None:
        """Begins a new conversation: takes everything back that was said, the last line first."""
        while self.lines:
            reply = self.control(subtype="rewind_conversation", target_message_uuid=self.lines.pop())
            assert reply["response"]["rewound"], reply
        self.before = len(self.api.messages())

    def send(self, line: Line) -> None:
        self.stdin.write(json.dumps(line).encode() + b"\n")
        self.stdin.flush()

    def until(self, stop: Callable[[Line], bool]) -> list[Line]:
        """The lines up to the one that `stop` holds for, answering tool traffic meanwhile."""
        lines: list[Line] = []
        while not lines or not stop(lines[-1]):
            lines.append(json.loads(self.stdout.readline()))
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

    def control(self, **request: Any) -> Line:
        self.send({"type": "control_request", "request_id": "r", "request": request})
        return self.until(lambda line: line["type"] == "control_response")[-1]["response"]  # type: ignore[no-any-return]

    def say(self, text: str, **more: Any) -> str:
        name = str(uuid.uuid4())
        self.lines.append(name)
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

    def turn(self, text: str) -> list[Line]:
        self.say(text)
        return self.until(lambda line: line["type"] == "result")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claude]:
    """One process for all tests."""
    home, pipe = tmp_path_factory.mktemp("home"), subprocess.PIPE
    with scripted_in_thread(ScriptedAPI()) as server:
        settings = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "ANTHROPIC_BASE_URL": server.url,
            "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-scripted",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "ENABLE_TOOL_SEARCH": "false",
            "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",
        }
        with subprocess.Popen(
            [BINARY, *ARGS.split(), ""], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=home, env=settings
        ) as process:
            cli = Claude(process, server.api)
            cli.control(subtype="initialize", systemPrompt=["P"], sdkMcpServers=["a"])
            yield cli
            process.terminate()
            process.wait(BOUND)


@pytest.fixture
def cli(started: Claude) -> Claude:
    """The same, with a conversation of the test's own."""
    started.again()
    return started


def stream(lines: list[Line]) -> list[Line]:
    return [line["event"] for line in lines if line["type"] == "stream_event"]


def said(lines: list[Line]) -> str:
    return "".join(e["delta"].get("text", "") for e in stream(lines) if e["type"] == "content_block_delta")


def test_text_thinking_and_history_go_through_the_rules(cli: Claude) -> None:
    past = cli.say("the past", shouldQuery=False)
    cli.until(lambda line: line.get("command_uuid") == past and line.get("state") == "completed")
    message = {"role": "assistant", "content": [{"type": "text", "text": "was"}]}
    cli.send({"type": "assistant", "message": message, "parent_tool_use_id": None, "session_id": "default"})
    lines = cli.turn('scripted: {"thinking": "let me see", "text": "one two\\n three", "usage": {"output_tokens": 42}}')
    assert said(lines) == "one two\n three"
    kinds = [event["delta"]["type"] for event in stream(lines) if event["type"] == "content_block_delta"]
    assert kinds == ["thinking_delta"] * 3 + ["signature_delta"] + ["text_delta"] * 3
    assert (lines[-1]["is_error"], lines[-1]["result"], lines[-1]["usage"]["output_tokens"]) == (
        False,
        "one two\n three",
        42,
    )
    again = cli.turn("and now?")
    assert said(again) == "This is a scripted answer: no model was asked. You said: and now?"
    assert [exchange.status for exchange in cli.asked()] == [200, 200]
    roles = [m["role"] for m in cli.asked()[-1].body["messages"] if m["role"] != "system"]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    lost = cli.turn('scripted: {"text": "a b c", "cut_after": 2}')
    assert (said(lost), lost[-1]["is_error"]) == ("a b", True)


def test_tools_are_called_and_then_follows(cli: Claude) -> None:
    calls = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]
    lines = cli.turn("scripted: " + json.dumps({"text": "Let me look.", "call": calls, "then": {"call": calls[:1]}}))
    assert (lines[-1]["is_error"], len(cli.asked())) == (False, 3)
    last = json.loads(lines[-1]["result"].removeprefix("results: "))
    assert [each["text"] for each in last] == ["sunny in Paris"]
    two = [
        b
        for m in cli.asked()[1].body["messages"]
        for b in m["content"]
        if isinstance(b, dict) and b["type"] == "tool_result"
    ]
    assert [b["content"][0]["text"] for b in two] == ["sunny in Paris", "sunny in Rome"]


def test_failures_reach_the_cli_as_the_real_ones_do(cli: Claude) -> None:
    lines = cli.turn('scripted: {"status": 429, "reset": 4000000000, "claim": "five_hour"}')
    limits = [line["rate_limit_info"] for line in lines if line["type"] == "rate_limit_event"]
    assert [(i["status"], i["resetsAt"], i["rateLimitType"]) for i in limits] == [("rejected", 4000000000, "five_hour")]
    assert (lines[-1]["is_error"], lines[-1]["api_error_status"]) == (True, 429)


def test_blocks_of_any_type_go_through_the_cli(cli: Claude) -> None:
    redacted = {"type": "redacted_thinking", "data": "x"}
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    content = [redacted, search, found, {"type": "text", "text": "so"}]

    lines = cli.turn("scripted: " + json.dumps({"content": content, "stop_sequence": "END"}))
    opened = [event["content_block"] for event in stream(lines) if event["type"] == "content_block_start"]
    assert opened == [redacted, search | {"input": {}}, found, {"type": "text", "text": ""}]
    ended = [event["delta"] for event in stream(lines) if event["type"] == "message_delta"]
    assert ended == [{"stop_reason": "end_turn", "stop_sequence": "END"}]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [({"drop": "before_headers"}, None), ({"drop": "after_headers"}, None), ({"status": 529}, 529)],
)
def test_failing_once(cli: Claude, wanted: dict[str, Any], status: int | None) -> None:
    lines = cli.turn("scripted: " + json.dumps({"text": "fine", "once": {**wanted, "times": 9}}))
    assert (said(lines), lines[-1]["is_error"], lines[-1]["api_error_status"]) == ("", True, status)
    assert len(cli.asked()) in (1, 2), "a dropped connection is tried once more"


def test_the_limits_of_a_plan_reach_the_cli(cli: Claude) -> None:
    limits = {
        "status": "allowed_warning",
        "claim": "five_hour",
        "reset": "+60",
        "5h": 0.93,
        "7d": 0.2,
        "5h_surpassed": 0.9,
    }

    lines = cli.turn("scripted: " + json.dumps({"text": "fine", "limits": limits}))
    told = [line["rate_limit_info"] for line in lines if line["type"] == "rate_limit_event"]
    assert [(each["status"], each["rateLimitType"], each["utilization"]) for each in told] == [
        ("allowed_warning", "five_hour", 0.93)
    ]
    assert told[0]["unifiedWindows"]["seven_day"]["utilization"] == 0.2
