"""Applies max_tokens and stop_sequences as a real model would. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from .reply import Block, OtherBlock, Reply, TextBlock, ThinkingBlock, ToolUseBlock, words


def limited(reply: Reply, max_tokens: int | None, stop_sequences: Iterable[str] = ()) -> Reply:
    """`reply` as far as the request lets it go; one token is one word of text or thinking.

    The text ends before the first stop sequence found (stop_reason `stop_sequence`), and at `max_tokens` words
    (`max_tokens`, also when the last word is the last one allowed: a real model has no token left to end its turn
    with). A call is not cut in the middle, only left out.
    """
    stopped = _stopped(reply, tuple(stop_sequences))
    return stopped if max_tokens is None else _counted(stopped, max_tokens)


def _stopped(reply: Reply, stops: tuple[str, ...]) -> Reply:
    kept: list[Block] = []
    for block in reply.blocks:
        if not isinstance(block, TextBlock):
            kept.append(block)
            continue
        found = [(block.text.find(stop), stop) for stop in stops if stop and stop in block.text]
        if not found:
            kept.append(block)
            continue
        place, stop = min(found)
        if place:
            kept.append(TextBlock(block.text[:place]))
        return replace(reply, blocks=tuple(kept), stop_reason="stop_sequence", stop_sequence=stop)
    return reply


def _counted(reply: Reply, max_tokens: int) -> Reply:
    kept: list[Block] = []
    left = max_tokens
    for block in reply.blocks:
        if left <= 0:
            return _cut(reply, kept)
        if isinstance(block, (ToolUseBlock, OtherBlock)):
            kept.append(block)
            continue
        said = words(block.text if isinstance(block, TextBlock) else block.thinking)
        short = "".join(said[:left])
        if len(said) > left:
            kept.append(TextBlock(short) if isinstance(block, TextBlock) else ThinkingBlock(short, block.signature))
            return _cut(reply, kept)
        kept.append(block)
        left -= len(said)
    return replace(reply, stop_reason="max_tokens") if left <= 0 and reply.stop_reason == "end_turn" else reply


def _cut(reply: Reply, kept: list[Block]) -> Reply:
    return replace(reply, blocks=tuple(kept), stop_reason="max_tokens", stop_sequence=None)
