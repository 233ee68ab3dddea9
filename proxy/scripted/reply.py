"""The types of a scripted answer: its content, how it is split into deltas, and how it fails.

Frozen values only. No wire format except the deltas of a block, no clock, no I/O.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A word carries the whitespace before it; whitespace at the very end is a delta of its own. Joined, nothing is lost.
_WORD = re.compile(r"\s*\S+|\s+\Z")


def words(text: str) -> list[str]:
    """`text` split into streamed pieces; ``"".join(words(text)) == text``."""
    return _WORD.findall(text)


@dataclass(frozen=True)
class TextBlock:
    """Text, streamed word by word."""

    text: str

    def deltas(self) -> list[dict[str, Any]]:
        """One `text_delta` a word."""
        return [{"type": "text_delta", "text": word} for word in words(self.text)]

    def opening(self) -> dict[str, Any]:
        """The block as `content_block_start` has it."""
        return {"type": "text", "text": ""}

    def whole(self) -> dict[str, Any]:
        """The block as an answer has it that is not streamed."""
        return {"type": "text", "text": self.text}


@dataclass(frozen=True)
class ThinkingBlock:
    """Thinking, streamed word by word, then its signature; None: the service signs it when it is sent (signing.py)."""

    thinking: str
    signature: str | None = None

    def deltas(self) -> list[dict[str, Any]]:
        """One `thinking_delta` a word, and one `signature_delta`."""
        thought: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": word} for word in words(self.thinking)]
        return [*thought, {"type": "signature_delta", "signature": self.signature or ""}]

    def opening(self) -> dict[str, Any]:
        """The block as `content_block_start` has it."""
        return {"type": "thinking", "thinking": "", "signature": ""}

    def whole(self) -> dict[str, Any]:
        """The block as an answer has it that is not streamed."""
        return {"type": "thinking", "thinking": self.thinking, "signature": self.signature or ""}


@dataclass(frozen=True)
class ToolUseBlock:
    """A call. `input` is an object, or raw JSON text, sent as it is, broken or not; `pieces`: how many it comes in.

    `at_once`: the whole input stands in `content_block_start`, and no delta follows. `kind` is the block's type: a tool
    that runs on the service's side is called with `server_tool_use`.
    """

    id: str
    name: str
    input: Mapping[str, Any] | str
    pieces: int = 4
    at_once: bool = False
    kind: str = "tool_use"

    @property
    def raw(self) -> str:
        """The input as JSON text; half of a surrogate pair is written as an escape, which is all that can be sent."""
        if isinstance(self.input, str):
            return self.input
        raw = json.dumps(self.input, ensure_ascii=False)
        return raw if _encodable(raw) else json.dumps(self.input)

    def deltas(self) -> list[dict[str, Any]]:
        """An empty `input_json_delta` first, as the real API sends it, then at most `pieces` of about equal length."""
        if self.at_once:
            return []
        raw, size = self.raw, max(1, -(-len(self.raw) // max(1, self.pieces)))
        parts = ["", *(raw[start : start + size] for start in range(0, len(raw), size))]
        return [{"type": "input_json_delta", "partial_json": part} for part in parts]

    def opening(self) -> dict[str, Any]:
        """The block as `content_block_start` has it."""
        return {**self.whole(), "input": self._value() if self.at_once else {}}

    def whole(self) -> dict[str, Any]:
        """The block as an answer has it that is not streamed."""
        return {"type": self.kind, "id": self.id, "name": self.name, "input": self._value()}

    def _value(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            return self.raw  # deliberately broken: a script may send what a real API would not


@dataclass(frozen=True)
class OtherBlock:
    """Any block as it is, whole in `content_block_start`: redacted thinking, a server tool's result, an unknown type.

    `after` are the deltas that follow, as they are (a cited text's words and citations); `complete` is what they add up
    to, the block itself where there are none.
    """

    block: Mapping[str, Any]
    after: tuple[Mapping[str, Any], ...] = ()
    complete: Mapping[str, Any] | None = None

    def deltas(self) -> list[dict[str, Any]]:
        """The deltas of `after`."""
        return [dict(delta) for delta in self.after]

    def opening(self) -> dict[str, Any]:
        """The block as it is."""
        return dict(self.block)

    def whole(self) -> dict[str, Any]:
        """The block as an answer has it that is not streamed."""
        return dict(self.block if self.complete is None else self.complete)


Block = TextBlock | ThinkingBlock | ToolUseBlock | OtherBlock


@dataclass(frozen=True)
class Usage:
    """Token counts. `output_tokens` None means: count what is really sent (`Reply.tokens`).

    `hour_input_tokens` are those of `cache_creation_input_tokens` that were written for an hour. `measured`: counted
    from the request, so that the service splits `input_tokens` by what its cache held; else these are the script's
    numbers.
    """

    input_tokens: int = 0
    output_tokens: int | None = None
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    hour_input_tokens: int = 0
    measured: bool = field(default=False, compare=False)


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
class Drop:
    """Closes the connection instead of an answer: before its headers, or (`headers`) right after them."""

    headers: bool = False
    first_byte: float = 0.0


@dataclass(frozen=True)
class Once:
    """A failure for the first `times` arrivals of a request, before it is answered."""

    how: Failure | Drop
    times: int = 1


@dataclass(frozen=True)
class Reply:
    """One answer of the scripted model.

    All times are seconds: `first_byte` before the response's status line, `silence` between message_start and the
    first delta, `pause` between deltas, `event_pause` behind every event. `pings` pings are spread over the silence;
    another comes after each `ping_every` deltas. After `cut_after` content deltas the connection is dropped without
    message_stop; after `error_after` an SSE `error` event carries `error`; a number beyond the last delta means: after
    the last delta. `headers` are added to the response. The stream is written in pieces of `chunk` bytes (0: an event
    at a time). `once` comes before all of this.
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
    event_pause: float = 0.0
    ping_every: int = 0
    chunk: int = 0
    once: Once | None = None

    @property
    def tokens(self) -> int:
        """The output tokens: one per delta, without empty ones and signatures."""
        deltas = (delta for block in self.blocks for delta in block.deltas())
        return sum(bool(d.get("text") or d.get("thinking") or d.get("partial_json")) for d in deltas)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
