"""The vocabulary of a scripted answer: what is said, how it is cut into deltas, and how it goes wrong.

Frozen values only. No wire format beyond the delta a block is made of, no clock, no I/O.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A word carries the whitespace before it; whitespace at the very end is a delta of its own. Joined, nothing is lost.
_WORD = re.compile(r"\s*\S+|\s+\Z")


def words(text: str) -> list[str]:
    """`text` as the pieces it is streamed in; ``"".join(words(text)) == text``."""
    return _WORD.findall(text)


@dataclass(frozen=True)
class TextBlock:
    """Text, streamed word by word."""

    text: str

    def deltas(self) -> list[dict[str, Any]]:
        """One `text_delta` a word."""
        return [{"type": "text_delta", "text": word} for word in words(self.text)]


@dataclass(frozen=True)
class ThinkingBlock:
    """Thinking, streamed word by word, then its signature."""

    thinking: str
    signature: str = "c2NyaXB0ZWQ="

    def deltas(self) -> list[dict[str, Any]]:
        """One `thinking_delta` a word, and one `signature_delta`."""
        thought: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": word} for word in words(self.thinking)]
        return [*thought, {"type": "signature_delta", "signature": self.signature}]


@dataclass(frozen=True)
class ToolUseBlock:
    """A call. `input` is an object, or raw JSON text, sent as it is, broken or not; `pieces`: how many it comes in."""

    id: str
    name: str
    input: Mapping[str, Any] | str
    pieces: int = 4

    @property
    def raw(self) -> str:
        """The input as JSON text."""
        return self.input if isinstance(self.input, str) else json.dumps(self.input, ensure_ascii=False)

    def deltas(self) -> list[dict[str, Any]]:
        """An empty `input_json_delta` first, as the real API sends it, then at most `pieces` of about equal length."""
        raw, size = self.raw, max(1, -(-len(self.raw) // max(1, self.pieces)))
        parts = ["", *(raw[start : start + size] for start in range(0, len(raw), size))]
        return [{"type": "input_json_delta", "partial_json": part} for part in parts]


Block = TextBlock | ThinkingBlock | ToolUseBlock


@dataclass(frozen=True)
class Usage:
    """Token counts. `output_tokens` None means: count what is really sent (`Reply.tokens`)."""

    input_tokens: int = 0
    output_tokens: int | None = None
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0


@dataclass(frozen=True)
class Failure:
    """An HTTP error instead of an answer (or, inside a stream, an `error` event).

    `reset_in`: seconds from the moment of sending, put into `anthropic-ratelimit-unified-reset` by the wire, which has
    a clock. `first_byte`: seconds before the response begins.
    """

    status: int
    kind: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    reset_in: float | None = None
    first_byte: float = 0.0

    def body(self) -> dict[str, Any]:
        """Anthropic's error shape, without the request id."""
        return {"type": "error", "error": {"type": self.kind, "message": self.message}}


OVERLOADED = Failure(529, "overloaded_error", "Overloaded")


@dataclass(frozen=True)
class Reply:
    """One answer of the scripted model.

    All times are seconds: `first_byte` before the response's status line, `silence` between message_start and the
    first delta, `pause` between deltas. `pings` pings are spread over the silence. After `cut_after` content deltas the
    connection is dropped without message_stop; after `error_after` an SSE `error` event carries `error`; a number
    beyond the last delta means: after the last delta. `headers` are added to the response.
    """

    blocks: tuple[Block, ...]
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    usage: Usage = Usage()
    pause: float = 0.0
    first_byte: float = 0.0
    silence: float = 0.0
    pings: int = 1
    cut_after: int | None = None
    error_after: int | None = None
    error: Failure = OVERLOADED
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """What this answer costs: one token a delta, empty ones and signatures not counted."""
        deltas = (delta for block in self.blocks for delta in block.deltas())
        return sum(bool(d.get("text") or d.get("thinking") or d.get("partial_json")) for d in deltas)
