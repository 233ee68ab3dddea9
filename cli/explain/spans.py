"""A JSON text cut into parts by the paths of its values. Pure; the parts joined are the text, byte for byte."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
_SCALAR = json.JSONDecoder()
_BLANKS = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the text with one owner. `path` is of its first value."""

    text: str
    owner: str
    path: Path = ()


def spans(text: str, owner: Callable[[Path], str]) -> list[Span]:
    """Splits the text into parts; adjacent parts of one owner are merged.

    Raises ValueError if it is not JSON. A name and its separator belong to its value; brackets and commas belong to
    their container.
    """
    found: list[Span] = []
    for part, path in _Parts(text).value(0, ()):
        whose = owner(path)
        if found and found[-1].owner == whose:
            found[-1] = Span(found[-1].text + part, whose, found[-1].path)
        else:
            found.append(Span(part, whose, path))
    return found


class _Parts:
    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0

    def value(self, begin: int, path: Path) -> Iterator[tuple[str, Path]]:
        """The parts of the value at `begin`, after blanks; `_end` is then after it."""
        at = self._blank(begin)
        if self._text[at : at + 1] in ("{", "["):
            yield from self._container(begin, at, path)
        else:
            _, self._end = _SCALAR.raw_decode(self._text, at)
            yield self._text[begin : self._end], path

    def _container(self, begin: int, at: int, path: Path) -> Iterator[tuple[str, Path]]:
        is_object = self._text[at] == "{"
        close = "}" if is_object else "]"
        yield self._text[begin : at + 1], path
        at, index = at + 1, 0
        while self._text[self._blank(at) : self._blank(at) + 1] != close:
            if index:
                comma = self._expected(at, ",")
                yield self._text[at:comma], path
                at = comma
            inside: Path = (*path, index)
            if is_object:
                name, colon = self._name(at)
                inside = (*path, name)
                yield self._text[at:colon], inside
                at = colon
            yield from self.value(at, inside)
            at, index = self._end, index + 1
        self._end = self._blank(at) + 1
        yield self._text[at : self._end], path

    def _name(self, at: int) -> tuple[str, int]:
        name: Any
        name, end = _SCALAR.raw_decode(self._text, self._blank(at))
        if not isinstance(name, str):
            raise ValueError("a name must be a string")
        return name, self._expected(end, ":")

    def _expected(self, at: int, mark: str) -> int:
        found = self._blank(at)
        if self._text[found : found + 1] != mark:
            raise ValueError(f"{mark!r} expected at {found}")
        return found + 1

    def _blank(self, at: int) -> int:
        while self._text[at : at + 1] and self._text[at] in _BLANKS:
            at += 1
        return at
