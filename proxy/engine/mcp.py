"""The client's tools as an MCP server that lives on the CLI's stdin and stdout. Pure.

The CLI sends JSON-RPC (MCP spec, 2025-06-18: `initialize`, `tools/list`, `tools/call`) inside control requests. Every
method but `tools/call` is answered here at once; a call is the client's to answer, so it stays open.
"""

from collections.abc import Sequence

from ..events import JsonObject, Media, Text, Tool, ToolResult

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


def call_id(rpc: JsonObject) -> str | None:
    """The model's own id of a `tools/call`, None for every other method."""
    if rpc.get("method") != "tools/call":
        return None
    meta = (rpc.get("params") or {}).get("_meta") or {}
    found = meta.get("claudecode/toolUseId")
    return found if isinstance(found, str) else None


def call_result(rpc_id: object, result: ToolResult) -> JsonObject:
    """The JSON-RPC response that hands a tool's result to the CLI."""
    content = [_part(part) for part in result.content]
    return {"jsonrpc": "2.0", "id": rpc_id, "result": {"content": content, "isError": False}}


def fits(result: ToolResult) -> bool:
    """Whether MCP can carry this result: text and base64 images; documents and images by URL have no such form."""
    return all(isinstance(part, Text) or (part.kind == "image" and part.data is not None) for part in result.content)


def _part(part: Text | Media) -> JsonObject:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "image", "data": part.data, "mimeType": part.media_type}
