"""What a conversation holds, and how much of it two conversations share. Pure.

Two messages are the same when their fingerprints are. The rule, which decides whether a client's history is the one a
worker already holds:
- The role and the order of blocks count. A string and a list with one text part are the same.
- A user's text counts to the last space. An assistant's text counts without the white space around it, because clients
  trim answers; empty text counts as nothing.
- A tool call counts by id, name and the value of its arguments (not their spelling). A tool result counts by id and
  content. Media count by their bytes, type and title.
- Thinking does not count: clients do not send it back.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from ..events import Message, Text, ToolResult
from .protocol import block


@dataclass(frozen=True, slots=True)
class Entry:
    """One message that a worker holds. `uuid` names a user line that can be rewound, None one that cannot."""

    fingerprint: bytes
    uuid: str | None = None

    @classmethod
    def of(cls, message: Message, uuid: str | None = None) -> "Entry":
        """The record of a message; a line with tool results cannot be rewound to, whatever its `uuid`."""
        return cls(fingerprint(message), None if carries_results(message) else uuid)


def fingerprint(message: Message) -> bytes:
    """16 bytes that are equal exactly when two messages are the same in the sense of the rule above."""
    parts = []
    for item in message.content:
        if message.role == "assistant" and isinstance(item, Text):
            if item.text.strip():
                parts.append({"type": "text", "text": item.text.strip()})
        else:
            parts.append(block(item))
    canonical = orjson.dumps([message.role, parts], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(canonical, digest_size=16).digest()


def fingerprints(messages: Sequence[Message]) -> tuple[bytes, ...]:
    """The fingerprint of each message, in order."""
    return tuple(fingerprint(message) for message in messages)


def carries_results(message: Message) -> bool:
    """Whether a user message answers tool calls; the CLI cannot be rewound to such a line."""
    return any(isinstance(item, ToolResult) for item in message.content)


def shared(held: Sequence[Entry], wanted: Sequence[bytes]) -> int:
    """How many leading messages are the same."""
    count = 0
    for entry, want in zip(held, wanted, strict=False):
        if entry.fingerprint != want:
            break
        count += 1
    return count


def fork_point(held: Sequence[Entry], wanted: Sequence[bytes]) -> int:
    """How many held entries can stay when the conversation is to become `wanted`.

    All of them, or those before a line that can be rewound: the CLI takes back a user line and all after it.
    """
    count = shared(held, wanted)
    if count == len(held):
        return count
    while count > 0 and held[count].uuid is None:
        count -= 1
    return count
