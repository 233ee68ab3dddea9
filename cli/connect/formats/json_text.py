"""Changes one value of a JSON text, with or without comments, and preserves every other character. Pure."""

import json
import re
from typing import Any

from .json_scan import Member, Node, last_before, scan
from .steps import MISSING, Item, Path, Unfit, depth, look, nested, position


class JsonDocument:
    """The text and its values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._root = scan(text)
        self._line = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
        indented = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
        self._unit = indented[1] if indented else "  "

    def value(self) -> Any:
        """All of it, as plain values."""
        return self._root.value

    def text(self) -> str:
        """The whole file."""
        return self._text

    def set(self, path: Path, value: Any) -> None:
        """Sets the value at a path, and creates missing containers. Raises Unfit."""
        if look(self._root.value, path) is not MISSING:
            node = self._node(path)
            if node.value != value or type(node.value) is not type(value):
                self._replace(node.start, node.end, self._dumped(value, self._indent(node.start)))
            return
        there = depth(self._root.value, path)
        holder = self._node(path[:there])
        if holder.start == holder.end:
            # The text is empty, or only comments.
            self._append_root(nested(path, value))
            return
        step = path[there]
        # Raises where the container is of the other kind.
        if position(holder.value, step) is not MISSING:
            # A null where a container should be.
            node = holder.members[_index(holder, step)].node
            self._replace(
                node.start, node.end, self._dumped(nested(path[there + 1 :], value), self._indent(node.start))
            )
            return
        self._insert(holder, step, nested(path[there + 1 :], value))

    def remove(self, path: Path) -> None:
        """Removes the value at a path, if there is one. Raises Unfit."""
        if look(self._root.value, path) is MISSING:
            return
        holder = self._node(path[:-1])
        at = _index(holder, path[-1])
        member = holder.members[at]
        if member.comma >= 0:
            start, end = member.start, member.comma + 1
        else:
            start, end = member.start, member.node.end
            if at > 0:
                # Also remove the comma before it, but keep a comment between them.
                comma = holder.members[at - 1].comma
                self._replace(*self._with_its_line(start, end), "")
                self._replace(comma, comma + 1, "")
                return
        self._replace(*self._with_its_line(start, end), "")

    def _with_its_line(self, start: int, end: int) -> tuple[int, int]:
        """The span, extended to the whole line if that would become blank, else to the blanks after it."""
        text = self._text
        before = len(text[:start].rstrip(" \t"))
        behind = end + len(text[end:]) - len(text[end:].lstrip(" \t"))
        starts_line = before == 0 or text[before - 1] in "\r\n"
        ends_line = behind == len(text) or text[behind] in "\r\n"
        if starts_line and ends_line and before > 0:
            begin = before - (2 if text[before - 2 : before] == "\r\n" else 1)
            return begin, behind
        return (start, behind) if not ends_line else (before, end)

    def _node(self, path: Path) -> Node:
        node = self._root
        for step in path:
            node = node.members[_index(node, step)].node
        return node

    def _insert(self, holder: Node, step: Any, value: Any) -> None:
        text = self._text
        inside = text[holder.start : holder.end]
        several_lines = "\n" in inside or not holder.members
        outer = self._indent(holder.start)
        inner = self._inner(holder, outer)
        key = "" if isinstance(step, Item) else f"{json.dumps(step, ensure_ascii=False)}: "
        at = last_before(text, holder)
        if not several_lines:
            member = key + json.dumps(value, ensure_ascii=False)
            end = holder.members[-1].node.end
            comma = holder.members[-1].comma >= 0
            self._replace(at if comma else end, at if comma else end, f"{'' if comma else ','} {member}")
            return
        new = f"{self._line}{inner}{key}{self._dumped(value, inner)}"
        if not holder.members:
            close = "" if "\n" in text[at : holder.end] else f"{self._line}{outer}"
            self._replace(at, at, new + close)
            return
        last = holder.members[-1]
        if last.comma >= 0:
            self._replace(at, at, f"{new},")
            return
        closing = "" if "\n" in text[at : holder.end] else f"{self._line}{outer}"
        self._replace(at, at, new + closing, scanned=False)
        self._replace(last.node.end, last.node.end, ",")

    def _inner(self, holder: Node, outer: str) -> str:
        if holder.members:
            first = holder.members[0].start
            line = self._text[:first].rpartition("\n")[2]
            if not line.strip():
                return line
        return outer + self._unit

    def _append_root(self, value: Any) -> None:
        text = self._text
        gap = "" if not text or text.endswith("\n") else self._line
        self._replace(len(text), len(text), f"{gap}{self._dumped(value, '')}{self._line}")

    def _indent(self, at: int) -> str:
        """The indentation of the line on which a place is."""
        line = self._text[self._text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _dumped(self, value: Any, indent: str) -> str:
        lines = json.dumps(value, indent=self._unit, ensure_ascii=False).split("\n")
        return f"{self._line}{indent}".join(lines)

    def _replace(self, start: int, end: int, new: str, *, scanned: bool = True) -> None:
        self._text = self._text[:start] + new + self._text[end:]
        if scanned:
            self._root = scan(self._text)


def _index(node: Node, step: Any) -> int:
    at = position(node.value, step)
    if isinstance(step, Item):
        return int(at)
    # If a name occurs twice, the last one wins.
    found = [index for index, member in enumerate(node.members) if _is(member, step)]
    if not found:
        raise Unfit(f"{step!r} was not found")
    return found[-1]


def _is(member: Member, name: str) -> bool:
    return member.key == name
