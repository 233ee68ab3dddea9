"""The client's tools as an MCP server: JSON-RPC in, JSON-RPC out."""

from typing import Any

import pytest
from engine.turns import LOOK, PNG, SEEK

from claude_max.proxy.engine.wire import mcp
from claude_max.proxy.events import Media, Text, ToolResult


def reply(method: str | None, **params: Any) -> dict[str, Any]:
    return mcp.reply({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}, "a", (LOOK, SEEK))


def test_initialize_speaks_the_version_it_is_asked_for() -> None:
    assert reply("initialize", protocolVersion="2025-06-18") == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "a", "version": "1"},
        },
    }


def test_the_list_shows_every_tool_as_it_was_given() -> None:
    found = reply("tools/list")["result"]["tools"]
    assert [(t["name"], t["description"], t["inputSchema"]) for t in found] == [
        ("look", "Looks", LOOK.parameters), ("seek", "Seeks", SEEK.parameters),
    ]  # fmt: skip
    assert all(t["annotations"] == {"readOnlyHint": True} for t in found)
    assert all(t["_meta"] == {"anthropic/alwaysLoad": True} for t in found)


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "ping", None])
def test_what_needs_no_answer_gets_an_empty_one(method: str | None) -> None:
    assert reply(method) == {"jsonrpc": "2.0", "id": 7, "result": {}}


@pytest.mark.parametrize("method", ["resources/list", "prompts/get", "tools/unknown"])
def test_the_rest_is_not_served(method: str) -> None:
    assert reply(method)["error"] == {"code": -32601, "message": f"{method} is not served"}


META = {"claudecode/toolUseId": "toolu_1"}


@pytest.mark.parametrize(
    ("rpc", "expected"),
    [
        ({"method": "tools/call", "params": {"name": "look", "_meta": META}}, "toolu_1"),
        ({"method": "tools/list", "params": {"_meta": META}}, None),
        ({"method": "tools/call", "params": {"_meta": {"claudecode/toolUseId": 5}}}, None),
        ({"method": "tools/call", "params": {}}, None),
        ({"method": "tools/call", "params": None}, None),
        ({"method": "tools/call"}, None),
    ],
)
def test_the_models_own_id_of_a_call(rpc: dict[str, Any], expected: str | None) -> None:
    assert mcp.call_id(rpc) == expected


def test_results() -> None:
    assert mcp.call_result(7, ToolResult("c1", (Text("t"), PNG))) == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {
            "content": [{"type": "text", "text": "t"}, {"type": "image", "data": "aGk=", "mimeType": "image/png"}],
            "isError": False,
        },
    }
    assert mcp.call_result("x", ToolResult("c1", ()))["result"] == {"content": [], "isError": False}


@pytest.mark.parametrize(
    ("part", "fits"),
    [
        (Text("t"), True), (PNG, True), (Media("image", url="https://x"), False),
        (Media("document", "application/pdf", "aGk="), False),
    ],
)  # fmt: skip
def test_what_mcp_can_carry(part: Text | Media, fits: bool) -> None:
    assert mcp.fits(ToolResult("c1", (Text("t"), part))) is fits
    assert mcp.fits(ToolResult("c1", ()))
