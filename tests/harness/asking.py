"""What the scripted service is to answer, and one plain request to a running proxy."""

import json
from typing import Any

from harness.proxy import RunningProxy

CHAT = "/v1/chat/completions"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOL: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def directive(**reply: Any) -> str:
    """A line of a prompt that makes the scripted service answer so; see scripted/directive.py."""
    return f"scripted: {json.dumps(reply)}"


def ask(proxy: RunningProxy, text: str, **fields: Any) -> Any:
    """The response to one user message."""
    messages = [{"role": "user", "content": text}]
    return proxy.http.post(CHAT, json={"model": "sonnet", "messages": messages, **fields})


def fine(proxy: RunningProxy) -> bool:
    """Whether an ordinary request is answered."""
    answer = ask(proxy, directive(text="fine"))
    return bool(answer.json()["choices"][0]["message"]["content"] == "fine")
