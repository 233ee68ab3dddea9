"""The keys of a directive: their reference and validation.

Pure. An unknown key or a wrong type is an error, so that a test does not silently get a different answer than it
specified.
"""

import json
from collections.abc import Mapping
from typing import Any

_SECONDS = (int, float)
Keys = Mapping[str, tuple[type, ...]]

# Of an answer. Times are in seconds; text, words and repeat exclude each other, and content excludes all other content.
KEYS: Keys = {
    "text": (str,),  # the text
    "words": (int,),  # so many words of text: word1 word2 ...
    "repeat": (str,),  # text that is a JSON dump of a part of the request: body (its messages), system, tools, params
    "thinking": (str,),  # a thinking block before it, which the service signs
    "signature": (str,),  # that block's signature instead; the service refuses it when it comes back
    "call": (list, dict),  # tool calls after the text: see CALL_KEYS
    "content": (list,),  # blocks as the API has them, in this order: text with citations, redacted_thinking,
    # server_tool_use, web_search_tool_result, any other; text, thinking and calls are streamed as always
    "stop_reason": (str,),  # default tool_use when something is called, else end_turn; refusal alone has no content
    "stop_sequence": (str, type(None)),
    "usage": (dict,),  # any of USAGE_KEYS; then nothing is split by the cache. count_tokens answers its input_tokens
    "headers": (dict,),  # added to the response; a value as "+60" in a reset header is seconds from now
    "limits": (dict,),  # the plan's limits as headers: see LIMIT_KEYS
    "pause": _SECONDS,  # between deltas
    "event_pause": _SECONDS,  # behind every event
    "first_byte": _SECONDS,
    "silence": _SECONDS,  # between message_start and the first delta
    "pings": (int,),  # so many over the silence, default 1
    "ping_every": (int,),  # a ping after each so many deltas
    "chunk": (int,),  # the stream in pieces of so many bytes
    "cut_after": (int,),
    "error_after": (int,),
    "error": (dict,),  # {"kind", "message"} of the `error` event; {"status"} where the answer is not streamed
    "drop": (str,),  # the connection closed instead: before_headers, after_headers
    "once": (dict,),  # how it fails first: the keys of a failure, or {"drop"}; {"times"}: how often (1)
    "then": (dict,),  # the directive for when the results of the calls come back; nests
}
# Of an HTTP error; `status` is what makes a directive one.
FAILURE_KEYS: Keys = {
    "status": (int,),
    "kind": (str,),
    "message": (str,),
    "headers": (dict,),
    "limits": (dict,),
    "reset": (int,),  # unix seconds; default for a 429: an hour from the moment of sending
    "claim": (str,),  # anthropic-ratelimit-unified-representative-claim, as five_hour
    "first_byte": _SECONDS,
}
ONCE_KEYS: Keys = {**FAILURE_KEYS, "drop": (str,), "times": (int,)}
CALL_KEYS: Keys = {
    "name": (str,),
    "input": (
        dict,
        str,
    ),  # an object, or raw JSON text, sent as it is; half a surrogate pair in it is sent as an escape
    "id": (str,),
    "pieces": (int,),
    "at_once": (bool,),  # the input whole in content_block_start
}
USAGE_KEYS: Keys = dict.fromkeys(
    (
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "hour_input_tokens",  # those of cache_creation_input_tokens that were written for an hour
    ),
    (int,),
)
# Each becomes a header that Claude Code 2.1.330 reads.
LIMIT_KEYS: Keys = {
    "status": (str,),  # allowed, allowed_warning, rejected
    "claim": (str,),  # five_hour, seven_day, ...
    "reset": (int, str),  # unix seconds, or "+60"
    "5h": _SECONDS,  # how much of the window is used, 0 to 1; it ends in an hour
    "7d": _SECONDS,  # likewise; it ends in a day
    "5h_surpassed": _SECONDS,  # the threshold that was passed; without it Claude Code makes a warning of its own
    "7d_surpassed": _SECONDS,
    "overage": (str,),  # of extra usage: allowed, allowed_warning, rejected
    "overage_utilization": _SECONDS,
    "in_use": (bool,),  # extra usage has begun
    "disabled_reason": (str,),  # why there is none
}
ERROR_KEYS: Keys = {"kind": (str,), "message": (str,), "status": (int,)}
REPEATS = ("body", "system", "tools", "params")
DROPS = ("before_headers", "after_headers")
CONTENT = ("text", "words", "repeat", "thinking", "call", "content")


