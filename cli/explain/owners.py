"""The owner of each part of an upstream body: the client, the CLI, or this proxy. Pure.

By Claude Code 2.1.332: the CLI puts two lines before the system prompt and adds `metadata`, `context_management`,
`stream` and what it wants of a model; with the lines composition also notes in messages of the role `system`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from claude_max.proxy.events import JsonObject, OpaqueBlock, RedactedThinking, Thinking, Turn

from .spans import Path

Owner = Literal["yours", "cli", "ours"]
LABELS: Mapping[Owner, str] = {
    "yours": "your request",
    "cli": "added by Claude Code",
    "ours": "added by claude-max",
}
# The CLI's lines before the system prompt.
CLI_LINES = 2
# Fields with only the client's content.
CLIENTS = ("model", "messages", "tools", "system", "stop_sequences", "temperature", "top_p", "top_k", "tool_choice")


class Owners:
    """The owners in one body, which was made from `turn`."""

    def __init__(self, turn: Turn, body: JsonObject) -> None:
        self._turn = turn
        self._body = body

    def __call__(self, path: Path) -> Owner:
        """The owner of the value at a path."""
        match path:
            case ():
                return "cli"
            case ("system", *rest):
                return self._system(rest)
            case ("messages", int(index), *_) if self._message(index).get("role") == "system":
                return "yours" if self._is_clients_note(index) else "cli"
            case ("messages", int(index), "content", int(block), "cache_control", *_):
                return "yours" if self._is_marked(index, block) else "ours"
            case ("messages", int(index), "content", int(block), *_) if self._is_restored(index, block):
                return "ours"
            case ("max_tokens",):
                return "yours" if self._turn.max_tokens is not None else "ours"
            case ("thinking", *_):
                return self._thinking()
            case ("output_config", "format", *_):
                return "yours"
            case ("output_config", "effort"):
                return "yours" if self._turn.effort is not None else "cli"
            case (str(name), *_) if name in CLIENTS:
                return "yours"
        return "cli"

    def _system(self, rest: Sequence[str | int]) -> Owner:
        if not rest or not isinstance(rest[0], int):
            return "cli"
        is_clients = rest[0] >= CLI_LINES and "cache_control" not in rest
        return "yours" if is_clients else "cli"

    def _thinking(self) -> Owner:
        if self._turn.thinking != "default" or self._turn.thinking_budget is not None:
            return "yours"
        value = self._body.get("thinking")
        kind = value.get("type") if isinstance(value, dict) else None
        # The CLI's own request is adaptive thinking; a budget has to fit the request's limit.
        return "cli" if kind == "adaptive" else "ours"

    def _message(self, index: int) -> JsonObject:
        messages = self._body.get("messages")
        found = messages[index] if isinstance(messages, list) and index < len(messages) else None
        return found if isinstance(found, dict) else {}

    def _is_clients_note(self, index: int) -> bool:
        same = len(self._body["messages"]) == len(self._turn.messages)
        return same and self._turn.messages[index].role == "system"

    def _block(self, index: int, block: int) -> Any:
        """The Turn's block at this path; None if the messages do not correspond to the Turn's."""
        if len(self._body["messages"]) != len(self._turn.messages):
            return None
        content = self._turn.messages[index].content
        return content[block] if block < len(content) else None

    def _is_marked(self, index: int, block: int) -> bool:
        found = self._block(index, block)
        own = found.json.get("cache_control") if isinstance(found, OpaqueBlock) else getattr(found, "cache", None)
        return own is not None

    def _is_restored(self, index: int, block: int) -> bool:
        """Thinking that the client did not send back."""
        value = self._message(index).get("content")
        found = value[block] if isinstance(value, list) and block < len(value) else None
        kind = found.get("type") if isinstance(found, dict) else None
        sent = any(isinstance(each, Thinking | RedactedThinking) for m in self._turn.messages for each in m.content)
        return kind in ("thinking", "redacted_thinking") and not sent
