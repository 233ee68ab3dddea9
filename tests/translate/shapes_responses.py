"""Requests to the Responses API as clients send them, and what each becomes. No tests here; docs/ has a table of it."""

from typing import Any

from harness.shape import Shape
from translate.chat_bodies import OBJECT, PNG
from translate.shapes import FOUND, JPEG, LOOK, MISSING, U_HI, a, has, u

from claude_max.proxy.events import Media, Text, Tool, ToolCall, ToolChoice, ToolResult
from claude_max.proxy.translate.common.conversation import NO_CALL
from claude_max.proxy.translate.common.names import api_name

HI = {"role": "user", "content": "hi"}
X = {"role": "assistant", "content": "x"}
CALL = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "found"}


def said(*items: Any) -> dict[str, Any]:
    return {"input": list(items)}


def image(url: Any) -> dict[str, Any]:
    return said({"role": "user", "content": [{"type": "input_image", "image_url": url}]})


def tool(name: str = "look", **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, **more}


RESPONSES: dict[str, Shape] = {
    "system only": Shape(
        "`developer` messages and nothing else", "the last is given as the user's message",
        said({"role": "developer", "content": "A"}), {"system": "", "messages": (u("A"),)},
        "system text sent as the user message",
    ),
    "assistant first": Shape(
        "an assistant message first", "a user message is put before it",
        said(X, HI), {}, "user message added",
    ),
    "assistant last": Shape(
        "an assistant message last", "the model continues it; one that cannot gets a short user message",
        said(HI, {"role": "assistant", "content": "Once \n"}),
        {"messages": (U_HI, a("Once")), "ask_to_continue": True},
    ),
    "call without output": Shape(
        "a call without an output (an agent that was stopped)", "the model is told that there is none",
        said(HI, CALL, HI), {"messages": (U_HI, a(LOOK), u(MISSING, "hi"))}, "call c1 has no result",
    ),
    "output without call": Shape(
        "an output whose call is not there, as after a history is cut", "it is given as text",
        said(HI, X, {**OUTPUT, "call_id": "gone"}), {"messages": (U_HI, a("x"), u(NO_CALL, "found"))},
        "result without its call",
    ),
    "repeated output": Shape(
        "two outputs for one call", "the last one counts",
        said(HI, CALL, {**OUTPUT, "output": "running"}, HI, OUTPUT), {"messages": (U_HI, a(LOOK), u(FOUND, "hi"))},
        "repeated output",
    ),
    "output before its call": Shape(
        "an output before its call", "it is moved behind it",
        said(HI, OUTPUT, CALL), {"messages": (U_HI, a(LOOK), u(FOUND))}, "output before its call",
    ),
    "repeated call ids": Shape(
        "one id for the calls of two answers (`call_0`)", "each has its own output",
        said(HI, CALL, {**OUTPUT, "output": "one"}, CALL, {**OUTPUT, "output": "two"}, HI),
        {"turns": 5}, "ids of calls",
    ),
    "late output": Shape(
        "an output behind a later message", "it is moved behind its call",
        said(HI, CALL, HI, OUTPUT), {"messages": (U_HI, a(LOOK), u(FOUND, "hi"))}, "late output",
    ),
    "output without id": Shape(
        "an output without `call_id`", "it belongs to the first open call",
        said(HI, CALL, {**OUTPUT, "call_id": None}), {"messages": (U_HI, a(LOOK), u(FOUND))}, "result without an id",
    ),
    "call without id": Shape(
        "a call without `call_id`", "it is given one",
        said(HI, {**CALL, "call_id": None}), {}, "call without an id",
    ),
    "output without content": Shape(
        "`output: null`", "an empty result",
        said(HI, CALL, {**OUTPUT, "output": None}), {"messages": (U_HI, a(LOOK), u(ToolResult("c1", ())))},
        "output without content",
    ),
    "repeated item ids": Shape(
        "two items of one `id`", "carried", said({**HI, "id": "m"}, {**X, "id": "m"}, HI),
        {"messages": (U_HI, a("x"), U_HI)}, "given twice",
    ),
    "any call id": Shape(
        "call ids with signs that the service does not take", "carried under another id",
        said(HI, {**CALL, "call_id": "a:b|1"}, {**OUTPUT, "call_id": "a:b|1"}), {"turns": 3},
        "ids of calls",
    ),
    "arguments as an object": Shape(
        "`arguments` as an object", "carried",
        said(HI, {**CALL, "arguments": {"q": 1}}, OUTPUT),
        {"messages": (U_HI, a(ToolCall("c1", "look", {"q": 1})), u(FOUND))},
    ),
    "arguments null": Shape(
        '`arguments: null`, `"[]"`, or no JSON', "an empty object, or the text as it is",
        said(HI, {**CALL, "arguments": None}, OUTPUT, {**CALL, "call_id": "c2", "arguments": "{a"},
             {**OUTPUT, "call_id": "c2"}),
        {"messages": (U_HI, a(LOOK), u(FOUND), a(ToolCall("c2", "look", {"arguments": "{a"})),
                      u(ToolResult("c2", (Text("found"),))))},
    ),
    "image labelled wrongly": Shape(
        "a JPEG labelled `image/png`", "labelled as what it is", image(f"data:image/png;base64,{JPEG}"),
        {"messages": (u(Media("image", "image/jpeg", JPEG)),)}, "is really image/jpeg",
    ),
    "bare base64": Shape(
        "bare base64 as an image's URL", "carried", image(PNG), {"messages": (u(Media("image", "image/png", PNG)),)},
        "bare base64",
    ),
    "image of chat": Shape(
        "`image_url` as an object (chat completions)", "carried", image({"url": f"data:image/png;base64,{PNG}"}),
        {"messages": (u(Media("image", "image/png", PNG)),)}, "form of chat completions",
    ),
    "base64 in lines": Shape(
        "base64 with line breaks", "carried without them", image(f"data:image/png;base64,{PNG[:40]}\r\n{PNG[40:]}"),
        {"messages": (u(Media("image", "image/png", PNG)),)}, "non-standard base64",
    ),
    "tool name with a dot": Shape(
        "tool names with `.`, `/` or spaces", "sent under another name, and reported under their own",
        {"tools": [tool("a.b/c d", parameters=OBJECT)], "tool_choice": {"type": "function", "name": "a.b/c d"}},
        {"tools": (Tool(api_name("a.b/c d"), "", OBJECT),), "tool_choice": ToolChoice("named", api_name("a.b/c d"))},
        "tools[0].name: sent under another name",
    ),
    "tool of chat": Shape(
        "a tool in the form of chat completions", "carried",
        {"tools": [{"type": "function", "function": {"name": "look", "parameters": OBJECT}}]},
        {"tools": (Tool("look", "", OBJECT),)}, "form of chat completions",
    ),
    "many tools": Shape(
        "more than 128 tools", "carried", {"tools": [tool(f"t{n}", parameters=OBJECT) for n in range(200)]},
        {"tools": tuple(Tool(f"t{n}", "", OBJECT) for n in range(200))},
    ),
    "tuples of draft 7": Shape(
        "a tool's `items: […]` (draft 7)", "`prefixItems`",
        {"tools": [tool(parameters={"properties": {"a": {"type": "array", "items": [{"type": "string"}]}}})]},
        has({"a": {"type": "array", "prefixItems": [{"type": "string"}]}}), "draft 2020-12",
    ),
    "nullable": Shape(
        "a schema of the answer with `nullable: true`", "a type `null`",
        {"text": {"format": {"type": "json_schema", "name": "x",
                             "schema": {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}}}},
        {"schema": {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}}, "draft 2020-12",
    ),
    "tool_choice any": Shape(
        '`tool_choice: "any"`', "as `required`", {"tools": [tool(parameters=OBJECT)], "tool_choice": "any"},
        {"tool_choice": ToolChoice("required")},
    ),
    "tool_choice of chat": Shape(
        "`tool_choice` in the form of chat completions", "as the function by its name",
        {"tools": [tool(parameters=OBJECT)], "tool_choice": {"type": "function", "function": {"name": "look"}}},
        {"tool_choice": ToolChoice("named", "look")},
    ),
    "whole numbers": Shape(
        "`max_output_tokens: 4096.0`", "taken as a whole number", {"max_output_tokens": 4096.0}, {"max_tokens": 4096},
        "max_output_tokens: whole number",
    ),
    "prewarm": Shape(
        "`prompt_cache_options.prewarm`", "one token is asked for, and left out of the answer",
        {"prompt_cache_options": {"prewarm": True}}, {"max_tokens": 1}, "one token asked for and left out",
    ),
    "no limit": Shape(
        "`max_output_tokens: -1`", "no limit", {"max_output_tokens": -1}, {"max_tokens": None}, "no limit",
    ),
}  # fmt: skip
