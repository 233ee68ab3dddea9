"""Request bodies for the tests of the scripted API, and short ways to look at its answers. No tests here."""

from typing import Any

from claude_max.proxy.scripted import Reply, TextBlock, answer

from .asking import directive

WEATHER = {
    "name": "mcp__a__get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def body(*turns: Any, **more: Any) -> dict[str, Any]:
    """A request whose turns alternate, user first; a dict is a message as it is."""
    said = [
        t if isinstance(t, dict) else {"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(turns)
    ]
    return {"model": "haiku", "max_tokens": 1000, "messages": said, **more}


def say(**wanted: Any) -> str:
    return f"please\n{directive(**wanted)}"


def reply(request: dict[str, Any], number: int = 1) -> Reply:
    made = answer(request, number)
    assert isinstance(made, Reply), made
    return made


def text(request: dict[str, Any]) -> str:
    return "".join(block.text for block in reply(request).blocks if isinstance(block, TextBlock))


def directed(directive: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A request of one message: a directive, or (None) a plain greeting."""
    return body("hi" if directive is None else say(**directive), **more)
