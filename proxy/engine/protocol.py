"""What we write to the CLI: control requests and message lines, as it expects them on stdin. Pure.

Shapes measured on Claude Code 2.1.330; control requests as in the TypeScript SDK's `sdk.d.ts`. Every line of a caller's
is marked `client_composed`: without it the CLI reads files named by `@path` and runs `/commands` in a prompt.
"""

from ..events import Block, JsonObject, Media, Message, Text, ToolCall, ToolResult


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


def user_line(message: Message, uuid: str, *, query: bool) -> JsonObject:
    """A user message; `query` False appends it to the conversation without asking for an answer.

    `uuid` must never have been used in this process: the CLI drops a repeated one without a word.
    """
    line: JsonObject = {
        "type": "user",
        "message": {"role": "user", "content": content(message)},
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


def answered_calls(line: JsonObject) -> list[str]:
    """The ids of the calls whose results this line tells: those we gave, and those the CLI made up by itself."""
    if line.get("type") != "user":
        return []
    blocks = line["message"]["content"]
    return [block["tool_use_id"] for block in blocks if isinstance(block, dict) and block.get("type") == "tool_result"]


def content(message: Message) -> list[JsonObject]:
    """The message's blocks in the Messages API's own shape."""
    return [block(item) for item in message.content]


def block(item: Block) -> JsonObject:
    """One content block, as the Messages API has it."""
    match item:
        case Text(text):
            return {"type": "text", "text": text}
        case Media():
            return _media(item)
        case ToolCall(id, name, arguments):
            return {"type": "tool_use", "id": id, "name": name, "input": arguments}
        case ToolResult(call_id, parts):
            return {"type": "tool_result", "tool_use_id": call_id, "content": [block(part) for part in parts]}


def _media(item: Media) -> JsonObject:
    if item.url is not None:
        source: JsonObject = {"type": "url", "url": item.url}
    elif item.media_type == "text/plain":
        source = {"type": "text", "media_type": "text/plain", "data": item.data}
    else:
        source = {"type": "base64", "media_type": item.media_type, "data": item.data}
    media: JsonObject = {"type": item.kind, "source": source}
    return {**media, "title": item.title} if item.title and item.kind == "document" else media
