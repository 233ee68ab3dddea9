"""Packs the summary of a compacted conversation into an item's `encrypted_content`, and unpacks it. Pure."""

import base64
import binascii

PREFIX = "claude-max:summary:1:"
INTRODUCTION = "The conversation before this was replaced by its summary:"


def packed(summary: str) -> str:
    """The `encrypted_content` of a summary."""
    return PREFIX + base64.b64encode(summary.encode()).decode()


def unpacked(content: str) -> str | None:
    """The summary in an `encrypted_content`, as a message has it; None for one that was not made here."""
    if not content.startswith(PREFIX):
        return None
    try:
        return f"{INTRODUCTION}\n\n{base64.b64decode(content.removeprefix(PREFIX), validate=True).decode()}"
    except (binascii.Error, ValueError):
        return None
