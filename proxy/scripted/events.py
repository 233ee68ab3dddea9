"""A Reply in the shapes of the Messages API: the steps of its stream, and the one JSON message.

Source of the shapes: the Messages API's streaming reference, and what Claude Code 2.1.330 accepts. This file does not
send or wait: a pause is a step that the sender executes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .reply import Reply


@dataclass(frozen=True)
class Wait:
    """Send nothing for this many seconds."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """Drop the connection here."""


Step = dict[str, Any] | Wait | Cut


def steps(reply: Reply, message_id: str, model: str) -> Iterator[Step]:
    """The stream of `reply`, in order: events (dicts with their `type`), waits, and at most one Cut, as the last."""
    yield {"type": "message_start", "message": _message(reply, message_id, model, started=True)}
    if not reply.blocks:
        yield from _quiet(reply)
    sent = 0
    for index, block in enumerate(reply.blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block.opening()}
        if index == 0:
            yield from _quiet(reply)
        for delta in block.deltas():
            if broken := _break(reply, sent):
                yield broken
                return
            if sent and reply.pause:
                yield Wait(reply.pause)
            yield {"type": "content_block_delta", "index": index, "delta": delta}
            sent += 1
            if reply.ping_every and sent % reply.ping_every == 0:
                yield {"type": "ping"}
        yield {"type": "content_block_stop", "index": index}
    # A break planned after the last delta still happens: the script asked for a failed answer.
    if broken := _break(reply, None):
        yield broken
        return
    ending = {"stop_reason": reply.stop_reason, "stop_sequence": reply.stop_sequence}
    yield {"type": "message_delta", "delta": ending, "usage": _usage(reply)}
    yield {"type": "message_stop"}


def message(reply: Reply, message_id: str, model: str) -> dict[str, Any]:
    """`reply` as the body of an answer that is not streamed."""
    return _message(reply, message_id, model, started=False)


def _message(reply: Reply, message_id: str, model: str, *, started: bool) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [] if started else [block.whole() for block in reply.blocks],
        "stop_reason": None if started else reply.stop_reason,
        "stop_sequence": None if started else reply.stop_sequence,
        # The real API reports about one token when a stream starts; the final number is in message_delta.
        "usage": {**_usage(reply), "output_tokens": 1} if started else _usage(reply),
    }


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    written, hour = usage.cache_creation_input_tokens, usage.hour_input_tokens
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": written - hour, "ephemeral_1h_input_tokens": hour},
        "output_tokens": reply.tokens if usage.output_tokens is None else usage.output_tokens,
    }


def _quiet(reply: Reply) -> Iterator[Step]:
    """The pings, and the pauses between them."""
    for _ in range(reply.pings):
        yield {"type": "ping"}
        if reply.silence:
            yield Wait(reply.silence / reply.pings)
    if reply.silence and not reply.pings:
        yield Wait(reply.silence)


def _break(reply: Reply, sent: int | None) -> Step | None:
    """The step that breaks the stream, if it is due after `sent` deltas (None: after the last one)."""
    cut, error = reply.cut_after, reply.error_after
    if error is not None and (sent is None or sent >= error) and (cut is None or error <= cut):
        return reply.error.body()
    if cut is not None and (sent is None or sent >= cut):
        return Cut()
    return None
