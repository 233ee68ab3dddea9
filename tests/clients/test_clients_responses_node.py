"""The openai Node SDK's Responses API (tests/node/responses.cjs has the JavaScript)."""

from collections.abc import Callable
from typing import Any

import pytest
from harness.proxy import RunningProxy
from harness.upstream import assistant, expected, seen, user

Prompt = Callable[..., str]
Ran = Callable[..., Any]
SCRIPT = "responses.cjs"
# One process of Node for the tests of all its clients.
pytestmark = pytest.mark.xdist_group("node")


def test_create(proxy: RunningProxy, ran: Ran, prompt: Prompt, marker: str) -> None:
    asked = prompt(text="Good day", usage={"input_tokens": 7})
    answer = ran(SCRIPT, "create", asked)
    assert (answer["text"], answer["status"]) == ("Good day", "completed")
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (7, 2)
    assert [seen(body) for body in proxy.bodies(marker)] == [expected(user(asked))]


def test_stream_helper(ran: Ran, prompt: Prompt) -> None:
    found = ran(SCRIPT, "stream", prompt(words=3))
    assert found["deltas"] == ["word1", " word2", " word3"]
    assert found["text"] == "word1 word2 word3"
    assert (found["types"][0], found["types"][-1]) == ("response.created", "response.completed")


def test_parse_with_zod(ran: Ran, marker: str) -> None:
    """The scripted model answers the smallest instance of the schema that reached it."""
    assert ran(SCRIPT, "parse", marker) == {"city": "scripted", "high": 0, "note": None}


def test_a_tool_loop_without_a_store(proxy: RunningProxy, ran: Ran, prompt: Prompt, marker: str) -> None:
    calls = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]
    asked = prompt(text="Let me look.", call=calls, then={"text": "Both are sunny."})
    found = ran(SCRIPT, "tools", asked)
    assert found == {"called": ["Paris", "Rome"], "text": "Both are sunny."}
    _, resumed = proxy.bodies(marker)
    first, said, results = seen(resumed)["messages"]
    assert (first, said) == (user(asked), assistant("Let me look.", *said["content"][1:]))
    assert [(use["name"], use["input"]) for use in said["content"][1:]] == [(c["name"], c["input"]) for c in calls]
    assert [block["content"][0]["text"] for block in results["content"]] == ["sun in Paris", "sun in Rome"]


def test_going_on_from_a_kept_response(proxy: RunningProxy, ran: Ran, prompt: Prompt, marker: str) -> None:
    asked = prompt(text="Sunny.")
    assert ran(SCRIPT, "go_on", asked) == {"previous": True, "text": "Still.", "items": [asked]}
    and_then = user('And?\nscripted: {"text": "Still."}')
    assert seen(proxy.bodies(marker)[-1]) == expected(user(asked), assistant("Sunny."), and_then)


def test_an_unknown_previous_response(ran: Ran, marker: str) -> None:
    assert ran(SCRIPT, "failure", marker) == {
        "name": "BadRequestError", "status": 400, "code": "previous_response_not_found",
        "type": "invalid_request_error", "param": "previous_response_id",
        "message": "400 Previous response with id 'resp_unknown' not found.",
    }  # fmt: skip
