"""Extracts the input of a custom tool from the arguments of the function that represents it. Pure."""

import re

import orjson

from .tools import INPUT

_OPENING = re.compile(rf'\s*\{{\s*"{INPUT}"\s*:\s*"')
# The complete part of a string's text: an escape may be cut.
_TEXT = re.compile(r'(?:[^"\\]+|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*')
# The first half of a surrogate pair, whose second half follows.
_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


class InputText:
    """The string in `{"input": "…"}`, fed its JSON in pieces."""

    def __init__(self) -> None:
        self._json: list[str] = []
        self._pending = ""
        self._opened = self._closed = False

    def feed(self, json: str) -> str:
        """What the piece adds to the text."""
        self._json.append(json)
        if self._closed:
            return ""
        self._pending += json
        if not self._opened:
            found = _OPENING.match(self._pending)
            if found is None:
                return ""
            self._opened = True
            self._pending = self._pending[found.end() :]
        return self._text()

    def rest(self) -> str:
        """What the end of the JSON adds. JSON of another shape is the text itself: nothing of it was told before."""
        if self._opened:
            found = _TEXT.match(self._pending)
            return "" if found is None or self._closed else _decoded(found[0])
        whole = "".join(self._json)
        try:
            value = orjson.loads(whole)
        except orjson.JSONDecodeError:
            return whole
        if value == {}:
            return ""
        text = value.get(INPUT) if isinstance(value, dict) else None
        return text if isinstance(text, str) else whole

    def _text(self) -> str:
        found = _TEXT.match(self._pending)
        whole = "" if found is None else found[0]
        self._closed = self._pending[len(whole) : len(whole) + 1] == '"'
        half = None if self._closed else _HALF.search(whole)
        if half is not None:
            whole = whole[: half.start()]
        self._pending = "" if self._closed else self._pending[len(whole) :]
        return _decoded(whole)


def _decoded(text: str) -> str:
    """The text of a JSON string's inside; half a character, which no JSON can hold, is replaced."""
    if "\\" not in text:
        return text
    found = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _escaped, text)
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escaped(found: re.Match[str]) -> str:
    code = found[1]
    return (
        chr(int(code[1:], 16))
        if len(code) > 1
        else {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}.get(code, code)
    )