class DirectiveError(ValueError):
    """An invalid directive; the message says why."""


def check(directive: Mapping[str, Any]) -> None:
    """Raises DirectiveError if `directive` is invalid."""
    if "status" in directive:
        _failure("", directive, FAILURE_KEYS)
        return
    _keys("", directive, KEYS)
    if len(texts := [key for key in ("text", "words", "repeat") if key in directive]) > 1:
        raise DirectiveError(f"scripted: only one of {', '.join(texts)} at a time")
    if "content" in directive and len(parts := [key for key in CONTENT if key in directive]) > 1:
        raise DirectiveError(f"scripted: only one of {', '.join(parts)} at a time")
    _one_of("repeat", directive, REPEATS)
    _one_of("drop", directive, DROPS)
    calls = directive.get("call", [])
    for call in [calls] if isinstance(calls, dict) else calls:
        if not isinstance(call, dict) or "name" not in call:
            raise DirectiveError("scripted: call must be objects with a name")
        _keys("call.", call, CALL_KEYS)
    if not all(
        isinstance(block, dict) and isinstance(block.get("type"), str) for block in directive.get("content", [])
    ):
        raise DirectiveError("scripted: content must be objects with a type")
    _keys("usage.", directive.get("usage", {}), USAGE_KEYS)
    _keys("limits.", directive.get("limits", {}), LIMIT_KEYS)
    _keys("error.", directive.get("error", {}), ERROR_KEYS)
    if "once" in directive:
        _once(directive["once"])
    if "then" in directive:
        check(directive["then"])


def _once(once: Mapping[str, Any]) -> None:
    _one_of("drop", once, DROPS)
    if ("status" in once) is ("drop" in once):
        raise DirectiveError("scripted: once must have a status or a drop")
    if "status" in once:
        _failure("once.", once, ONCE_KEYS)
    else:
        _keys("once.", once, {"drop": (str,), "times": (int,), "first_byte": _SECONDS})


def _failure(where: str, directive: Mapping[str, Any], known: Keys) -> None:
    _keys(where, directive, known)
    _keys("limits.", directive.get("limits", {}), LIMIT_KEYS)
    if not 400 <= directive["status"] <= 599:
        raise DirectiveError(f"scripted: status must be 400 to 599, not {directive['status']}")


def _one_of(key: str, given: Mapping[str, Any], values: tuple[str, ...]) -> None:
    if given.get(key, values[0]) not in values:
        raise DirectiveError(f"scripted: {key} must be one of {', '.join(values)}")


def _keys(where: str, given: Mapping[str, Any], known: Keys) -> None:
    for key, value in given.items():
        if key not in known:
            raise DirectiveError(f"scripted: unknown key {where}{key}; known are {', '.join(sorted(known))}")
        # A bool is an int in Python.
        if (isinstance(value, bool) and bool not in known[key]) or not isinstance(value, known[key]):
            wanted = " or ".join(kind.__name__ for kind in known[key])
            raise DirectiveError(f"scripted: {where}{key} must be {wanted}, not {json.dumps(value)[:100]}")
        if isinstance(value, (int, float)) and value < 0:
            raise DirectiveError(f"scripted: {where}{key} must not be negative")
        if isinstance(value, dict) and key == "headers" and not all(isinstance(each, str) for each in value.values()):
            raise DirectiveError("scripted: headers must be strings")
