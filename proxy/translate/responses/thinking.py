"""The model's thinking in a reasoning item's `encrypted_content`, so that a client can send it back. Pure.

OpenAI's field is opaque to clients. Ours holds one thinking block with the service's own signature, or one redacted
block, as base64 of JSON: it needs no key and survives a restart, and a changed one is refused by the service.
"""

import base64
import binascii

import orjson

from ...events import RedactedThinking, Thinking

# Distinguishes our own from that of other servers.
PREFIX = "claude-max:1:"


def encrypted(block: Thinking | RedactedThinking) -> str:
    """The `encrypted_content` of a block."""
    value = {"text": block.text, "signature": block.signature} if isinstance(block, Thinking) else {"data": block.data}
    return PREFIX + base64.b64encode(orjson.dumps(value)).decode()


def decrypted(content: str) -> Thinking | RedactedThinking | None:
    """The block in an `encrypted_content`; None for one that was not made here, or was changed on the way."""
    if not content.startswith(PREFIX):
        return None
    try:
        value = orjson.loads(base64.b64decode(content.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        return None
    match value:
        case {"text": str(text), "signature": str(signature)} if signature:
            return Thinking(text, signature)
        case {"data": str(data)} if data:
            return RedactedThinking(data)
    return None
