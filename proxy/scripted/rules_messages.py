"""What the real API refuses about the conversation: roles, empty content, calls without results and the reverse. Pure.

The wording follows the real messages where they are publicly known, so that code that reads them can be tested. Claude
Code puts `system` messages of its own among the others; they are allowed here as it sends them (2.1.330): right after a
user message, and empty only when they carry an output_config. Their places are documented (platform.claude.com,
"Mid-conversation system messages", limitations); the sentence about them is made up, and models that are documented to
take no such message are not told apart, because Claude Code sends it to all of them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_KINDS = frozenset(
    [
        "text",
        "image",
        "document",
        "search_result",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "tool_result",
        "container_upload",
        "compaction",
        "fallback",
        "tool_addition",
        "tool_removal",
        "browser_state",
    ]
)
_ID = re.compile(r"[a-zA-Z0-9_-]+")


@dataclass
class _Turn:
    """Consecutive messages of one role, which the API merges."""

    role: str
    first: int
    blocks: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # (path, block)

    def of(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(path, block) for path, block in self.blocks if block.get("type") == kind]


def complaints(messages: Any) -> Iterator[str]:
    """Every reason to refuse `messages`, each as the error message's text; empty if they are valid."""
    if not isinstance(messages, list):
        yield "messages: Input should be a valid list"
    elif not messages:
        yield "messages: at least one message is required"
    elif broken := list(_shape(messages)):
        # Items that are not messages cannot be checked further.
        yield from broken
    else:
        turns = _turns(messages)
        if turns[0].role != "user":
            yield 'messages: first message must use the "user" role'
        yield from _content(messages)
        yield from _ending(messages)
        yield from _places(turns)
        yield from _pairs(turns)


def notes(messages: list[dict[str, Any]]) -> Iterator[str]:
    """Every `system` message at a wrong place; for messages with a valid shape."""
    for index, message in enumerate(messages):
        before, after = messages[index - 1] if index else None, messages[index + 1 : index + 2]
        if message["role"] != "system":
            continue
        follows = before is not None and (before["role"] in ("user", "system") or _ends_served(before))
        if not follows or (after and after[0]["role"] == "user"):
            yield (
                f"messages.{index}: `system` messages must follow a `user` turn and precede an `assistant` turn or the"
                " end of the conversation"
            )


def _ends_served(message: dict[str, Any]) -> bool:
    """Whether an assistant's message ends with the result of a tool that runs on the service's side."""
    content = message["content"]
    kind = content[-1]["type"] if isinstance(content, list) and content else ""
    return message["role"] == "assistant" and kind.endswith("_tool_result")


def _shape(messages: list[Any]) -> Iterator[str]:
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            yield f"messages.{index}: Input should be a valid dictionary"
        elif message.get("role") not in ("user", "assistant", "system"):
            yield f"messages.{index}.role: Input should be 'user' or 'assistant'"
        elif not isinstance(message.get("content"), (str, list)):
            yield f"messages.{index}.content: Input should be a valid list"
        elif isinstance(message["content"], list):
            for place, block in enumerate(message["content"]):
                if not isinstance(block, dict) or not isinstance(block.get("type"), str):
                    yield f"messages.{index}.content.{place}: Input should be a valid content block"
                elif not _is_known(block["type"]):
                    yield (
                        f"messages.{index}.content.{place}: Input tag '{block['type']}' found using 'type' does not"
                        " match any of the expected tags"
                    )
                elif block["type"] == "text" and not isinstance(block.get("text"), str):
                    yield f"messages.{index}.content.{place}.text: Input should be a valid string"


def _is_known(kind: str) -> bool:
    """Whether a block's type is one that the SDK (anthropic 2.14, `types/beta`) knows."""
    return kind in _KINDS or kind.endswith(("_tool_use", "_tool_result"))


