"""Requests to ollama's chat as clients send them, and what each becomes. No tests here; docs/ has a table of it."""

from typing import Any

from harness.shape import Shape
from translate.chat_bodies import OBJECT, PNG
from translate.shapes import HI, JPEG, U_HI, a, said, u

from claude_max.proxy.events import Media, Tool, ToolCall, ToolResult
from claude_max.proxy.translate.common.conversation import NO_CALL
from claude_max.proxy.translate.common.names import api_name


def calls(*made: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": list(made)}


def call(arguments: Any = None, **more: Any) -> dict[str, Any]:
    return {"id": "c1", "function": {"name": "look", "arguments": arguments}, **more}


def result(**more: Any) -> dict[str, Any]:
    return {"role": "tool", "content": "found", **more}


FOUND = u(ToolResult("c1", (u("found").content[0],)))  # type: ignore[arg-type]
LOOK = a(ToolCall("c1", "look", {}))
OLLAMA: dict[str, Shape] = {
    "call without result": Shape(
        "a call without a result", "the model is told that there is none", said(HI, calls(call()), HI), {"turns": 3},
        "has no result",
    ),
    "result without call": Shape(
        "a result whose call is not there", "it is given as text", said(HI, result(tool_name="look")),
        {"messages": (u("hi", NO_CALL, "found"),)}, "result without its call",
    ),
    "repeated result": Shape(
        "two results for one call", "the last one counts",
        said(HI, calls(call()), result(tool_call_id="c1", content="running"), result(tool_call_id="c1")),
        {"messages": (U_HI, LOOK, FOUND)}, "repeated result",
    ),
    "result by its place": Shape(
        "a result that names nothing", "it belongs to the first open call", said(HI, calls(call()), result()),
        {"messages": (U_HI, LOOK, FOUND)},
    ),
    "arguments of PHP": Shape(
        "`arguments: []` (PHP), null, or JSON text", "an object", said(HI, calls(call([])), result()),
        {"messages": (U_HI, LOOK, FOUND)},
    ),
    "assistant last": Shape(
        "an assistant message last", "the model continues it; one that cannot gets a short user message",
        said(HI, {"role": "assistant", "content": "x"}), {"messages": (U_HI, a("x")), "ask_to_continue": True},
    ),
    "stop of white space": Shape(
        '`options.stop: ["\\n", "END"]`', "the proxy cuts at the blank one; the others go to the service",
        {"options": {"stop": ["\n", "END"]}}, {"stop": ("END",)},
    ),
    "whole numbers": Shape(
        "`options.num_predict: 128.0`", "taken as a whole number", {"options": {"num_predict": 128.0}},
        {"max_tokens": 128}, "options.num_predict: whole number",
    ),
    "no limit": Shape("`options.num_predict: -1`", "no limit", {"options": {"num_predict": -1}}, {"max_tokens": None}),
    "any image": Shape(
        "an image of any kind, without its type", "known by its first bytes", said({**HI, "images": [JPEG]}),
        {"messages": (u("hi", Media("image", "image/jpeg", JPEG)),)},
    ),
    "base64 in lines": Shape(
        "base64 with line breaks", "carried without them", said({**HI, "images": [f"{PNG[:40]}\n{PNG[40:]}"]}),
        {"messages": (u("hi", Media("image", "image/png", PNG)),)}, "non-standard base64",
    ),
    "tool name with a dot": Shape(
        "tool names with `.`, `/` or spaces", "sent under another name, and reported under their own",
        {"tools": [{"type": "function", "function": {"name": "a.b", "parameters": OBJECT}}]},
        {"tools": (Tool(api_name("a.b"), "", OBJECT),)}, "sent under another name",
    ),
}  # fmt: skip
