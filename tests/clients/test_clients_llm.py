"""Simon Willison's `llm` command, set up the way its users do it: a line in extra-openai-models.yaml."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.proxy import RunningProxy
from harness.upstream import seen

Prompt = Callable[..., str]
Llm = Callable[..., subprocess.Popen[str]]
MODELS = """
- {{model_id: max, model_name: sonnet, api_base: {url}/v1, supports_tools: true, supports_schema: true}}
- {{model_id: legacy, model_name: sonnet, api_base: {url}/v1, completion: true}}
"""


@pytest.fixture
def llm(proxy: RunningProxy, home: Path) -> Llm:
    """Starts `llm` with a folder of its own."""
    (home / "extra-openai-models.yaml").write_text(MODELS.format(url=proxy.url))
    found = shutil.which("llm", path=str(Path(sys.executable).parent))
    assert found, "llm is not installed beside this Python"

    def started(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [found, *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "LLM_USER_PATH": str(home),
                "OPENAI_API_KEY": "anything",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


@pytest.fixture
def said(llm: Llm) -> Callable[..., str]:
    """Runs `llm` to its end; what it printed."""

    def run(*arguments: str) -> str:
        with llm(*arguments) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out.strip()

    return run


def test_a_prompt_and_its_continuation(
    proxy: RunningProxy, said: Callable[..., str], prompt: Prompt, marker: str
) -> None:
    assert said("-m", "max", "-s", "Be brief.", prompt(text="Good day")) == "Good day"
    assert said("-c", prompt(text="Good night"), "--no-stream") == "Good night"
    _, continued = proxy.bodies(marker)
    assert seen(continued)["system"] == "Be brief."
    assert [message["role"] for message in seen(continued)["messages"]] == ["user", "assistant", "user"]


def test_words_as_they_come(llm: Llm, prompt: Prompt, aborted: Callable[[], None]) -> None:
    """The first word is there while the model still speaks: the program is ended, and with it the answer upstream."""
    with llm("-m", "max", prompt(words=200, pause=0.2)) as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == "word1"
        process.kill()
        aborted()


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
