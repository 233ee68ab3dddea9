"""The AI SDK with its OpenAI provider, which asks the Responses API by default (tests/node/ai.cjs)."""

from collections.abc import Callable
from typing import Any

import pytest
from harness.proxy import RunningProxy
from harness.upstream import seen, user

Prompt = Callable[..., str]
Ran = Callable[..., Any]
SCRIPT = "ai.cjs"
# One process of Node for the tests of all its clients.
pytestmark = pytest.mark.xdist_group("node")


def test_text(ran: Ran, prompt: Prompt) -> None:
    found = ran(SCRIPT, "text", prompt(text="Good day", usage={"input_tokens": 7}))
    assert (found["text"], found["finishReason"]) == ("Good day", "stop")
    assert (found["usage"]["inputTokens"], found["usage"]["outputTokens"]) == (7, 2)


def test_text_as_it_comes(ran: Ran, prompt: Prompt) -> None:
    found = ran(SCRIPT, "stream", prompt(words=3))
    assert found == {"deltas": ["word1", " word2", " word3"], "finishReason": "stop"}


@pytest.mark.parametrize("behaviour", ["tools", "tools_without_a_store"])
def test_a_tool_loop(proxy: RunningProxy, ran: Ran, prompt: Prompt, marker: str, behaviour: str) -> None:
    """With a store it names the items of the first step by their ids; the thinking comes back in both."""
    calls = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]
    asked = prompt(thinking="Hm.", call=calls, then={"text": "Both are sunny."})
    assert ran(SCRIPT, behaviour, asked) == {"text": "Both are sunny.", "called": ["Paris", "Rome"], "steps": 2}
    _, resumed = proxy.bodies(marker)
    first, said, results = seen(resumed)["messages"]
    thought, *uses = said["content"]
    assert first == user(asked)
    assert (thought["type"], thought["thinking"]) == ("thinking", "Hm.")
    assert [use["input"] for use in uses] == [call["input"] for call in calls]
    assert [block["content"][0]["text"] for block in results["content"]] == ["sun in Paris", "sun in Rome"]


def test_an_object(ran: Ran, marker: str) -> None:
    assert ran(SCRIPT, "object", marker) == {"city": "scripted", "high": 0}
