"""The lines we write: every kind of block, and the marks that keep a caller's text from being a command."""

from dataclasses import replace

import pytest
from engine.turns import LOOK, PLAIN, PNG, called, results, said, user

from claude_max.proxy.engine.wire import protocol
from claude_max.proxy.events import (
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

PNG_BLOCK = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}

BLOCKS: list[tuple[Block, JsonObject]] = [
    (Text("hi @/etc/hostname"), {"type": "text", "text": "hi @/etc/hostname"}),
    (PNG, PNG_BLOCK),
    (Media("image", url="https://x/y"), {"type": "image", "source": {"type": "url", "url": "https://x/y"}}),
    (Media("image", "image/png", "aGk=", title="ignored"), PNG_BLOCK),
    (
        Media("document", "application/pdf", "aGk=", title="a.pdf"),
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
            "title": "a.pdf",
        },
    ),
    (
        Media("document", "text/plain", "words"),
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
    ),
    (ToolCall("c1", "look", {"q": 1}), {"type": "tool_use", "id": "c1", "name": "look", "input": {"q": 1}}),
    (
        ToolResult("c1", (Text("t"), PNG)),
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "t"}, PNG_BLOCK]},
    ),
    (ToolResult("c1", ()), {"type": "tool_result", "tool_use_id": "c1", "content": []}),
    (
        ToolResult("c1", (Text("no"),), is_error=True),
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "no"}], "is_error": True},
    ),
    (
        ToolResult("c1", (OpaqueBlock({"type": "search_result", "x": 1}),)),
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "search_result", "x": 1}]},
    ),
    (Thinking("hm", "c2ln"), {"type": "thinking", "thinking": "hm", "signature": "c2ln"}),
    (RedactedThinking("abc"), {"type": "redacted_thinking", "data": "abc"}),
    (OpaqueBlock({"type": "new", "b": 1, "a": None}), {"type": "new", "b": 1, "a": None}),
]
MARKED: list[Text | Media | ToolCall | ToolResult] = [
    Text("t", cache="5m"), Media("image", url="https://x", cache="5m"), ToolCall("c1", "look", {}, cache="5m"),
    ToolResult("c1", (), cache="5m"), ToolResult("c1", (), is_error=True, cache="5m"),
]  # fmt: skip
MARKS: list[tuple[CacheMark, JsonObject]] = [
    ("5m", {"type": "ephemeral"}), ("1h", {"type": "ephemeral", "ttl": "1h"}),
]  # fmt: skip


@pytest.mark.parametrize(("item", "expected"), BLOCKS)
def test_blocks_are_as_the_messages_api_has_them(item: Block, expected: JsonObject) -> None:
    assert protocol.block(item) == expected


@pytest.mark.parametrize("message", [user("/clear"), user("a", "b"), results("c1"), Message("user", (PNG,))])
@pytest.mark.parametrize("query", [True, False])
def test_every_user_line_is_marked_as_composed(message: Message, query: bool) -> None:
    line = protocol.user_line(protocol.content(message), "u1", query=query)
    assert line["client_composed"] is True
    assert line.get("shouldQuery", True) is query
    assert (line["type"], line["uuid"], line["session_id"]) == ("user", "u1", "default")
    assert line["message"] == {"role": "user", "content": protocol.content(message)}
    assert line["parent_tool_use_id"] is None


def test_a_line_of_plain_text() -> None:
    line = protocol.user_line("/clear @/etc/hostname", "u1", query=True)
    assert line["message"] == {"role": "user", "content": "/clear @/etc/hostname"}
    assert line["client_composed"] is True


@pytest.mark.parametrize("item", MARKED, ids=lambda item: type(item).__name__)
@pytest.mark.parametrize(("mark", "expected"), MARKS)
def test_a_cache_mark_is_the_only_difference(
    item: Text | Media | ToolCall | ToolResult, mark: CacheMark, expected: JsonObject
) -> None:
    marked = protocol.block(replace(item, cache=mark))
    plain = protocol.block(replace(item, cache=None))
    assert "cache_control" not in plain
    assert marked == {**plain, "cache_control": expected}


def test_a_mark_within_a_result_stays_within() -> None:
    result = protocol.block(ToolResult("c1", (Text("t", cache="1h"),)))
    assert "cache_control" not in result
    assert result["content"][0]["cache_control"]["ttl"] == "1h"


WEB = ServerTool({"type": "web_search_20250305", "name": "web_search", "max_uses": 3})
TOOLS: list[tuple[Tool | ServerTool, JsonObject]] = [
    (LOOK, {"name": "look", "description": "Looks", "input_schema": PLAIN}),
    (Tool("look", "", PLAIN), {"name": "look", "input_schema": PLAIN}),
    (replace(LOOK, strict=True), {"name": "look", "description": "Looks", "input_schema": PLAIN, "strict": True}),
    (replace(LOOK, strict=False), {"name": "look", "description": "Looks", "input_schema": PLAIN, "strict": False}),
    (
        replace(LOOK, cache="5m"),
        {"name": "look", "description": "Looks", "input_schema": PLAIN, "cache_control": {"type": "ephemeral"}},
    ),
    (WEB, WEB.json),
]


@pytest.mark.parametrize(("tool", "expected"), TOOLS)
def test_a_tool_is_as_the_messages_api_has_it(tool: Tool | ServerTool, expected: JsonObject) -> None:
    assert protocol.api_tools([tool]) == [expected]


def test_tools_keep_their_order_and_lose_a_strict_that_is_refused() -> None:
    found = protocol.api_tools([replace(LOOK, strict=True), WEB, Tool("a", "", PLAIN)], strict=False)
    assert [tool["name"] for tool in found] == ["look", "web_search", "a"]
    assert all("strict" not in tool for tool in found)


def test_the_order_of_a_tools_schema_stays() -> None:
    parameters = {"type": "object", "properties": {"steps": {}, "answer": {}}, "required": ["steps"]}
    (found,) = protocol.api_tools([Tool("a", "", parameters)])
    assert list(found["input_schema"]["properties"]) == ["steps", "answer"]


def test_a_message_in_the_services_shape() -> None:
    assert protocol.api_message(called("c1", text="well", q=1)) == {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "well"},
            {"type": "tool_use", "id": "c1", "name": "look", "input": {"q": 1}},
        ],
    }


def test_an_assistant_line_never_asks() -> None:
    assert protocol.assistant_line(called("c1", text="well")) == {
        "type": "assistant",
        "message": {"role": "assistant", "content": protocol.content(called("c1", text="well"))},
        "parent_tool_use_id": None,
        "session_id": "default",
    }
    assert protocol.assistant_line(said("x"))["message"]["content"] == [{"type": "text", "text": "x"}]


def test_control_lines() -> None:
    assert protocol.control_request("r1", "initialize", hooks={}) == {
        "type": "control_request",
        "request_id": "r1",
        "request": {"subtype": "initialize", "hooks": {}},
    }
    assert protocol.mcp_response("r2", {"id": 1})["response"] == {
        "subtype": "success",
        "request_id": "r2",
        "response": {"mcp_response": {"id": 1}},
    }
    assert protocol.control_refusal("r3", "no")["response"] == {"subtype": "error", "request_id": "r3", "error": "no"}
