"""Events of a streamed answer and their encoding: server-sent events or JSON lines. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from ...events import JsonObject
from ...json_text import dumps


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece of a stream: its data, and the event's name where the dialect names its events."""

    data: JsonObject
    event: str | None = None


@dataclass(frozen=True, slots=True)
class StreamForm:
    """How a stream is written.

    `keep_alive` is sent while nothing else is; empty sends nothing. `end` follows the last frame of an answer
    that is complete, and no other.
    """

    media_type: str
    write: Callable[[Frame], bytes]
    keep_alive: bytes = b""
    end: bytes = b""


def server_sent_event(frame: Frame) -> bytes:
    """A frame in `text/event-stream`."""
    name = b"" if frame.event is None else f"event: {frame.event}\n".encode()
    return name + b"data: " + _line(frame.data) + b"\n\n"


def json_line(frame: Frame) -> bytes:
    """A frame as one line of JSON (`application/x-ndjson`), which has no place for an event's name."""
    return _line(frame.data) + b"\n"


def _line(value: JsonObject) -> bytes:
    """JSON in one line. U+2028 and U+2029 are escaped: some clients take them for the end of a line."""
    return dumps(value).replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


# A comment without an empty line after it: openai-go before 3.43 reads the empty line as the end of an event, and fails
# on its empty data. The next event follows in the same block, which the standard allows.
SSE = StreamForm("text/event-stream", server_sent_event, keep_alive=b": keep-alive\n")
NDJSON = StreamForm("application/x-ndjson", json_line)
