"""One plain request to a running proxy."""

import json
from typing import Any

from harness.proxy import RunningProxy

TOOL: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def ask(proxy: RunningProxy, text: str, **fields: Any) -> Any:
    """The response to one user message."""
    messages = [{"role": "user", "content": text}]
    return proxy.http.post("/v1/chat/completions", json={"model": "sonnet", "messages": messages, **fields})


def fine(proxy: RunningProxy) -> bool:
    """Whether an ordinary request is answered."""
    answer = ask(proxy, "scripted: " + json.dumps({"text": "fine"}))
    return bool(answer.json()["choices"][0]["message"]["content"] == "fine")
