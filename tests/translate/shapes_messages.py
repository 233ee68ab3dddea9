"""Requests to the Messages API as clients send them, and what each becomes. No tests here; docs/ has a table of it."""

from typing import Any

from harness.shape import Shape
from translate.chat_bodies import OBJECT, PNG
from translate.shapes import FOUND, HI, JPEG, LOOK, MISSING, U_HI, a, has, said, u, user

from claude_max.proxy.events import Media, Tool, ToolCall, ToolChoice
from claude_max.proxy.translate.common.conversation import LATE_RESULT, NO_CALL
from claude_max.proxy.translate.common.names import api_name

CALL = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}
EMPTY = {"type": "text", "text": ""}
RESULT = {"type": "tool_result", "tool_use_id": "c1", "content": "found"}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


X = assistant({"type": "text", "text": "x"})


def image(media_type: str, data: str) -> dict[str, Any]:
    return said(user({"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}))


MESSAGES: dict[str, Shape] = {
    "call without result": Shape(
        "a call without a result (a session that was stopped)", "the model is told that there is none",
        said(HI, assistant(CALL), HI), {"messages": (U_HI, a(LOOK), u(MISSING, "hi"))}, "call c1 has no result",
    ),
    "call last": Shape(
        "a call last, as after a crash", "the model is told that it has no result",
        said(HI, assistant(CALL)), {"messages": (U_HI, a(LOOK), u(MISSING))}, "call c1 has no result",
    ),
    "result without call": Shape(
        "a result whose call is not there, as after a history is cut", "it is given as text",
        said(HI, X, user({**RESULT, "tool_use_id": "gone"})), {"messages": (U_HI, a("x"), u(NO_CALL, "found"))},
        "result without its call",
    ),
    "repeated result": Shape(
        "two results for one call", "the last one counts",
        said(HI, assistant(CALL), user({**RESULT, "content": "running"}, RESULT)),
        {"messages": (U_HI, a(LOOK), u(FOUND))}, "repeated result",
    ),
    "late result": Shape(
        "a result after later messages", "it is moved behind its call; if it came last, the model is told",
        said(HI, assistant(CALL), HI, X, user(RESULT)),
        {"messages": (U_HI, a(LOOK), u(FOUND, "hi"), a("x"), u(LATE_RESULT))}, "late result",
    ),
    "system message between": Shape(
        "a system message between a call and its result, first, or before a user message",
        "its text goes into the system prompt",
        said(HI, assistant(CALL), {"role": "system", "content": "Be brief."}, user(RESULT)),
        {"messages": (U_HI, a(LOOK), u(FOUND)), "system": "Be brief."}, "system message moved into the system prompt",
    ),
    "system block with more keys": Shape(
        "a text block of such a message that has other keys too", "its text goes into the system prompt",
        said(HI, X, {"role": "system", "content": [{"type": "text", "text": "Be brief.", "citations": None}]}, HI),
        {"messages": (U_HI, a("x"), U_HI), "system": "Be brief."}, "system message moved into the system prompt",
    ),
    "empty text in a result": Shape(
        "an empty text among the blocks of a result", "left out",
        said(HI, assistant(CALL), user({**RESULT, "content": [EMPTY, {"type": "text", "text": "found"}]})),
        {"messages": (U_HI, a(LOOK), u(FOUND))}, "blank text left out",
    ),
    "name of a call": Shape(
        "a call of a tool whose name the service does not take", "sent under another name",
        said(HI, assistant({**CALL, "name": "a.b"}), user(RESULT)),
        {"messages": (U_HI, a(ToolCall("c1", api_name("a.b"), {})), u(FOUND))}, "names of calls",
    ),
    "any id": Shape(
        "ids that the service does not take", "carried under others",
        said(HI, assistant({**CALL, "id": "a.b:1"}), user({**RESULT, "tool_use_id": "a.b:1"})), {"turns": 3},
        "ids that the service does not take",
    ),
    "repeated ids": Shape(
        "one id for the calls of two answers", "each has its own result",
        said(HI, assistant(CALL), user(RESULT), assistant(CALL), user(RESULT)), {"turns": 5},
        "ids that the service does not take",
    ),
    "no ids": Shape(
        "calls and results without ids", "the first result belongs to the first call",
        said(HI, assistant({**CALL, "id": None}), user({**RESULT, "tool_use_id": None})), {"turns": 3},
        "result without an id",
    ),
    "input as text": Shape(
        "a call's `input` as JSON text", "an object",
        said(HI, assistant({**CALL, "input": '{"q": 1}'}), user(RESULT)),
        {"messages": (U_HI, a(ToolCall("c1", "look", {"q": 1})), u(FOUND))}, "input is not an object",
    ),
    "no input": Shape(
        "a call's `input` left out, null or `[]`", "an empty object",
        said(HI, assistant({**CALL, "input": None}), user(RESULT)), {"messages": (U_HI, a(LOOK), u(FOUND))},
        "input is not an object",
    ),
    "assistant first": Shape(
        "an assistant message first", "a user message is put before it", said(X, HI), {}, "user message added",
    ),
    "assistant last": Shape(
        "an assistant message last", "the model continues it; one that cannot gets a short user message",
        said(HI, X), {"messages": (U_HI, a("x")), "ask_to_continue": True},
    ),
    "white space at the end": Shape(
        "white space at the end of an assistant message that is last", "left out",
        said(HI, assistant({"type": "text", "text": "Once \n"})), {"messages": (U_HI, a("Once"))},
        "white space at the end",
    ),
    "blank texts": Shape(
        "blank texts and empty messages", "left out",
        said(HI, assistant({"type": "text", "text": " "}), user({"type": "text", "text": ""}), HI),
        {"messages": (u("hi", "hi"),)}, "blank text left out",
    ),
    "stop of white space": Shape(
        '`stop_sequences: ["\\n", "END"]`', "the proxy cuts at the blank one; the others go to the service",
        {"stop_sequences": ["\n", "END"]}, {"stop": ("END",)}, "white space cut here",
    ),
    "whole numbers": Shape(
        "`max_tokens: 4096.0`", "taken as a whole number", {"max_tokens": 4096.0}, {"max_tokens": 4096}, "whole number",
    ),
    "prewarm": Shape(
        "`max_tokens: 0` (to fill the prompt cache)", "one token is asked for, and left out of the answer",
        {"max_tokens": 0}, {"max_tokens": 1}, "one token asked for and left out",
    ),
    "image labelled wrongly": Shape(
        "a JPEG labelled `image/png`", "labelled as what it is", image("image/png", JPEG),
        {"messages": (u(Media("image", "image/jpeg", JPEG)),)}, "is really image/jpeg",
    ),
    "base64 in lines": Shape(
        "base64 with line breaks", "carried without them", image("image/png", f"{PNG[:40]}\n{PNG[40:]}"),
        {"messages": (u(Media("image", "image/png", PNG)),)}, "non-standard base64",
    ),
    "tool name with a dot": Shape(
        "tool names with `.`, `/` or spaces", "sent under another name, and reported under their own",
        {"tools": [{"name": "a.b", "input_schema": OBJECT}], "tool_choice": {"type": "tool", "name": "a.b"}},
        {"tools": (Tool(api_name("a.b"), "", OBJECT),), "tool_choice": ToolChoice("named", api_name("a.b"))},
        "tools[0].custom.name: sent under another name",
    ),
    "no input_schema": Shape(
        "a tool without `input_schema`, or without its `type`", "any object is taken",
        {"tools": [{"name": "look"}]}, {"tools": (Tool("look", "", {"type": "object"}),)}, "missing",
    ),
    "tuples of draft 7": Shape(
        "a tool's `items: […]` (draft 7)", "`prefixItems`",
        {"tools": [{"name": "look", "input_schema": {
            "type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}}}]},
        has({"a": {"type": "array", "prefixItems": [{"type": "string"}]}}), "draft 2020-12",
    ),
}  # fmt: skip
