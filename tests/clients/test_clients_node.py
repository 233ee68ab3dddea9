"""The real Anthropic SDK for TypeScript and the ollama client for JavaScript (tests/node has the scripts)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

Prompt = Callable[..., str]
Run = Callable[[str, str], Any]
# One process of Node for the tests of all its clients.
pytestmark = pytest.mark.xdist_group("node")


@pytest.fixture
def anthropic(ran: Callable[..., Any]) -> Run:
    """Anthropic's SDK."""
    return partial(ran, "anthropic.cjs")


@pytest.fixture
def ollama(ran: Callable[..., Any]) -> Run:
    """The ollama client."""
    return partial(ran, "ollama.cjs")


def test_anthropic_create(anthropic: Run, prompt: Prompt) -> None:
    message = anthropic("create", prompt(text="Good day", usage={"input_tokens": 7}))
    assert message["content"] == [{"type": "text", "text": "Good day"}]
    assert (message["stop_reason"], message["usage"]["input_tokens"]) == ("end_turn", 7)
    assert message["requestID"].startswith("req_")


def test_anthropic_stream(anthropic: Run, prompt: Prompt) -> None:
    found = anthropic("stream", prompt(thinking="hm", text="Good day"))
    thinking, text = found["final"]["content"]
    assert (thinking["thinking"], text["text"]) == ("hm", "Good day")
    assert thinking["signature"]
    assert (found["kinds"][0], found["kinds"][-1]) == ("message_start", "message_stop")


def test_anthropic_tool_runner(anthropic: Run, prompt: Prompt) -> None:
    calls = [{"name": "upper", "input": {"text": each}} for each in ("abc", "xyz")]
    found = anthropic("runner", prompt(thinking="hm", call=calls, then={"text": "Done."}))
    assert found["called"] == ["abc", "xyz"]
    assert found["final"]["content"][-1]["text"] == "Done."


def test_anthropic_count_tokens(anthropic: Run, marker: str) -> None:
    found = anthropic("count", f"{marker} hello")
    assert 0 < found["few"] < found["many"]


def test_anthropic_errors(anthropic: Run, marker: str) -> None:
    found = anthropic("failed", marker)
    assert (found["name"], found["status"], found["type"]) == ("BadRequestError", 400, "invalid_request_error")
    assert found["requestID"].startswith("req_")


def test_ollama_chat(ollama: Run, prompt: Prompt) -> None:
    found = ollama("chat", prompt(thinking="hm", text="Good day"))
    assert (found["message"]["content"], found["message"]["thinking"]) == ("Good day", "hm")
    found = ollama("stream", prompt(words=3))
    assert (found["text"], found["last"]["done_reason"]) == ("word1 word2 word3", "stop")


def test_ollama_tools(ollama: Run, prompt: Prompt) -> None:
    calls = [{"name": "upper", "input": {"text": each}} for each in ("abc", "xyz")]
    found = ollama("tools", prompt(call=calls, then={"text": "Done."}))
    assert found["text"] == "Done."
    assert [result["content"] for result in found["results"]] == ["ABC", "XYZ"]


def test_ollama_models_and_errors(ollama: Run, marker: str) -> None:
    found = ollama("models", marker)
    assert "sonnet:latest" in found["names"]
    assert "tools" in found["shown"]["capabilities"]
    failed = ollama("failed", marker)
    assert failed["status"] == 404
    assert "llama3" in failed["message"]
