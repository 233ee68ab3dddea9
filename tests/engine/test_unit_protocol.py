"""The lines we write: every kind of block, and the marks that keep a caller's text from being a command."""

import pytest
from engine.turns import PNG, called, results, said, user

from claude_max.proxy.engine.wire import protocol
from claude_max.proxy.events import Block, JsonObject, Media, Message, Text, ToolCall, ToolResult

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
]


@pytest.mark.parametrize(("item", "expected"), BLOCKS)
def test_blocks_are_as_the_messages_api_has_them(item: Block, expected: JsonObject) -> None:
    assert protocol.block(item) == expected


@pytest.mark.parametrize("message", [user("/clear"), user("a", "b"), results("c1"), Message("user", (PNG,))])
@pytest.mark.parametrize("query", [True, False])
def test_every_user_line_is_marked_as_composed(message: Message, query: bool) -> None:
    line = protocol.user_line(message, "u1", query=query)
    assert line["client_composed"] is True
    assert line.get("shouldQuery", True) is query
    assert (line["type"], line["uuid"], line["session_id"]) == ("user", "u1", "default")
    assert line["message"] == {"role": "user", "content": protocol.content(message)}
    assert line["parent_tool_use_id"] is None


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
