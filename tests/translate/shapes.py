"""Requests as real clients send them, and what each becomes. No tests here; docs/ has a table of it.

`given` are fields of a chat request's body, `expected` attributes of its Turn.
"""

import base64
from typing import Any

import orjson
from harness.shape import Shape
from translate.chat_bodies import OBJECT, PNG

from claude_max.proxy.events import Media, Message, Text, Tool, ToolCall, ToolChoice, ToolResult
from claude_max.proxy.translate.chat.tools import INPUT
from claude_max.proxy.translate.common.conversation import LATE_RESULT, NO_CALL, NO_RESULT, OPENING

JPEG = base64.b64encode(b"\xff\xd8\xff\xe0JFIF").decode()
DEEP = '{"a":' * 120 + "1" + "}" * 120
HI = {"role": "user", "content": "hi"}
U_HI = Message("user", (Text("hi"),))


def call(id: Any = "c1", name: str = "look", arguments: Any = "{}") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(*made: dict[str, Any], content: Any = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(made)}


def result(id: Any = "c1", content: Any = "found") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def said(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


def tool(name: str = "look", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def schema(parameters: Any) -> dict[str, Any]:
    return {"tools": [tool(parameters=parameters)]}


def has(properties: Any, **more: Any) -> dict[str, Any]:
    return {"tools": (Tool("look", "", {"type": "object", "properties": properties, **more}),)}


def image(url: str) -> dict[str, Any]:
    return said(user({"type": "image_url", "image_url": {"url": url}}))


def pictured(data: str = PNG, media_type: str = "image/png") -> dict[str, Any]:
    return {"messages": (Message("user", (Media("image", media_type, data),)),)}


def a(*content: Any) -> Message:
    return Message("assistant", tuple(Text(each) if isinstance(each, str) else each for each in content))


def u(*content: Any) -> Message:
    return Message("user", tuple(Text(each) if isinstance(each, str) else each for each in content))


LOOK = ToolCall("c1", "look", {})
CALLING = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}
FOUND = ToolResult("c1", (Text("found"),))
MISSING = ToolResult("c1", (Text(NO_RESULT),), is_error=True)

CONVERSATIONS: dict[str, Shape] = {
    "system only": Shape(
        "a system message and nothing else",
        "it is given as the user's message",
        said({"role": "system", "content": "A"}),
        {"system": "", "messages": (u("A"),)},
        "system text sent as the user message",
    ),
    "developer and system only": Shape(
        "several system or developer messages and nothing else",
        "the last is given as the user's message",
        said({"role": "system", "content": "A"}, {"role": "developer", "content": "B"}),
        {"system": "A", "messages": (u("B"),)},
        "system text sent as the user message",
    ),
    "system last": Shape(
        "a system message after the assistant's last",
        "it is given as the user's message",
        said(HI, {"role": "assistant", "content": "x"}, {"role": "system", "content": "A"}),
        {"system": "", "messages": (U_HI, a("x"), u("A"))},
        "system text sent as the user message",
    ),
    "assistant first": Shape(
        "an assistant message first",
        "a user message is put before it",
        said({"role": "assistant", "content": "x"}, HI),
        {"messages": (u(OPENING), a("x"), U_HI)},
        "user message added",
    ),
    "assistant last": Shape(
        "an assistant message last",
        "the model continues it; one that cannot gets a short user message",
        said(HI, {"role": "assistant", "content": "Once upon \n"}),
        {"messages": (U_HI, a("Once upon"))},
    ),
    "call without result": Shape(
        "a tool call that has no result before the user speaks",
        "the model is told that there is none",
        said(HI, calls(call()), HI),
        {"messages": (U_HI, a(LOOK), u(MISSING, "hi"))},
        "call c1 has no result",
    ),
    "call last": Shape(
        "a tool call last, as after a crash",
        "the model is told that it has no result",
        said(HI, calls(call())),
        {"messages": (U_HI, a(LOOK), u(MISSING))},
        "call c1 has no result",
    ),
    "result without call": Shape(
        "a tool result whose call is not there, as after a history is cut",
        "it is given as text",
        said(HI, {"role": "assistant", "content": "x"}, result("gone")),
        {"messages": (U_HI, a("x"), u(NO_CALL, "found"))},
        "result without its call",
    ),
    "repeated result": Shape(
        "two results for one call",
        "the last one counts",
        said(HI, calls(call()), result(content="running"), result()),
        {"messages": (U_HI, a(LOOK), u(FOUND))},
        "repeated result",
    ),
    "text before result": Shape(
        "a user message between a call and its result",
        "the result is put before it",
        said(HI, calls(call()), HI, result()),
        {"messages": (U_HI, a(LOOK), u(FOUND, "hi"))},
        "late result",
    ),
    "late result": Shape(
        "a result after later messages",
        "it is moved behind its call; if it came last, the model is told",
        said(HI, calls(call()), HI, {"role": "assistant", "content": "x"}, result()),
        {"messages": (U_HI, a(LOOK), u(FOUND, "hi"), a("x"), u(LATE_RESULT))},
        "late result",
    ),
    "text after results": Shape(
        "a user message after the results on every step (OpenClaw)",
        "carried as it is",
        said(HI, calls(call()), result(), HI),
        {"messages": (U_HI, a(LOOK), u(FOUND, "hi"))},
    ),
    "stripped id": Shape(
        "a result whose id lost its signs (`c1` for `c-1`)",
        "it is matched by letters and digits",
        said(HI, calls(call("c-1")), result("c1")),
        {"messages": (U_HI, a(ToolCall("c-1", "look", {})), u(ToolResult("c-1", (Text("found"),))))},
    ),
    "result without id": Shape(
        "a result without `tool_call_id`",
        "it belongs to the first open call",
        said(HI, calls(call()), result(None)),
        {"messages": (U_HI, a(LOOK), u(FOUND))},
        "result without an id",
    ),
    "ids that are numbers": Shape(
        "call ids that are numbers",
        "carried as text",
        said(HI, calls(call(7)), result(7)),
        {"messages": (U_HI, a(ToolCall("7", "look", {})), u(ToolResult("7", (Text("found"),))))},
    ),
    "arguments as an object": Shape(
        "`arguments` as an object",
        "carried",
        said(HI, calls(call(arguments={"q": 1})), result()),
        {"messages": (U_HI, a(ToolCall("c1", "look", {"q": 1})), u(FOUND))},
    ),
    "arguments null": Shape(
        "`arguments: null`",
        "an empty object",
        said(HI, calls(call(arguments=None)), result()),
        {"messages": (U_HI, a(LOOK), u(FOUND))},
    ),
    "arguments of PHP": Shape(
        '`arguments: "[]"` (PHP)',
        "an empty object",
        said(HI, calls(call(arguments="[]")), result()),
        {"messages": (U_HI, a(LOOK), u(FOUND))},
    ),
    "arguments of many levels": Shape(
        "`arguments` of 120 levels, as a model may have written them",
        "carried; of over 190 levels as a text",
        said(HI, calls(call(arguments=DEEP)), result()),
        {"messages": (U_HI, a(ToolCall("c1", "look", orjson.loads(DEEP))), u(FOUND))},
    ),
    "a byte order mark as text": Shape(
        "a text of nothing but U+FEFF",
        "dropped, as any blank text",
        said(HI, {"role": "assistant", "content": "\ufeff"}, HI),
        {"messages": (u("hi", "hi"),)},
    ),
    "thoughts": Shape(
        "assistant parts `thinking` and `reasoning`",
        "dropped and named (`x-claude-max-ignored`); the proxy remembers the model's own thinking",
        said(
            HI,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "reasoning", "text": "hm"},
                    {"type": "output_text", "text": "x"},
                ],
            },
            HI,
        ),
        {"messages": (U_HI, a("x"), U_HI)},
    ),
    "parts of the Responses API": Shape(
        "user parts `input_text` and `input_image`",
        "carried",
        said(
            user(
                {"type": "input_text", "text": "hi"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
            )
        ),
        {"messages": (u("hi", Media("image", "image/png", PNG)),)},
    ),
    "Anthropic's blocks": Shape(
        "Anthropic's `tool_use`, `tool_result` and `image` blocks (Cursor, for models named `claude…`)",
        "carried",
        said(
            HI,
            {"role": "assistant", "content": [CALLING]},
            user(
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "found"}]},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            ),
        ),
        {"messages": (U_HI, a(LOOK), u(FOUND, Media("image", "image/png", PNG)))},
    ),
    "Anthropic's blocks in another order": Shape(
        "a `tool_result` block behind a text, a `tool_use` block before one",
        "moved; a call stands behind what is said, and its result before it",
        said(
            HI,
            {"role": "assistant", "content": [CALLING, {"type": "text", "text": "x"}]},
            user({"type": "text", "text": "y"}, {"type": "tool_result", "tool_use_id": "c1", "content": "found"}),
        ),
        {"messages": (U_HI, a("x", LOOK), u(FOUND, "y"))},
        "results moved before what is said",
    ),
    "Anthropic's tools": Shape(
        "Anthropic's tools and `system` in a chat request",
        "carried",
        {"system": "A", "tools": [{"name": "look", "description": "d", "input_schema": OBJECT}]},
        {"system": "A", "tools": (Tool("look", "d", OBJECT),)},
    ),
    "flat tools": Shape(
        "a tool in the Responses API's form (`name` beside `type`)",
        "carried",
        {"tools": [{"type": "function", "name": "look", "parameters": OBJECT}]},
        {"tools": (Tool("look", "", OBJECT),)},
    ),
    "custom tools": Shape(
        "a custom tool",
        "a function of one text; its calls come back as custom calls",
        {"tools": [{"type": "custom", "custom": {"name": "patch", "description": "d"}}]},
        {"tools": (Tool("patch", "d", INPUT),)},
    ),
    "custom calls": Shape(
        "a past call of a custom tool",
        "carried",
        said(
            HI,
            {
                "role": "assistant",
                "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "p", "input": "x"}}],
            },
            result(),
        ),
        {"messages": (U_HI, a(ToolCall("c1", "p", {"input": "x"})), u(FOUND))},
    ),
    "tool_choice any": Shape(
        '`tool_choice: "any"`, or Anthropic\'s `{"type": "any"}`',
        "as `required`",
        {"tools": [tool()], "tool_choice": {"type": "any"}},
        {"tool_choice": ToolChoice("required")},
    ),
    "tool_choice as a word": Shape(
        '`tool_choice: "any"`',
        "as `required`",
        {"tools": [tool()], "tool_choice": "any"},
        {"tool_choice": ToolChoice("required")},
    ),
    "tool_choice auto": Shape(
        '`tool_choice: {"type": "auto"}`',
        "as `auto`",
        {"tools": [tool()], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        {"tool_choice": ToolChoice("auto", parallel=False)},
    ),
    "tool_choice none": Shape(
        '`tool_choice: {"type": "none"}`',
        "as `none`",
        {"tools": [tool()], "tool_choice": {"type": "none"}},
        {"tool_choice": ToolChoice("none")},
    ),
    "tool_choice tool": Shape(
        'Anthropic\'s `tool_choice: {"type": "tool", "name": …}`',
        "as the function by its name",
        {"tools": [tool()], "tool_choice": {"type": "tool", "name": "look"}},
        {"tool_choice": ToolChoice("named", "look")},
    ),
    "empty functions": Shape(
        "`functions: []` beside `tools`", "the tools count", {"tools": [tool()], "functions": []}, has({})
    ),
    "schema of llama.cpp": Shape(
        "`json_object` with a `schema` (llama.cpp)",
        "as `json_schema`",
        {"response_format": {"type": "json_object", "schema": OBJECT}},
        {"schema": OBJECT, "system": ""},
    ),
    "schema of TGI": Shape(
        "`json_object` with a `value` (TGI)",
        "as `json_schema`",
        {"response_format": {"type": "json_object", "value": OBJECT}},
        {"schema": OBJECT, "system": ""},
    ),
    "speakers": Shape(
        "`name`, where a role has several speakers",
        "each message begins with its speaker's name",
        said({**HI, "name": "Ann"}, {"role": "assistant", "content": "x", "name": "bot"}, {**HI, "name": "Bob"}),
        {"messages": (u("Ann:", "hi"), a("x"), u("Bob:", "hi"))},
    ),
}
