"""JSON with its key order, whole numbers of any size, and surrogates, which JSON allows and UTF-8 does not. Pure.

Schemas and arguments are compared and sent as text: in Python `1 == True`, and a model writes the properties of an
answer in the order of its schema. orjson is fast, refuses lone surrogates, and makes integers of over 64 bits floats.
"""

import json
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import orjson

_LONE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


# Turns text into runs of "0" where it has digits, for searches that are ten times as fast as a regular expression.
_DIGITS = bytes(ord("0") if chr(code) in "0123456789" else ord(" ") for code in range(256))
# The fewest digits of an integer of over 64 bits, and of one that a float may not hold.
_LONG, _INEXACT = b"0" * 19, b"0" * 16
# The same for keys that end in a digit.
_KEYS = bytes(ord("0") if chr(code) in "0123456789" else code if chr(code) in '":' else ord(" ") for code in range(256))
_NUMBERED = b'0":'
_WHOLE = re.compile("0|[1-9][0-9]{0,9}")


def compact(value: object) -> str:
    """Without white space, in the value's own key order; a lone surrogate becomes U+FFFD."""
    return dumps(value).decode()


def dumps(value: object) -> bytes:
    """`compact` as UTF-8."""
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        # A lone surrogate, or an integer of over 64 bits.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return _LONE.sub(_REPLACEMENT, text).encode()


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, integers of any size included. Raises orjson.JSONDecodeError, a ValueError."""
    value = orjson.loads(text)
    if _LONG in (text.encode() if isinstance(text, str) else text).translate(_DIGITS):
        with suppress(RecursionError):
            return json.loads(text)
    return value


def parsed(text: str | bytes) -> Any:
    """The same, of a text with lone surrogates too. Raises ValueError."""
    try:
        return loads(text)
    except orjson.JSONDecodeError:
        escape = "\\ud" if isinstance(text, str) else b"\\ud"
        if escape not in text.lower():  # type: ignore[operator]
            raise
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def is_rounded(value: object, text: bytes) -> bool:
    """Whether an integer within `value`, whose JSON is `text`, becomes another one as a double, as in JavaScript."""
    return _INEXACT in text.translate(_DIGITS) and any(
        isinstance(node, int) and _is_inexact(node) for node in _nodes(value)
    )


def is_reordered(value: object, text: bytes) -> bool:
    """Whether an object within `value`, whose JSON is `text`, comes to another order in JavaScript.

    Keys that are whole numbers come first there, in the order of their numbers.
    """
    return _NUMBERED in text.translate(_KEYS) and any(
        isinstance(node, dict) and any(map(_WHOLE.fullmatch, node)) and list(node) != _in_javascript(node)
        for node in _nodes(value)
    )


def _in_javascript(keys: Collection[str]) -> list[str]:
    numbers = {key for key in keys if _WHOLE.fullmatch(key) and int(key) < 2**32 - 1}
    return [*sorted(numbers, key=int), *(key for key in keys if key not in numbers)]


def _is_inexact(number: int) -> bool:
    try:
        return int(float(number)) != number
    except OverflowError:
        return True


def _nodes(value: object) -> Iterator[object]:
    """The value and all within it but texts, of which there are most."""
    level = [value]
    while level:
        node = level.pop()
        yield node
        if isinstance(node, dict):
            level += [each for each in node.values() if not isinstance(each, str)]
        elif isinstance(node, list | tuple):
            level += [each for each in node if not isinstance(each, str)]


class Surrogates:
    """Joins a character that was split into its two surrogates over two pieces of a stream."""

    def __init__(self) -> None:
        self._held = ""

    def joined(self, text: str) -> str:
        """The text that can be sent now: a high surrogate at its end waits for the next piece."""
        if not self._held and text.isascii():
            return text
        text, self._held = self._held + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        # UTF-16 makes one character of each pair; what has no partner is replaced.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def rest(self) -> str:
        """What waits at the end of the stream, replaced."""
        held, self._held = self._held, ""
        return _REPLACEMENT if held else ""
