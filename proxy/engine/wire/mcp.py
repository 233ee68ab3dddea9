"""The client's tools as an MCP server on the CLI's stdin and stdout. Pure.

The CLI sends JSON-RPC (MCP spec, 2025-06-18: `initialize`, `tools/list`, `tools/call`) inside control requests. Every
method but `tools/call` is answered here; the client answers a call in its next request. Used by the lines composition.
"""

from collections.abc import Sequence

from ...events import JsonObject, Tool

METHOD_NOT_FOUND = -32601


def reply(rpc: JsonObject, server: str, tools: Sequence[Tool]) -> JsonObject:
    """The JSON-RPC response to anything but `tools/call`; notifications are answered with an empty result."""
    result: JsonObject
    match rpc.get("method"):
        case "initialize":
            params = rpc.get("params") or {}
            result = {
                "protocolVersion": params.get("protocolVersion"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": server, "version": "1"},
            }
        case "tools/list":
            result = {"tools": [declaration(tool) for tool in tools]}
        case str(method) if not method.startswith("notifications/") and method != "ping":
            error = {"code": METHOD_NOT_FOUND, "message": f"{method} is not served"}
            return {"jsonrpc": "2.0", "id": rpc.get("id"), "error": error}
        case _:
            result = {}
    return {"jsonrpc": "2.0", "id": rpc.get("id"), "result": result}


def declaration(tool: Tool) -> JsonObject:
    """A tool as `tools/list` shows it.

    `readOnlyHint` lets the CLI deliver parallel calls at once; `alwaysLoad` keeps the tool from hiding behind a search.
    """
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.parameters,
        "annotations": {"readOnlyHint": True},
        "_meta": {"anthropic/alwaysLoad": True},
    }
