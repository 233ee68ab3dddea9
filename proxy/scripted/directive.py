"""`scripted: {JSON}` lines in a prompt: found, checked, and made into the parts of an answer.

The reference of every key is KEYS and FAILURE_KEYS. What the conversation around a directive means is script.py's.
An unknown key or a wrong type is an error, never a guess: a test must not silently get another answer than it wrote.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .reply import Block, Failure, TextBlock, ThinkingBlock, ToolUseBlock

_LINE = re.compile(r"^[ \t]*scripted:(.*)$", re.MULTILINE)
_SECONDS = (int, float)

# Of an answer. Times are in seconds; text, words and repeat exclude each other.
KEYS: dict[str, tuple[type, ...]] = {
    "text": (str,),  # the text
    "words": (int,),  # so many words of text: word1 word2 ...
    "repeat": (str,),  # text that is a JSON dump of a part of the request: body (its messages), system, tools, params
    "thinking": (str,),  # a thinking block before it
    "signature": (str,),  # that block's signature
    "call": (list, dict),  # tool calls after the text: {"name", "input": object or raw JSON text, "id"?, "pieces"?}
    "stop_reason": (str,),  # default tool_use when something is called, else end_turn; refusal alone has no content
    "stop_sequence": (str, type(None)),
    "usage": (dict,),  # any of USAGE_KEYS
    "headers": (dict,),  # added to the response
    "pause": _SECONDS,
    "first_byte": _SECONDS,
    "silence": _SECONDS,
    "pings": (int,),
    "cut_after": (int,),
    "error_after": (int,),
    "error": (dict,),  # {"kind", "message"} of the `error` event; {"status"} where the answer is not streamed
    "then": (dict,),  # the directive for when the results of the calls come back; nests
}
# Of an HTTP error; `status` is what makes a directive one.
FAILURE_KEYS: dict[str, tuple[type, ...]] = {
    "status": (int,),
    "kind": (str,),
    "message": (str,),
    "headers": (dict,),
    "reset": (int,),  # unix seconds; default for a 429: an hour from the moment of sending
    "claim": (str,),  # anthropic-ratelimit-unified-representative-claim, as five_hour
    "first_byte": _SECONDS,
}
CALL_KEYS: dict[str, tuple[type, ...]] = {"name": (str,), "input": (dict, str), "id": (str,), "pieces": (int,)}
USAGE_KEYS: dict[str, tuple[type, ...]] = dict.fromkeys(
    ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"), (int,)
)
ERROR_KEYS: dict[str, tuple[type, ...]] = {"kind": (str,), "message": (str,), "status": (int,)}
REPEATS = ("body", "system", "tools", "params")
CONTENT = ("text", "words", "repeat", "thinking", "call")

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


class DirectiveError(ValueError):
    """A directive that cannot be followed as it is written; the message says why."""


def found(text: str) -> dict[str, Any] | None:
    """The checked directive in `text`, several lines merged with the later key winning; None when there is none.

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
    _check(whole)
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
    return Failure(
        status,
        directive.get("kind", KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")),
        directive.get("message", f"scripted: {status}"),
        {**headers, **directive.get("headers", {})},
        reset_in=3600.0 if status == 429 and "reset" not in directive else None,
        first_byte=directive.get("first_byte", 0.0),
    )


def blocks(directive: Mapping[str, Any], body: Mapping[str, Any], new_id: Callable[[int], str]) -> tuple[Block, ...]:
    """The content of a directive that has any: thinking, then text, then calls. `new_id(i)` names the i-th call."""
    made: list[Block] = []
    if "thinking" in directive:
        signature = {"signature": directive["signature"]} if "signature" in directive else {}
        made.append(ThinkingBlock(directive["thinking"], **signature))
    if text := _text(directive, body):
        made.append(TextBlock(text))
    calls = directive.get("call", [])
    for index, call in enumerate([calls] if isinstance(calls, dict) else calls):
        name = offered(call["name"], body)
        made.append(
            ToolUseBlock(call.get("id", new_id(index)), name, call.get("input", {}), pieces=call.get("pieces", 4))
        )
    return tuple(made)


def offered(name: str, body: Mapping[str, Any]) -> str:
    """`name` as the request's tools have it: itself, unless only `mcp__server__name` is there."""
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


def _check(directive: Mapping[str, Any]) -> None:
    if "status" in directive:
        _check_keys("", directive, FAILURE_KEYS)
        if not 400 <= directive["status"] <= 599:
            raise DirectiveError(f"scripted: status must be 400 to 599, not {directive['status']}")
        return
    _check_keys("", directive, KEYS)
    if len(texts := [key for key in ("text", "words", "repeat") if key in directive]) > 1:
        raise DirectiveError(f"scripted: only one of {', '.join(texts)} at a time")
    if directive.get("repeat", "body") not in REPEATS:
        raise DirectiveError(f"scripted: repeat must be one of {', '.join(REPEATS)}")
    calls = directive.get("call", [])
    for call in [calls] if isinstance(calls, dict) else calls:
        if not isinstance(call, dict) or "name" not in call:
            raise DirectiveError("scripted: call must be objects with a name")
        _check_keys("call.", call, CALL_KEYS)
    _check_keys("usage.", directive.get("usage", {}), USAGE_KEYS)
    _check_keys("error.", directive.get("error", {}), ERROR_KEYS)
    if "then" in directive:
        _check(directive["then"])


def _check_keys(where: str, given: Mapping[str, Any], known: Mapping[str, tuple[type, ...]]) -> None:
    for key, value in given.items():
        if key not in known:
            raise DirectiveError(f"scripted: unknown key {where}{key}; known are {', '.join(sorted(known))}")
        # A bool is an int in Python, and no key means a bool.
        if isinstance(value, bool) or not isinstance(value, known[key]):
            wanted = " or ".join(kind.__name__ for kind in known[key])
            raise DirectiveError(f"scripted: {where}{key} must be {wanted}, not {json.dumps(value)[:100]}")
        if isinstance(value, (int, float)) and value < 0:
            raise DirectiveError(f"scripted: {where}{key} must not be negative")
        if isinstance(value, dict) and key == "headers" and not all(isinstance(each, str) for each in value.values()):
            raise DirectiveError("scripted: headers must be strings")
