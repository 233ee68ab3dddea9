"""Paths into nested plain values: by a key of a mapping, or to an element of a list by one of its fields. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


@dataclass(frozen=True, slots=True)
class Item:
    """The element of a list that is a mapping whose `key` is `value`."""

    key: str
    value: str


Step = str | Item
Path = tuple[Step, ...]


class Unfit(ValueError):
    """The file does not match the path, such as a text where a mapping is expected."""


def position(inside: Any, step: Step) -> Any:
    """The key or index of a step in a container; MISSING where there is no such member. Raises Unfit."""
    if isinstance(step, Item):
        if not isinstance(inside, list):
            raise Unfit(f"a list was expected that holds {step.key}: {step.value}")
        found = [at for at, each in enumerate(inside) if isinstance(each, dict) and each.get(step.key) == step.value]
        return found[0] if found else MISSING
    if not isinstance(inside, dict):
        raise Unfit(f"a mapping was expected that holds {step!r}")
    return step if step in inside else MISSING


def look(value: Any, path: Path) -> Any:
    """The value at a path; MISSING if there is none. Raises Unfit."""
    for step in path:
        if value is None:
            return MISSING
        at = position(value, step)
        if at is MISSING:
            return MISSING
        value = value[at]
    return value


def depth(value: Any, path: Path) -> int:
    """How many steps of a path exist; a null in place of a container does not count. Raises Unfit."""
    there = 0
    for at in range(1, len(path) + 1):
        found = look(value, path[:at])
        if found is MISSING or (found is None and at < len(path)):
            break
        there = at
    return there


def nested(path: Path, value: Any) -> Any:
    """The value wrapped in the containers of a path; returns the outermost."""
    for step in reversed(path):
        value = [value] if isinstance(step, Item) else {step: value}
    return value


def written(step: Step) -> Any:
    """A step as JSON."""
    return {"key": step.key, "value": step.value} if isinstance(step, Item) else step


def read(steps: Sequence[Any]) -> Path:
    """A path, from the JSON that `written` made."""
    return tuple(Item(step["key"], step["value"]) if isinstance(step, dict) else str(step) for step in steps)
