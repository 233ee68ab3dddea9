"""The CLI's lines of a turn, as they were recorded from Claude Code 2.1.330 (ids shortened). No tests here."""

from collections.abc import Sequence
from typing import Any

from claude_max.proxy.engine.wire.answer import Answer
from claude_max.proxy.events import Event, Started, Usage

Line = dict[str, Any]

USAGE = {"input_tokens": 3, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 1000, "output_tokens": 1}
BEGAN = Started("claude-sonnet-4-5", id="msg_1", usage=Usage(3, 1000, 100, 1))
RESULT: Line = {"type": "result", "subtype": "success", "is_error": False, "terminal_reason": "completed"}


def read(found: Answer, *sequence: Line) -> list[Event]:
    """What the lines say to a client."""
    return [event for line in sequence for event in found.feed(line, 0.0)]


def event(kind: str, parent: str | None = None, **fields: Any) -> Line:
    """One raw stream event."""
    return {"type": "stream_event", "event": {"type": kind, **fields}, "parent_tool_use_id": parent}


def start(model: str = "claude-sonnet-4-5") -> Line:
    message = {"id": "msg_1", "role": "assistant", "model": model, "content": [], "usage": USAGE}
    return event("message_start", message=message)


def block(begin: Line, *deltas: Line, index: int = 0) -> list[Line]:
    """One content block: how it starts, its deltas, its stop."""
    return [
        event("content_block_start", index=index, content_block=begin),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def text(*deltas: str, index: int = 0) -> list[Line]:
    return block({"type": "text", "text": ""}, *({"type": "text_delta", "text": d} for d in deltas), index=index)


def thinking(*deltas: str, index: int = 0) -> list[Line]:
    begin = {"type": "thinking", "thinking": "", "signature": ""}
    parts = ({"type": "thinking_delta", "thinking": d} for d in deltas)
    return block(begin, *parts, {"type": "signature_delta", "signature": "c2ln"}, index=index)


def input_json(*parts: str) -> list[Line]:
    """Deltas of a call's input."""
    return [{"type": "input_json_delta", "partial_json": part} for part in parts]


def call(id: str, name: str, *json: str, index: int = 0) -> list[Line]:
    return block({"type": "tool_use", "id": id, "name": name, "input": {}}, *input_json("", *json), index=index)


def end(reason: str | None = "end_turn", stop_sequence: str | None = None, **usage: Any) -> list[Line]:
    delta = {"stop_reason": reason, "stop_sequence": stop_sequence}
    return [event("message_delta", delta=delta, usage={"output_tokens": 7, **usage}), event("message_stop")]


def answer(*parts: Sequence[Line], reason: str = "end_turn") -> list[Line]:
    """A whole message, from its start to its stop."""
    return [start(), *(line for part in parts for line in part), *end(reason)]