def _content(messages: list[dict[str, Any]]) -> Iterator[str]:
    for index, message in enumerate(messages):
        content, last = message["content"], index == len(messages) - 1
        if not content:
            if message["role"] == "system":
                if "output_config" not in message:
                    yield f"messages.{index}.content: system messages must have non-empty content"
            elif not (last and message["role"] == "assistant"):
                yield (
                    f"messages.{index}.content: all messages must have non-empty content except for the optional final"
                    " assistant message"
                )
            continue
        texts = [("", content)] if isinstance(content, str) else _texts(content)
        for path, text in texts:
            if not text:
                yield f"messages.{index}.content{path}: text content blocks must be non-empty"
            elif not text.strip():
                yield f"messages.{index}.content{path}: text content blocks must contain non-whitespace text"


def _texts(content: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(f".{place}", block["text"]) for place, block in enumerate(content) if block["type"] == "text"]


def _ending(messages: list[dict[str, Any]]) -> Iterator[str]:
    spoken = [message for message in messages if message["role"] != "system"][-1:]
    for message in spoken:
        content = message["content"]
        text = content if isinstance(content, str) else content[-1].get("text", "") if content else ""
        if message["role"] == "assistant" and text != text.rstrip():
            yield "messages: final assistant content cannot end with trailing whitespace"


def _turns(messages: list[dict[str, Any]]) -> list[_Turn]:
    turns: list[_Turn] = []
    for index, message in enumerate(messages):
        if not turns or turns[-1].role != message["role"]:
            turns.append(_Turn(message["role"], index))
        content = message["content"]
        if isinstance(content, str):
            turns[-1].blocks.append((f"messages.{index}.content", {"type": "text", "text": content}))
        else:
            turns[-1].blocks += [(f"messages.{index}.content.{place}", block) for place, block in enumerate(content)]
    return turns


def _places(turns: list[_Turn]) -> Iterator[str]:
    seen: set[str] = set()
    for turn in turns:
        if turn.role != "user":
            for path, _ in turn.of("tool_result"):
                yield f"{path}: `tool_result` blocks can only be in `user` messages"
        for path, block in turn.of("tool_use"):
            if turn.role != "assistant":
                yield f"{path}: `tool_use` blocks can only be in `assistant` messages"
            if not isinstance(block.get("input"), dict):
                yield f"{path}.tool_use.input: Input should be a valid dictionary"
            name = str(block.get("id", ""))
            if not _ID.fullmatch(name):
                yield f"{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
            if name in seen:
                yield f"{path}: `tool_use` ids must be unique"
            seen.add(name)


def _pairs(turns: list[_Turn]) -> Iterator[str]:
    """Results must directly follow their calls: a system message between them is an error."""
    nothing = _Turn("", -1)
    for before, turn, after in zip([nothing, *turns], turns, [*turns[1:], nothing], strict=False):
        if turn.role == "assistant":
            answered = _leading_results(after)
            if missing := [block["id"] for _, block in turn.of("tool_use") if block.get("id") not in answered]:
                yield (
                    f"messages.{turn.first}: `tool_use` ids were found without `tool_result` blocks immediately after:"
                    f" {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in"
                    " the next message."
                )
        if turn.role == "user":
            called = {block.get("id") for _, block in before.of("tool_use")}
            given: set[Any] = set()
            for path, block in turn.of("tool_result"):
                name = block.get("tool_use_id")
                if name not in called:
                    yield (
                        f"{path}: unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result`"
                        " block must have a corresponding `tool_use` block in the previous message."
                    )
                if name in given:
                    yield (
                        f"{path}: each tool_use must have a single result. Found multiple `tool_result` blocks with"
                        f" id: {name}"
                    )
                given.add(name)


def _leading_results(turn: _Turn) -> set[Any]:
    """The results at the start of a user turn: the API does not see results after other blocks."""
    found: set[Any] = set()
    if turn.role != "user":
        return found
    for _, block in turn.blocks:
        if block.get("type") != "tool_result":
            break
        found.add(block.get("tool_use_id"))
    return found
