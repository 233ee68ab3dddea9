"""Simon Willison's `llm` command, set up the way its users do it: a line in extra-openai-models.yaml."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.command import run
from harness.forked import start
from harness.proxy import RunningProxy
from harness.upstream import seen

Prompt = Callable[..., str]
# One process loads `llm` for all of its tests.
pytestmark = pytest.mark.xdist_group("llm")
BOUND = 20.0
MODELS = """
- {{model_id: max, model_name: sonnet, api_base: {url}/v1, supports_tools: true, supports_schema: true}}
- {{model_id: legacy, model_name: sonnet, api_base: {url}/v1, completion: true}}
"""


@pytest.fixture
def environ(proxy: RunningProxy, home: Path) -> dict[str, str]:
    """A folder of its own for `llm`."""
    (home / "extra-openai-models.yaml").write_text(MODELS.format(url=proxy.url))
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LLM_USER_PATH": str(home), "OPENAI_API_KEY": "anything"}


@pytest.fixture
def said(environ: dict[str, str]) -> Callable[..., str]:
    """Runs `llm` to its end; what it printed."""

    def asked(*arguments: str) -> str:
        ended = run(arguments, environ, command="llm")
        assert ended.code == 0, ended.err
        return ended.out.strip()

    return asked


def test_a_prompt_and_its_continuation(
    proxy: RunningProxy, said: Callable[..., str], prompt: Prompt, marker: str
) -> None:
    assert said("-m", "max", "-s", "Be brief.", prompt(text="Good day")) == "Good day"
    assert said("-c", prompt(text="Good night"), "--no-stream") == "Good night"
    _, continued = proxy.bodies(marker)
    assert seen(continued)["system"] == "Be brief."
    assert [message["role"] for message in seen(continued)["messages"]] == ["user", "assistant", "user"]


def test_words_as_they_come(environ: dict[str, str], prompt: Prompt, aborted: Callable[[], None]) -> None:
    """The first word is there while the model still speaks: the program is ended, and with it the answer upstream."""
    arguments = ["-m", "max", prompt(words=200, pause=0.2)]
    process = start(arguments, environ, command="llm", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as words:
        assert words.read(5) == b"word1"
        process.kill()
        aborted()
    process.wait(BOUND)


def test_a_schema(said: Callable[..., str], marker: str) -> None:
    """The scripted model answers the smallest instance of the schema that reached it."""
    assert json.loads(said("-m", "max", "--schema", "name, age int", marker)) == {"name": "scripted", "age": 0}


def test_a_function(proxy: RunningProxy, said: Callable[..., str], prompt: Prompt, marker: str) -> None:
    calls = [{"name": "upper", "input": {"text": text}} for text in ("abc", "xyz")]
    code = "def upper(text: str) -> str:\n    return text.upper()"
    out = said("-m", "max", "--functions", code, prompt(call=calls, then={"text": "Done."}))
    assert out == "Done."
    _, resumed = proxy.bodies(marker)
    blocks = seen(resumed)["messages"][-1]["content"]
    assert [block["content"][0]["text"] for block in blocks] == ["ABC", "XYZ"]


def test_a_legacy_completion(said: Callable[..., str], prompt: Prompt) -> None:
    assert said("-m", "legacy", prompt(words=3)) == "word1 word2 word3"
