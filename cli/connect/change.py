"""Applies a recipe to a text, and undoes it. Pure: texts and values in, texts and values out."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .fill import filled
from .formats.document import Document, opened
from .formats.json_scan import Unreadable
from .formats.steps import MISSING, Item, Path, Unfit, depth, look
from .recipe import File, Put, Target

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Written:
    """One value that was written. `previous` is the old value, MISSING if there was none; the first `kept` steps of its
    path already existed. `own` as in `Put`.
    """

    path: Path
    value: Any
    previous: Any
    kept: int
    own: bool


def applied(file: File, text: str, target: Target) -> tuple[str, tuple[Written, ...]]:
    """The text with the recipe's values, and what was written. Raises Unreadable or Unfit."""
    mark, plain = _split(text)
    document = opened(file.format, plain)
    expected = copy.deepcopy(document.value())
    done = []
    for put in file.puts:
        value = filled(put.value, target)
        path: Path = tuple(step if isinstance(step, Item) else str(filled(step, target)) for step in put.path)
        now = document.value()
        previous, kept = look(now, path), depth(now, path)
        if put.default and previous is not MISSING:
            continue
        done.append(Written(path, value, previous, kept, put.own))
        document.set(path, value)
        expected = _with(expected, path, value)
    _check(file.format, document.text(), expected)
    return mark + document.text(), tuple(done)


def undone(format: str, text: str, done: Sequence[Written]) -> tuple[str, tuple[Path, ...]]:
    """The text without what was written, and the paths of values that were changed since and are left as they are.

    Raises Unreadable or Unfit.
    """
    mark, plain = _split(text)
    document = opened(format, plain)
    left = []
    for one in reversed(done):
        now = look(document.value(), one.path)
        if now is MISSING:
            continue
        if now != one.value and not one.own:
            left.append(one.path)
        elif one.previous is not MISSING:
            document.set(one.path, one.previous)
        else:
            document.remove(one.path)
            _prune(document, one)
    opened(format, document.text())
    return mark + document.text(), tuple(left)


def present(file: File, text: str) -> list[tuple[Put, Any]]:
    """The recipe's paths that have a value in the text, with the values. Raises Unreadable."""
    value = opened(file.format, _split(text)[1]).value()
    found = []
    for put in file.puts:
        try:
            there = look(value, put.path)
        except Unfit:
            continue
        if there is not MISSING:
            found.append((put, there))
    return found


def pasted(file: File, target: Target) -> str:
    """A file that contains only the recipe's values: the lines to paste."""
    return applied(file, "", target)[0].strip("\n")


def _split(text: str) -> tuple[str, str]:
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def _prune(document: Document, one: Written) -> None:
    """Removes the containers that were created for a value and are now empty."""
    for length in range(len(one.path) - 1, one.kept, -1):
        if look(document.value(), one.path[:length]) not in ({}, []):
            return
        document.remove(one.path[:length])


def _with(value: Any, path: Path, new: Any) -> Any:
    """A copy of plain values with one of them set."""
    if not path:
        return copy.deepcopy(new)
    step, rest = path[0], path[1:]
    if isinstance(step, Item):
        items = list(value) if isinstance(value, list) else []
        at = next((i for i, each in enumerate(items) if look([each], (step,)) is not MISSING), None)
        made = _with(items[at] if at is not None else None, rest, new)
        return [*items[:at], made, *items[at + 1 :]] if at is not None else [*items, made]
    inside = dict(value) if isinstance(value, dict) else {}
    inside[step] = _with(inside.get(step), rest, new)
    return inside


def _check(format: str, text: str, expected: Any) -> None:
    """Verifies a writer's result: the old values plus the new ones, and nothing else changed. Raises Unfit."""
    try:
        same = opened(format, text).value() == expected
    except Unreadable:
        same = False
    if not same:
        raise Unfit("it cannot be changed without changing something else")
