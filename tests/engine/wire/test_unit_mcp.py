"""The client's tools as an MCP server: JSON-RPC in, JSON-RPC out."""

from typing import Any

import pytest
from engine.turns import LOOK, SEEK

from claude_max.proxy.engine.wire import mcp


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
