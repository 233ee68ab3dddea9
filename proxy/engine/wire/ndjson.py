"""Framing: bytes in, whole JSON lines out. Pure; knows nothing of what the lines mean.

A line that is not a JSON object, or that is longer than the limit, raises: the process that wrote it is in doubt.
"""

from typing import cast

from ...events import JsonObject
from ...json_text import dumps, parsed

# A 32 MiB request body comes back to us on stdout at most once (a replayed user line), base64 and escapes included.
LINE_LIMIT = 96 * 1024 * 1024


class Malformed(ValueError):
    """The stream does not hold newline-delimited JSON objects."""


class LineReader:
    """Collects chunks, split anywhere, into JSON objects."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[JsonObject]:
        """The objects completed by this chunk, in order. Blank lines are skipped. Raises Malformed."""
        *ends, rest = chunk.split(b"\n")
        objects: list[JsonObject] = []
        for end in ends:
            if self._size + len(end) > self._limit:
                raise Malformed(f"a line of more than {self._limit} bytes")
            line = b"".join((*self._parts, end))
            self._parts, self._size = [], 0
            if line.strip():
                objects.append(_parse(line))
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
            if self._size > self._limit:
                raise Malformed(f"a line of more than {self._limit} bytes")
        return objects

    @property
    def pending(self) -> int:
        """Bytes of an unfinished line; not zero at the end of the stream means that it was cut."""
        return self._size


def encode(value: JsonObject) -> bytes:
    """One line. Newlines are escaped inside strings, so a line is always one object."""
    return dumps(value) + b"\n"


def _parse(line: bytes) -> JsonObject:
    try:
        value = parsed(line)
    except ValueError as error:
        raise Malformed(f"a line that is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Malformed(f"a line that is JSON but not an object: {type(value).__name__}")
    return cast("JsonObject", value)
