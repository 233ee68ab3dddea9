"""LiteLLM's proxy in front of this one, with the file that `connect` writes: a request goes through both."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from certified.conftest import installed, keep
from certified.programs import LITELLM
from harness.asking import directive
from harness.command import claude_max
from harness.machine import eventually, free_port
from harness.proxy import RunningProxy

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("certified")]
KEY = "sk-for-everybody"
TOOL: Any = {"type": "function", "function": {"name": "make", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def gateway(running: RunningProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """A client of a running LiteLLM."""
    home, port = tmp_path_factory.mktemp("litellm"), free_port()
    done = claude_max(home, "connect", "litellm", "--yes", environ={"CLAUDE_MAX_PORT": running.url.rpartition(":")[2]})
    assert done.code == 0, done.err
    places, _ = installed(LITELLM)
    log = (home / "log.txt").open("wb")
    server = subprocess.Popen(
        [str(places[0] / "litellm"), "--config", str(home / ".config/claude-max/litellm.yaml"), "--port", str(port)],
        env={"PATH": f"{places[0]}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "LITELLM_MASTER_KEY": KEY},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _up(url), 120, said=lambda: (home / "log.txt").read_text())
        with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=60) as client:
            yield client
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def _up(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/liveliness", timeout=5).is_success
    except httpx2.HTTPError:
        return False


def asked(gateway: openai.OpenAI, **reply: Any) -> Any:
    content = f"Good day.\n{directive(**reply)}"
    return gateway.chat.completions.create(model="sonnet", messages=[{"role": "user", "content": content}])


def test_a_plain_answer(gateway: openai.OpenAI) -> None:
    keep(LITELLM, LITELLM.version, "a plain answer", "fails")
    assert asked(gateway, text="Lovely weather.").choices[0].message.content == "Lovely weather."
    # Without a database it says so, and lets nobody in.
    with pytest.raises(openai.APIStatusError, match=r"No connected db|Invalid|key"):
        asked(gateway.with_options(api_key="sk-wrong"), text="no")
    keep(LITELLM, LITELLM.version, "a plain answer", "works")


def test_a_tool_makes_a_file(gateway: openai.OpenAI, tmp_path: Path) -> None:
    keep(LITELLM, LITELLM.version, "a tool makes a file", "fails")
    prompt = f"Good day.\n{directive(call={'name': 'make', 'input': {}}, then={'text': 'It is made.'})}"
    messages: list[Any] = [{"role": "user", "content": prompt}]
    first = gateway.chat.completions.create(model="sonnet", messages=messages, tools=[TOOL]).choices[0].message
    assert first.tool_calls
    (tmp_path / "made.txt").write_text("made\n")
    messages += [first.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "done"}]
    last = gateway.chat.completions.create(model="sonnet", messages=messages, tools=[TOOL]).choices[0].message
    assert last.content == "It is made."
    keep(LITELLM, LITELLM.version, "a tool makes a file", "works")


def test_a_429(gateway: openai.OpenAI) -> None:
    keep(LITELLM, LITELLM.version, "a 429", "fails")
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        asked(gateway, status=429, message="Slow down.")
    keep(LITELLM, LITELLM.version, "a 429", "works: says so")


def test_a_cut_stream(gateway: openai.OpenAI) -> None:
    keep(LITELLM, LITELLM.version, "a cut stream", "fails")
    content = f"Good day.\n{directive(words=40, cut_after=20)}"
    with pytest.raises(openai.APIError):
        for chunk in gateway.chat.completions.create(
            model="sonnet", messages=[{"role": "user", "content": content}], stream=True
        ):
            assert "word40" not in str(chunk)
    keep(LITELLM, LITELLM.version, "a cut stream", "works: says so")
