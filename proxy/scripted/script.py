"""What the scripted model answers to a request body. Pure: the same body and number give the same answer.

A prompt says what it wants answered in `scripted: {JSON}` lines (directive.py has the keys). Without one, the answer is
what the request forces: a call where tool_choice or the system prompt does, an instance where a schema is asked for,
the results of the calls where there are some, and else a text that says no model was asked.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .directive import blocks, drop, failure, found, limits, once
from .directive_keys import CONTENT, DirectiveError
from .limits import limited
from .reply import OVERLOADED, Block, Drop, Failure, Reply, TextBlock, ToolUseBlock, Usage
from .schema import NoInstanceError, minimal_instance

Body = Mapping[str, Any]
_QUOTED = 2000  # maximum characters of the prompt that are quoted back; more would slow the demo
# A system prompt that asks for a call in words, for models that take no forced `tool_choice`.
_INSTRUCTED = re.compile(r"calling the tool `([^`]+)`")


# Keys of a directive that are fields of a Reply.
_SAME = (
    "stop_sequence",
    "pause",
    "event_pause",
    "first_byte",
    "silence",
    "pings",
    "ping_every",
    "chunk",
    "cut_after",
    "error_after",
)


def answer(body: Body, number: int) -> Reply | Failure | Drop:
    """The answer to `body`, a POST /v1/messages that rules.py let through; `number` is its place among them.

    A directive that cannot be followed, or a schema without an instance, is a Failure 400 that names it.
    """
    try:
        directive = _directive(body)
        if directive and "status" in directive:
            return failure(directive)
        if directive and "drop" in directive:
            return drop(directive["drop"], directive.get("first_byte", 0.0))
        reply = _reply(directive or {}, body, number)
    except (DirectiveError, NoInstanceError) as why:
        return Failure(400, "invalid_request_error", str(why))
    return limited(reply, body.get("max_tokens"), body.get("stop_sequences") or ())


def count(body: Body) -> int:
    """What POST /v1/messages/count_tokens answers: the `usage.input_tokens` of the directive in force, else a count."""
    try:
        directive = _directive(body) or {}
    except DirectiveError:
        directive = {}
    return int(directive.get("usage", {}).get("input_tokens", input_tokens(body)))


def input_tokens(body: Body) -> int:
    """What a request costs here: its characters of messages, system and tools, as JSON, by four, rounded up."""
    return math.ceil(sum(len(json.dumps(body[k])) for k in ("messages", "system", "tools") if body.get(k)) / 4)


def _reply(directive: Mapping[str, Any], body: Body, number: int) -> Reply:
    # The conversation is in the id too: a restarted server numbers from 1 again, and a client that kept its history
    # would otherwise be given a second call with an id it already has.
    seed = hashlib.sha256(json.dumps(body.get("messages")).encode()).hexdigest()

    def new_id(index: int) -> str:
        return "toolu_" + hashlib.sha256(f"{seed}:{number}:{index}".encode()).hexdigest()[:24]

    if any(key in directive for key in CONTENT):
        said = blocks(directive, body, new_id)
    elif directive.get("stop_reason") == "refusal":
        said = ()
    else:
        said = _unscripted(body, new_id(0))
    calls = any(isinstance(block, ToolUseBlock) and block.kind == "tool_use" for block in said)
    usage = directive.get("usage", {})
    return Reply(
        said,
        stop_reason=directive.get("stop_reason", "tool_use" if calls else "end_turn"),
        usage=Usage(**{"input_tokens": input_tokens(body), **usage}, measured=not usage.keys() - {"output_tokens"}),
        error=replace(OVERLOADED, **directive.get("error", {})),
        headers={**limits(directive), **directive.get("headers", {})},
        once=once(directive),
        **{key: directive[key] for key in _SAME if key in directive},
    )


def _unscripted(body: Body, call_id: str) -> tuple[Block, ...]:
    """The answer to a request without a directive about content."""
    last = _users(body)[-1:]
    results = _results(last[0]) if last else []
    tools = {tool["name"]: tool for tool in body.get("tools") or ()}
    choice = body.get("tool_choice") or {}
    if choice.get("type") in ("any", "tool") and tools and not results:
        return (_minimal_call(tools[choice.get("name", next(iter(tools)))], call_id),)
    output = (body.get("output_config") or {}).get("format") or {}
    if output.get("type") == "json_schema":
        return (TextBlock(json.dumps(minimal_instance(output.get("schema")), ensure_ascii=False)),)
    instructed = _INSTRUCTED.search(" ".join(str(block.get("text")) for block in body.get("system") or ()))
    if instructed and instructed[1] in tools and not results:
        return (_minimal_call(tools[instructed[1]], call_id),)
    if results:
        return (TextBlock("results: " + json.dumps(results, ensure_ascii=False)),)
    said = _text(last[0]) if last else ""
    quoted = said if len(said) <= _QUOTED else said[:_QUOTED] + "…"
    return (TextBlock(f"This is a scripted answer: no model was asked. You said: {quoted}"),)


def _minimal_call(tool: Mapping[str, Any], call_id: str) -> ToolUseBlock:
    arguments = minimal_instance({**tool.get("input_schema", {}), "type": "object"})
    return ToolUseBlock(call_id, tool["name"], arguments)


def _directive(body: Body) -> dict[str, Any] | None:
    """The directive in force: the last user message's, or the `then` of the one that led to the results in it."""
    users = _users(body)
    if not users:
        return None
    directive = found(_text(users[-1]))
    if directive is not None or not _results(users[-1]):
        return directive
    rounds = 0
    for message in reversed(users):
        directive = found(_text(message))
        if directive is not None or not _results(message):
            break
        rounds += 1
    for _ in range(rounds):
        directive = (directive or {}).get("then")
    return directive


def _users(body: Body) -> list[list[dict[str, Any]]]:
    """The blocks of each user turn: messages in a row are one turn, also with `system` notes between them."""
    turns: list[list[dict[str, Any]]] = []
    open_turn = False
    for message in body.get("messages") or ():
        if message["role"] == "user":
            if not open_turn:
                turns.append([])
            turns[-1] += _blocks(message)
        if message["role"] != "system":
            open_turn = message["role"] == "user"
    return turns


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _text(turn: list[dict[str, Any]]) -> str:
    return "\n".join(block["text"] for block in turn if block.get("type") == "text")


def _results(turn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tool results in a turn, in order: {"id", "text"}, and "is_error" where it is one."""
    return [
        {"id": block["tool_use_id"], "text": _text(_blocks(block))}
        | ({"is_error": True} if block.get("is_error") else {})
        for block in turn
        if block.get("type") == "tool_result"
    ]
