"""Parses JSON with comments, trailing commas and the rest of JSON5, with the position of every value.

Pure. Files edited by hand contain whatever their program accepts; syntax that this parser does not know is Unreadable.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

_SPACE = re.compile(r"(?:[\s\ufeff]|//[^\n\r]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n\r]|\\(?:\r\n|.))*"|' + r"'(?:[^'\\\n\r]|\\(?:\r\n|.))*'", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_NUMBER = re.compile(r"[+-]?(?:Infinity|NaN|0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_ESCAPE = re.compile(r"\\(\r\n|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
# Deeper than any configuration.
DEPTH = 100


class Unreadable(ValueError):
    """The text is not in the file's format; the message says where."""


@dataclass(slots=True)
class Node:
    """A value and its position: `text[start:end]`. `members` are those of an object or array."""

    value: Any
    start: int
    end: int
    members: "list[Member]" = field(default_factory=list)


@dataclass(slots=True)
class Member:
    """A member of an object or array, starting at its key or value. `comma` is the position of the comma after it, or
    -1.
    """

    start: int
    key: str | None
    node: Node
    comma: int = -1


def scan(text: str) -> Node:
    """The whole text as one value; None, without a position, if it is empty or only comments."""
    start = _skip(text, 0)
    if start == len(text):
        return Node(None, start, start)
    node = _value(text, start, 0)
    rest = _skip(text, node.end)
    if rest != len(text):
        raise Unreadable(f"unexpected text after its end, in {_where(text, rest)}")
    return node


def last_before(text: str, node: Node) -> int:
    """The end of the last item in a container, comments included; just after its bracket if it is empty."""
    at = node.members[-1].node.end if node.members else node.start + 1
    if node.members and node.members[-1].comma >= 0:
        at = node.members[-1].comma + 1
    found = at
    for comment in re.finditer(r"//[^\n\r]*|/\*.*?\*/", text[at : _skip(text, at)], re.DOTALL):
        found = at + comment.end()
    return found


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int, depth: int) -> Node:
    if depth > DEPTH:
        raise Unreadable(f"it has more than {DEPTH} levels, in {_where(text, at)}")
    if text[at : at + 1] in ("{", "["):
        return _container(text, at, depth)
    if found := _STRING.match(text, at):
        return Node(_unescaped(found[0]), at, found.end())
    if found := _NUMBER.match(text, at):
        return Node(_number(found[0]), at, found.end())
    if (found := _NAME.match(text, at)) and found[0] in _WORDS:
        return Node(_WORDS[found[0]], at, found.end())
    raise Unreadable(f"a value is missing in {_where(text, at)}")


def _container(text: str, start: int, depth: int) -> Node:
    is_object = text[start] == "{"
    close = "}" if is_object else "]"
    node = Node({} if is_object else [], start, start)
    at = _skip(text, start + 1)
    while text[at : at + 1] != close:
        if node.members and node.members[-1].comma < 0:
            raise Unreadable(f"a comma is missing in {_where(text, at)}")
        begun, key = at, None
        if is_object:
            key, at = _key(text, at)
        child = _value(text, at, depth + 1)
        if key is None:
            node.value.append(child.value)
        else:
            node.value[key] = child.value
        member = Member(begun, key, child)
        node.members.append(member)
        at = _skip(text, child.end)
        if text[at : at + 1] == ",":
            member.comma = at
            at = _skip(text, at + 1)
    node.end = at + 1
    return node


def _key(text: str, at: int) -> tuple[str, int]:
    if found := _STRING.match(text, at):
        key = _unescaped(found[0])
    elif found := _NAME.match(text, at):
        key = found[0]
    else:
        raise Unreadable(f"a name is missing in {_where(text, at)}")
    colon = _skip(text, found.end())
    if text[colon : colon + 1] != ":":
        raise Unreadable(f"a colon is missing in {_where(text, colon)}")
    return key, _skip(text, colon + 1)


def _unescaped(quoted: str) -> str:
    if quoted[0] == '"':
        try:
            return str(json.loads(quoted))
        except ValueError:
            pass

    def one(found: re.Match[str]) -> str:
        said = found[1]
        if said[0] in "ux" and len(said) > 1:
            return chr(int(said[1:], 16))
        return "" if said in ("\n", "\r", "\r\n") else _ESCAPES.get(said, said)

    return _ESCAPE.sub(one, quoted[1:-1])


def _number(said: str) -> Any:
    for kind in (int, float):
        try:
            return kind(said)
        except ValueError:
            continue
    return int(said, 16)


def _where(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}" if at < len(text) else "its last line"
