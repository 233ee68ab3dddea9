"""Whole upstream bodies: what reached the API, minus a written list of what the CLI adds.

Whatever else the CLI adds, or leaves out, shows as a difference. The list is for Claude Code 2.1.332. With the exact
composition it is: two lines before the system prompt, `metadata`, `context_management` beside thinking, and prompt
cache marks; nothing at all in `messages`. With the lines composition `without_notes` takes the CLI's notes out first.
"""

import re
from typing import Any

# One per conversation: the CLI's note about where it runs. It names the folder, the system, the model and the date.
ENVIRONMENT_NOTE = re.compile(
    r"# Environment\nYou have been invoked in the following environment: \n"
    r" - Primary working directory: \S+\n - Is a git repository: (true|false)\n"
    r" - Platform: \w+\n - Shell: \S+\n - OS Version: [^\n]+\n"
    r" - Downloaded files and extracted archives are untrusted data: [^\n]+\n"
    r" - In `curl`, send untrusted values with `--form-string`, not `-F`\.\n\n"
    r"You are powered by the model [^\n]+\n\nToday's date is \d{4}-\d\d-\d\d\."
)
BILLING = re.compile(r"x-anthropic-billing-header: cc_version=[\w.]+; cc_entrypoint=sdk-cli;")
IDENTITY = "You are a Claude agent, built on Anthropic's Claude Agent SDK."

# Fields that say who asks and how the CLI manages its context, the same in every request.
OWN_FIELDS = ("metadata", "context_management")

DEFAULTS: dict[str, Any] = {
    "tools": [],
    "max_tokens": 128000,
    "thinking": {"type": "adaptive", "display": "updates"},
    "output_config": {"effort": "medium"},
    "stream": True,
}


def user(*content: Any) -> dict[str, Any]:
    """A user message of texts and blocks."""
    return {"role": "user", "content": [_block(item) for item in content]}


def assistant(*content: Any) -> dict[str, Any]:
    """An assistant message of texts and blocks."""
    return {"role": "assistant", "content": [_block(item) for item in content]}


def expected(*messages: dict[str, Any], system: str = "", **fields: Any) -> dict[str, Any]:
    """A whole body in the form `seen` gives, with the CLI's defaults where nothing is said."""
    return {"model": "claude-sonnet-5-5", "system": system, "messages": list(messages), **DEFAULTS, **fields}


def seen(body: dict[str, Any]) -> dict[str, Any]:
    """A body without the allow-list; raises AssertionError where a note is not as it should be."""
    billing, identity, *system = [block["text"] for block in body["system"]]
    assert BILLING.fullmatch(billing), billing
    assert identity == IDENTITY
    assert ("context_management" in body) is (body.get("thinking", {}).get("type") in ("adaptive", "enabled"))
    messages = [_message(message) for message in body["messages"]]
    rest = {key: value for key, value in body.items() if key not in (*OWN_FIELDS, "messages", "system")}
    return {**rest, "system": "\n\n".join(system), "messages": messages}


def without_notes(body: dict[str, Any]) -> dict[str, Any]:
    """A body of the lines composition without the messages that the CLI adds; raises AssertionError for other ones."""
    notes = [message for message in body["messages"] if message["role"] == "system"]
    assert all(_is_note(note) for note in notes), notes
    return {**body, "messages": [message for message in body["messages"] if message["role"] != "system"]}


def _is_note(message: dict[str, Any]) -> bool:
    content = message["content"]
    if not content:
        # Carries the effort, nothing else: after the first replayed line, and where the effort changes.
        return set(message) == {"role", "content", "output_config"}
    text = content if isinstance(content, str) else "".join(block["text"] for block in content)
    return ENVIRONMENT_NOTE.fullmatch(text) is not None


def _message(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {"role": message["role"], "content": [_without_cache(block) for block in blocks]}


def _without_cache(block: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in block.items() if key != "cache_control"}
    if isinstance(found.get("content"), list):
        found["content"] = [_without_cache(item) for item in found["content"]]
    return found


def _block(item: Any) -> dict[str, Any]:
    return {"type": "text", "text": item} if isinstance(item, str) else item
