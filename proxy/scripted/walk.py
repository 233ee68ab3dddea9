"""The blocks of a request in the order the service reads them: tools, system, messages. Pure.

Accepts any body: what is not a block is skipped, because the rules that check shapes come later.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]
Block = Mapping[str, Any]


def blocks(body: Body) -> Iterator[tuple[str, Block]]:
    """Each block with its path as the error messages write it: `tools.0`, `system.1`, `messages.2.content.0`.

    The content of a tool result follows the result. A text given as a string is not a block.
    """
    yield from _listed("tools", body.get("tools"))
    yield from _listed("system", body.get("system"))
    for path, message in _listed("messages", body.get("messages")):
        yield from _nested(f"{path}.content", message.get("content"))


def of_messages(body: Body) -> Iterator[tuple[str, Block]]:
    """`blocks`, without tools and system."""
    return ((path, block) for path, block in blocks(body) if path.startswith("messages."))


def content(message: Mapping[str, Any]) -> list[Block]:
    """The blocks of a message; a string is one text block."""
    found = message.get("content") or []
    return [{"type": "text", "text": found}] if isinstance(found, str) else list(found)


def _listed(path: str, found: Any) -> Iterator[tuple[str, Block]]:
    for index, each in enumerate(found if isinstance(found, list) else ()):
        if isinstance(each, Mapping):
            yield f"{path}.{index}", each


def _nested(path: str, found: Any) -> Iterator[tuple[str, Block]]:
    for place, block in _listed(path, found):
        yield place, block
        if block.get("type") == "tool_result":
            yield from _nested(f"{place}.tool_result.content", block.get("content"))
