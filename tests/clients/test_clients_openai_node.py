"""The real openai Node SDK (tests/node/sdk.cjs has the JavaScript) against the installed command and the real CLI."""

import json
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from harness.proxy import RunningProxy
from harness.upstream import assistant, seen, user

NODE = Path(__file__).parent.parent / "node"
SCRIPT = "sdk.cjs"
Prompt = Callable[..., str]
Sdk = Callable[[str, str], Any]
# One process of Node for the tests of all its clients.
pytestmark = pytest.mark.xdist_group("node")


@pytest.fixture
def sdk(ran: Callable[..., Any]) -> Sdk:
    """Runs one behaviour of the script; what it printed."""
    return partial(ran, SCRIPT)


def test_create(sdk: Sdk, prompt: Prompt) -> None:
    answer = sdk("create", prompt(text="Good day", usage={"input_tokens": 7}))
    assert answer["choice"]["message"]["content"] == "Good day"
    assert answer["choice"]["finish_reason"] == "stop"
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (7, 2)
    assert answer["requestID"].startswith("req_")


def test_create_streaming(sdk: Sdk, prompt: Prompt) -> None:
    *chunks, last = sdk("stream", prompt(words=5))
    assert (
        "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
        == "word1 word2 word3 word4 word5"
    )
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [*[None] * (len(chunks) - 1), "stop"]
    assert (last["choices"], last["usage"]["completion_tokens"]) == ([], 5)


def test_stream_helper(sdk: Sdk, prompt: Prompt) -> None:
    found = sdk("helper", prompt(words=3))
    assert [delta for delta in found["deltas"] if delta] == ["word1", " word2", " word3"]
    assert found["done"] == found["final"] == "word1 word2 word3"
    assert found["roles"] == ["assistant"]
    assert found["usage"]["completion_tokens"] == 3


def test_parse_with_zod(sdk: Sdk, marker: str) -> None:
    """The scripted model answers the smallest instance of the schema that reached it."""
    smallest = {"city": "scripted", "sky": "rain", "range": {"low": 0, "high": 0}, "note": None}
    assert sdk("parse", marker) == smallest


def test_stream_and_parse_with_zod(sdk: Sdk, prompt: Prompt) -> None:
    forecast = {"city": "Rome", "sky": "sun", "range": {"low": 9.5, "high": 20}, "note": "warm and dry"}
    found = sdk("stream_parse", prompt(text=json.dumps(forecast)))
    assert found["parsed"] == forecast
    assert {"city": "Rome"} in found["partial"]


@pytest.mark.parametrize("behaviour", ["run_tools", "run_tools_streaming"])
def test_tool_runner(proxy: RunningProxy, sdk: Sdk, prompt: Prompt, marker: str, behaviour: str) -> None:
    calls = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]
    asked = prompt(text="Let me look.", call=calls, then={"text": "Both are sunny."})
    found = sdk(behaviour, asked)
    assert found["text"] == "Both are sunny."
    assert sorted(found["called"]) == ["Paris", "Rome"]
    assert found["roles"] == ["user", "assistant", "tool", "tool", "assistant"]
    assert found.get("events", [[0, {"city": "Paris"}], [1, {"city": "Rome"}]]) == [
        [n, c["input"]] for n, c in enumerate(calls)
    ]
    _, resumed = proxy.bodies(marker)
    first, said, results = seen(resumed)["messages"]
    uses = said["content"][1:]
    assert (first, said) == (user(asked), assistant("Let me look.", *uses))
    assert [(use["name"], use["input"]) for use in uses] == [(call["name"], call["input"]) for call in calls]
    texts = {block["tool_use_id"]: block["content"][0]["text"] for block in results["content"]}
    assert [texts[use["id"]] for use in uses] == ["sun in Paris", "sun in Rome"]


def test_a_rate_limit_hours_away_is_not_retried(proxy: RunningProxy, sdk: Sdk, prompt: Prompt, marker: str) -> None:
    """With the SDK's own retries left on."""
    error = sdk("failure", prompt(status=429))
    assert (error["name"], error["status"], error["code"]) == ("RateLimitError", 429, "rate_limit_exceeded")
    assert error["requestID"].startswith("req_")
    assert len(proxy.bodies(marker)) == 1


def test_an_unknown_model(sdk: Sdk, marker: str) -> None:
    error = sdk("unknown_model", marker)
    assert (error["name"], error["status"], error["code"], error["param"]) == (
        "NotFoundError",
        404,
        "model_not_found",
        "model",
    )


def test_abort_in_the_middle(
    proxy: RunningProxy, node_modules: Path, prompt: Prompt, aborted: Callable[[], None]
) -> None:
    """The process goes on, so that it is not its end which closes the connection."""
    words = ["node", str(NODE / SCRIPT), "abort", proxy.url, prompt(words=200, pause=0.2)]
    environ = {"PATH": os.environ["PATH"], "NODE_PATH": str(node_modules)}
    with subprocess.Popen(words, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        assert found == {"text": "word1", "aborted": True}
        aborted()
        assert process.poll() is None
        process.communicate()


def test_models(sdk: Sdk) -> None:
    found = sdk("models", "")
    assert {"claude-opus-4", "claude-sonnet-4", "claude-haiku-4"} <= set(found["ids"])
    assert found["one"] == "claude-opus-4"
