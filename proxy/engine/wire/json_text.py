"""JSON as text with its key order, and surrogates, which JSON allows and UTF-8 does not. Pure.

Schemas and arguments are compared and sent as text: in Python `1 == True`, and a model writes the properties of an
answer in the order of its schema.
"""

import json
import re
from typing import Any

import orjson

_LONE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def compact(value: object) -> str:
    """Without white space, in the value's own key order; a lone surrogate becomes U+FFFD."""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, TypeError):
        # A lone surrogate, or an integer of over 64 bits.
        return _LONE.sub(_REPLACEMENT, json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError. Unlike orjson alone it takes lone surrogates."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        escape = "\\ud" if isinstance(text, str) else b"\\ud"
        if escape not in text.lower():  # type: ignore[operator]
            raise
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


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
