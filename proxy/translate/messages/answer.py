"""Turns events into a message of the Messages API or its stream. Pure.

The stream (platform.claude.com, "Streaming messages"): `message_start` with the message so far; for each block
`content_block_start`, its deltas and `content_block_stop`; `message_delta` with the stop reason and the usage;
`message_stop`. A `ping` follows the first block's start, and is repeated while nothing else is sent.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from ...errors import ProxyError
from ...events import (
    BlockCompleted,
    Citation,
    Event,
    Finished,
    JsonObject,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningSigned,
    RedactedThinking,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from ...json_text import compact, loads
from ..common.dialect import ResponseMeta
from ..common.frames import Frame
from .errors import error_frame

PING = Frame({"type": "ping"}, "ping")
# Blocks whose input is streamed; others arrive complete.
_STREAMED = ("server_tool_use", "mcp_tool_use")


class MessagesReply:
    """A `message` object, or the events of its stream."""

    def __init__(self, names: Mapping[str, str], meta: ResponseMeta) -> None:
        """`names` are the client's own of its tools, by those that the service takes."""
        self._names = names
        self._meta = meta
        self._message: JsonObject = {
            "id": f"msg_{meta.id}",
            "type": "message",
            "role": "assistant",
            "model": meta.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_object(Usage()),
        }
        self._blocks: list[JsonObject] = []
        # The current block, and the JSON of its input so far.
        self._open: JsonObject | None = None
        self._input: list[str] = []

    def feed(self, answer: int, event: Event) -> list[Frame]:
        """The events that this one makes; there is one answer."""
        match event:
            case Started(model, id=id, usage=usage):
                self._message |= {"id": id or self._message["id"], "model": model, "usage": usage_object(usage)}
                return [Frame({"type": "message_start", "message": dict(self._message)}, "message_start")]
            case TextDelta(text):
                return [*self._in("text"), self._delta("text", {"type": "text_delta", "text": text})]
            case Citation(json):
                return [*self._in("text"), self._cited(json)]
            case ReasoningDelta(text):
                return [*self._in("thinking"), self._delta("thinking", {"type": "thinking_delta", "thinking": text})]
            case ReasoningSigned(signature):
                signed = {"type": "signature_delta", "signature": signature}
                return [*self._in("thinking"), self._delta("signature", signed)]
            case ToolCallStarted(_, id, name):
                own = self._names.get(name, name)
                return [*self._close(), *self._begin({"type": "tool_use", "id": id, "name": own, "input": {}})]
            case ToolCallDelta(_, json):
                self._input.append(json)
                return [self._frame({"type": "input_json_delta", "partial_json": json})]
            case BlockCompleted(block):
                return self._close() if block is None else [*self._close(), *self._whole_block(block)]
            case Finished():
                return [*self._close(), *self._finish(event)]

    def end(self) -> list[Frame]:
        """`message_stop`."""
        return [Frame({"type": "message_stop"}, "message_stop")]

    def fail(self, error: ProxyError) -> list[Frame]:
        """The `error` event."""
        return [error_frame(error, self._meta.request_id)]

    def whole(self) -> JsonObject:
        """The message."""
        return {**self._message, "content": self._blocks}

    def _in(self, kind: str) -> list[Frame]:
        """Brings the stream into a block of this kind."""
        if self._open is not None and self._open["type"] == kind:
            return []
        empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}[kind]
        return [*self._close(), *self._begin({"type": kind, **empty})]

    def _begin(self, block: JsonObject) -> list[Frame]:
        index = len(self._blocks)
        self._blocks.append(block)
        self._open, self._input = block, []
        start = {"type": "content_block_start", "index": index, "content_block": dict(block)}
        return [Frame(start, "content_block_start"), *([PING] if index == 0 else [])]

    def _delta(self, key: str, delta: JsonObject) -> Frame:
        """A delta, which also continues the block's own text."""
        assert self._open is not None, "a delta is in a block"
        self._open[key] += delta[key]
        return self._frame(delta)

    def _cited(self, citation: JsonObject) -> Frame:
        assert self._open is not None, "a citation is in a block"
        self._open.setdefault("citations", []).append(citation)
        return self._frame({"type": "citations_delta", "citation": citation})

    def _frame(self, delta: JsonObject) -> Frame:
        index = len(self._blocks) - 1
        return Frame({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")

    def _close(self) -> list[Frame]:
        """Ends the block that is open, if there is one."""
        if self._open is None:
            return []
        if self._input:
            self._open["input"] = input_of("".join(self._input))
        self._open = None
        return [Frame({"type": "content_block_stop", "index": len(self._blocks) - 1}, "content_block_stop")]

    def _whole_block(self, block: RedactedThinking | OpaqueBlock) -> list[Frame]:
        if isinstance(block, RedactedThinking):
            return [*self._begin({"type": "redacted_thinking", "data": block.data}), *self._close()]
        if block.json.get("type") not in _STREAMED:
            return [*self._begin(dict(block.json)), *self._close()]
        frames = self._begin({**block.json, "input": {}})
        self._blocks[-1]["input"] = block.json.get("input")
        text = compact(block.json.get("input"))
        return [*frames, self._frame({"type": "input_json_delta", "partial_json": text}), *self._close()]

    def _finish(self, finished: Finished) -> list[Frame]:
        delta = {"stop_reason": finished.unknown or finished.reason, "stop_sequence": finished.stop_sequence}
        usage = usage_object(finished.usage)
        self._message |= {**delta, "usage": usage}
        return [Frame({"type": "message_delta", "delta": delta, "usage": usage}, "message_delta")]


def input_of(text: str) -> Any:
    """The input of a call, from its JSON. A model that was cut off left no JSON: then there is none."""
    try:
        return loads(text)
    except orjson.JSONDecodeError:
        return {}


def usage_object(usage: Usage) -> JsonObject:
    """Usage as the Messages API counts it; the thinking is part of the output."""
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_creation,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        **({"output_tokens_details": {"thinking_tokens": usage.reasoning}} if usage.reasoning else {}),
    }
