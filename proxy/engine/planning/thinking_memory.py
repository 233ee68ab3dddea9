"""Keeps the model's thinking for clients that do not send it back. Pure, in memory only, bounded.

The service signs thinking and binds it to everything before it (system prompt, tools, all messages); newer models check
this strictly. So it is stored under a digest of the whole prefix, and restored only if prefix and answer are identical.
If a client changed anything, its messages are sent as they are.
"""

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from ...events import (
    BlockCompleted,
    Event,
    JsonObject,
    Message,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningSigned,
    RedactedThinking,
    TextDelta,
    Thinking,
    ToolCallDelta,
    ToolCallStarted,
)
from ...json_text import compact, parsed

# Bytes of all that is kept; a thinking block has some KB.
CAPACITY = 32 * 1024 * 1024

# Of signatures, each in 33 bytes and what a dict adds.
MOST_STRAYS = 10_000

Digest = bytes
_THINKING = ("thinking", "redacted_thinking")


class ThinkingMemory:
    """Answers with their thinking, the one used longest ago dropped first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._size = 0
        self._answers: OrderedDict[Digest, tuple[list[JsonObject], int]] = OrderedDict()

    def restored(
        self, scope: Sequence[object], messages: Sequence[JsonObject], *, restore: bool = True
    ) -> tuple[list[JsonObject], Digest]:
        """The messages with the thinking that belongs to them, and the digest of the prefix that they are.

        `scope` is what else the thinking is bound to: model, CLI version, system prompt, tools.
        """
        prefix = hashlib.blake2b(compact(list(scope)).encode(), digest_size=16)
        found = []
        for message in messages:
            if restore and self._answers and message["role"] == "assistant" and not has_thinking(message):
                key = _key(prefix.digest(), message["content"])
                kept = self._answers.get(key)
                if kept is not None:
                    # Large requests are composed in threads: it may just have been dropped.
                    with contextlib.suppress(KeyError):
                        self._answers.move_to_end(key)
                    message = {**message, "content": kept[0]}
            prefix.update(compact(message).encode())
            found.append(message)
        return found, prefix.digest()

    def keep(self, prefix: Digest, blocks: Sequence[JsonObject]) -> None:
        """Keeps an answer to the messages with this digest; one without thinking is not worth it."""
        if not any(block.get("type") in _THINKING for block in blocks):
            return
        key, size = _key(prefix, blocks), len(compact(list(blocks)))
        self._size += size - self._answers.pop(key, ([], 0))[1]
        self._answers[key] = (list(blocks), size)
        while self._size > self._capacity:
            _, (_, dropped) = self._answers.popitem(last=False)
            self._size -= dropped


class StraySignatures:
    """Signatures of thinking that answered a request with an instruction or a tool of ours in it.

    The service binds thinking to the system prompt and the messages before it, so it refuses such thinking in a
    conversation that is the client's alone. What was signed last is kept.
    """

    def __init__(self, most: int = MOST_STRAYS) -> None:
        self._most = most
        self._known: dict[Digest, None] = {}

    def keep(self, signed: ReasoningSigned | RedactedThinking) -> None:
        """Remembers the thinking that an answer has."""
        self._known[_stray(signed)] = None
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]

    def within(self, messages: Sequence[Message]) -> bool:
        """Whether there is such thinking in these messages."""
        if not self._known:
            return False
        thoughts = (item for message in messages for item in message.content)
        return any(isinstance(item, Thinking | RedactedThinking) and _stray(item) in self._known for item in thoughts)


class AnswerBlocks:
    """Collects the events of an answer into its content blocks."""

    def __init__(self) -> None:
        self.blocks: list[JsonObject] = []
        self._open: JsonObject | None = None
        self._json = ""

    def feed(self, event: Event) -> None:
        """Takes one event."""
        match event:
            case TextDelta(text):
                self._block({"type": "text", "text": ""})["text"] += text
            case ReasoningDelta(text):
                self._block({"type": "thinking", "thinking": "", "signature": ""})["thinking"] += text
            case ReasoningSigned(signature):
                self._block({"type": "thinking", "thinking": "", "signature": ""})["signature"] += signature
            case ToolCallStarted(_, id, name):
                self._block({"type": "tool_use", "id": id, "name": name, "input": {}})
                self._json = ""
            case ToolCallDelta(_, json):
                self._json += json
            case BlockCompleted(block):
                self._complete()
                if isinstance(block, RedactedThinking):
                    self.blocks.append({"type": "redacted_thinking", "data": block.data})
                elif isinstance(block, OpaqueBlock):
                    self.blocks.append(block.json)

    def _block(self, empty: JsonObject) -> JsonObject:
        if self._open is None:
            self._open = empty
        return self._open

    def _complete(self) -> None:
        block, self._open = self._open, None
        if block is None:
            return
        if block["type"] == "tool_use":
            try:
                block["input"] = parsed(self._json or "{}")
            except ValueError:
                block["input"] = {}
        self.blocks.append(block)


def has_thinking(message: JsonObject) -> bool:
    """Whether a message of the Messages API holds thinking."""
    blocks = message["content"] if isinstance(message["content"], list) else ()
    return any(block.get("type") in _THINKING for block in blocks)


def _key(prefix: Digest, content: object) -> Digest:
    """A prefix and what a client sees of the answer to it: its text in one piece, and its calls."""
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    text = "".join(str(block["text"]) for block in blocks if block.get("type") == "text")
    rest = [block for block in blocks if block.get("type") not in ("text", *_THINKING)]
    return hashlib.blake2b(prefix + compact([text, rest]).encode(), digest_size=16).digest()


def _stray(thought: ReasoningSigned | RedactedThinking | Thinking) -> Digest:
    signed = thought.data if isinstance(thought, RedactedThinking) else thought.signature
    return hashlib.blake2b(signed.encode(), digest_size=16).digest()
