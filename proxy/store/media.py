"""Moves images and files out of a conversation's JSON, and back into it. Pure.

Every request of a conversation repeats them, so each is stored once, by the hash of its text. The JSON holds a
reference in its place, in a form that no such field can have (they hold URLs or base64).
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

# The fields that contain them, and the minimum length for storing them separately.
FIELDS = ("image_url", "file_data")
LEAST = 512
REFERENCE = "kept blob "


def taken_out(value: Any, blobs: dict[str, str]) -> Any:
    """`value` with references; what they refer to is added to `blobs`, by its hash."""

    def out(text: str) -> str:
        if len(text) < LEAST or text.startswith(("http://", "https://")):
            return text
        hash = hashlib.sha256(text.encode()).hexdigest()
        blobs[hash] = text
        return REFERENCE + hash

    return _with(value, out)


def references(value: Any) -> set[str]:
    """The hashes of all references in `value`."""
    found: set[str] = set()

    def note(text: str) -> str:
        if text.startswith(REFERENCE):
            found.add(text.removeprefix(REFERENCE))
        return text

    _with(value, note)
    return found


def put_in(value: Any, blobs: Mapping[str, str]) -> Any:
    """`value` as it was before `taken_out`."""
    return _with(value, lambda text: blobs.get(text.removeprefix(REFERENCE), text))


def _with(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_with(each, change) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: change(each) if key in FIELDS and isinstance(each, str) else _with(each, change)
        for key, each in value.items()
    }
