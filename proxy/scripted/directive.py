"""Parses `scripted: {JSON}` lines in a prompt into the parts of an answer.

Pure. directive_keys.py documents every key. script.py interprets the conversation around a directive.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .directive_keys import DirectiveError, check
from .reply import Block, Drop, Failure, Once, OtherBlock, TextBlock, ThinkingBlock, ToolUseBlock

_LINE = re.compile(r"^[ \t]*scripted:(.*)$", re.MULTILINE)
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


_LIMIT = "anthropic-ratelimit-unified-"
_WINDOWS = {"5h": "+3600", "7d": "+86400"}
_LIMIT_HEADERS = {
    "status": "status",
    "claim": "representative-claim",
    "reset": "reset",
    "5h_surpassed": "5h-surpassed-threshold",
    "7d_surpassed": "7d-surpassed-threshold",
    "overage": "overage-status",
    "overage_utilization": "overage-utilization",
    "in_use": "overage-in-use",
    "disabled_reason": "overage-disabled-reason",
}


def found(text: str) -> dict[str, Any] | None:
    """The validated directive in `text`; several lines are merged, later keys win. None if there is none.

    Raises DirectiveError.
    """
    lines = _LINE.findall(text)
    if not lines:
        return None
    whole: dict[str, Any] = {}
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError as why:
            raise DirectiveError(f"scripted: not JSON ({why}): {line.strip()[:200]}") from None
        if not isinstance(value, dict):
            raise DirectiveError(f"scripted: not a JSON object: {line.strip()[:200]}")
        whole |= value
    check(whole)
    return whole


def failure(directive: Mapping[str, Any]) -> Failure:
    """The HTTP error of a directive that has a `status`; a 429 gets the headers Claude Code reads."""
    status = directive["status"]
    headers: dict[str, str] = {}
    if status == 429:
        headers["anthropic-ratelimit-unified-status"] = "rejected"
    if "reset" in directive:
        headers["anthropic-ratelimit-unified-reset"] = str(directive["reset"])
    if "claim" in directive:
        headers["anthropic-ratelimit-unified-representative-claim"] = directive["claim"]
    headers |= limits(directive)
    timed = "anthropic-ratelimit-unified-reset" in headers
    return Failure(
        status,
        directive.get("kind", KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")),
        directive.get("message", f"scripted: {status}"),
        {**headers, **directive.get("headers", {})},
        reset_in=3600.0 if status == 429 and not timed else None,
        first_byte=directive.get("first_byte", 0.0),
    )


def limits(directive: Mapping[str, Any]) -> dict[str, str]:
    """The headers with the plan's limits, as Claude Code 2.1.330 reads them."""
    headers: dict[str, str] = {}
    for key, value in directive.get("limits", {}).items():
        if key in _WINDOWS:
            headers[f"{_LIMIT}{key}-utilization"] = str(value)
            headers[f"{_LIMIT}{key}-reset"] = _WINDOWS[key]
        else:
            headers[_LIMIT + _LIMIT_HEADERS[key]] = "true" if value is True else str(value)
    return headers


def drop(how: str, first_byte: float = 0.0) -> Drop:
    """The Drop for `how` (one of DROPS)."""
    return Drop(headers=how == "after_headers", first_byte=first_byte)


def once(directive: Mapping[str, Any]) -> Once | None:
    """The failure that a directive sends first, None if there is none."""
    wanted = directive.get("once")
    if wanted is None:
        return None
    first_byte = wanted.get("first_byte", 0.0)
    return Once(drop(wanted["drop"], first_byte) if "drop" in wanted else failure(wanted), wanted.get("times", 1))


def blocks(directive: Mapping[str, Any], body: Mapping[str, Any], new_id: Callable[[int], str]) -> tuple[Block, ...]:
    """The content of a directive that has any: thinking, then text, then calls. `new_id(i)` names the i-th call."""
    if "content" in directive:
        return tuple(_as_it_is(block, new_id(index)) for index, block in enumerate(directive["content"]))
    made: list[Block] = []
    if "thinking" in directive:
        signature = {"signature": directive["signature"]} if "signature" in directive else {}
        made.append(ThinkingBlock(directive["thinking"], **signature))
    if text := _text(directive, body):
        made.append(TextBlock(text))
    calls = directive.get("call", [])
    for index, call in enumerate([calls] if isinstance(calls, dict) else calls):
        name = offered(call["name"], body)
        rest = {key: call[key] for key in ("pieces", "at_once") if key in call}
        made.append(ToolUseBlock(call.get("id", new_id(index)), name, call.get("input", {}), **rest))
    return tuple(made)


def _as_it_is(block: Mapping[str, Any], new_id: str) -> Block:
    """A block of `content`: streamed if its type is known, else whole."""
    kind, rest = block["type"], block.keys() - {"type"}
    if kind == "text" and rest == {"text"}:
        return TextBlock(block["text"])
    if kind == "text" and isinstance(block.get("citations"), list):
        cited = [{"type": "citations_delta", "citation": each} for each in block["citations"]]
        words = TextBlock(block.get("text", "")).deltas()
        return OtherBlock({**block, "text": "", "citations": []}, (*words, *cited), block)
    if kind == "thinking" and rest <= {"thinking", "signature"}:
        return ThinkingBlock(block.get("thinking", ""), block.get("signature"))
    if kind in ("tool_use", "server_tool_use") and rest <= {"id", "name", "input"} and "name" in rest:
        return ToolUseBlock(block.get("id", new_id), block["name"], block.get("input", {}), kind=kind)
    return OtherBlock(block)


def offered(name: str, body: Mapping[str, Any]) -> str:
    """`name` as in the request's tools: itself, unless there is only `mcp__server__name`."""
    names = [tool.get("name", "") for tool in body.get("tools") or ()]
    prefixed = [each for each in names if each.startswith("mcp__") and each.endswith(f"__{name}")]
    return name if name in names or not prefixed else str(prefixed[0])


def _text(directive: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    if "words" in directive:
        return " ".join(f"word{number}" for number in range(1, directive["words"] + 1))
    if "repeat" in directive:
        what = directive["repeat"]
        heavy = ("messages", "system", "tools")
        part = {key: body[key] for key in body if key not in heavy} if what == "params" else None
        return json.dumps(part or body.get("messages" if what == "body" else what), ensure_ascii=False)
    return str(directive.get("text", ""))
