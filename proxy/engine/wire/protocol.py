"""Builds what the CLI reads on stdin: control requests and message lines. Pure.

Shapes measured on Claude Code 2.1.332; control requests as in the TypeScript SDK's `sdk.d.ts`. Every user line is
marked `client_composed`: without it the CLI reads files named by `@path` and runs `/commands` in a prompt.
"""

from collections.abc import Sequence

from ...events import (
    Block,
    CacheMark,
    JsonObject,
    Media,
    Message,
    OpaqueBlock,
    RedactedThinking,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)


def control_request(request_id: str, subtype: str, **fields: object) -> JsonObject:
    """A request of ours; the CLI answers with a `control_response` that carries the same id."""
    return {"type": "control_request", "request_id": request_id, "request": {"subtype": subtype, **fields}}


def mcp_response(request_id: str, rpc: JsonObject) -> JsonObject:
    """Our answer to an `mcp_message` control request of the CLI's; `rpc` is a JSON-RPC response."""
    response = {"subtype": "success", "request_id": request_id, "response": {"mcp_response": rpc}}
    return {"type": "control_response", "response": response}


def control_refusal(request_id: str, why: str) -> JsonObject:
    """Our answer to a control request that we do not serve (a permission prompt, a hook)."""
    return {"type": "control_response", "response": {"subtype": "error", "request_id": request_id, "error": why}}


def user_line(content: str | list[JsonObject], uuid: str, *, query: bool) -> JsonObject:
    """A user message; `query` False appends it to the conversation without asking for an answer.

    `uuid` must never have been used in this process: the CLI silently drops a repeated one.
    """
    line: JsonObject = {
        "type": "user",
        "message": {"role": "user", "content": content},
        "parent_tool_use_id": None,
        "session_id": "default",
        "uuid": uuid,
        "client_composed": True,
    }
    return line if query else {**line, "shouldQuery": False}


def assistant_line(message: Message) -> JsonObject:
    """A past answer, appended to the conversation."""
    return {
        "type": "assistant",
        "message": {"role": "assistant", "content": content(message)},
        "parent_tool_use_id": None,
        "session_id": "default",
    }


def api_message(message: Message) -> JsonObject:
    """The message in the Messages API's own shape."""
    return {"role": message.role, "content": content(message)}


def content(message: Message) -> list[JsonObject]:
    """The message's blocks in the Messages API's own shape."""
    return [block(item) for item in message.content]


def block(item: Block) -> JsonObject:
    """One content block, as the Messages API has it."""
    match item:
        case Text(text, cache):
            return _marked({"type": "text", "text": text}, cache)
        case Media():
            return _marked(_media(item), item.cache)
        case Thinking(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case RedactedThinking(data):
            return {"type": "redacted_thinking", "data": data}
        case ToolCall(id, name, arguments, cache):
            return _marked({"type": "tool_use", "id": id, "name": name, "input": arguments}, cache)
        case ToolResult(call_id, parts, is_error, cache):
            result: JsonObject = {"type": "tool_result", "tool_use_id": call_id, "content": [block(p) for p in parts]}
            return _marked({**result, "is_error": True} if is_error else result, cache)
        case OpaqueBlock(json):
            return json


def api_tools(tools: Sequence[Tool | ServerTool], *, strict: bool = True) -> list[JsonObject]:
    """Tool declarations in the Messages API's own shape, in the client's order; `strict` False leaves that mark out."""
    return [_declared(tool, strict) if isinstance(tool, ServerTool) else _tool(tool, strict) for tool in tools]


def cache_control(mark: CacheMark) -> JsonObject:
    """A prompt cache mark; five minutes is the service's default and needs no `ttl`."""
    return {"type": "ephemeral"} if mark == "5m" else {"type": "ephemeral", "ttl": mark}


def _declared(tool: ServerTool, strict: bool) -> JsonObject:
    return tool.json if strict else {key: value for key, value in tool.json.items() if key != "strict"}


def _tool(tool: Tool, strict: bool) -> JsonObject:
    declared: JsonObject = {"name": tool.name}
    if tool.description:
        declared["description"] = tool.description
    declared["input_schema"] = tool.parameters
    if tool.strict is not None and strict:
        declared["strict"] = tool.strict
    return _marked(declared, tool.cache)


def _marked(value: JsonObject, mark: CacheMark | None) -> JsonObject:
    return value if mark is None else {**value, "cache_control": cache_control(mark)}


def _media(item: Media) -> JsonObject:
    if item.url is not None:
        source: JsonObject = {"type": "url", "url": item.url}
    elif item.media_type == "text/plain":
        source = {"type": "text", "media_type": "text/plain", "data": item.data}
    else:
        source = {"type": "base64", "media_type": item.media_type, "data": item.data}
    media: JsonObject = {"type": item.kind, "source": source}
    return {**media, "title": item.title} if item.title and item.kind == "document" else media
