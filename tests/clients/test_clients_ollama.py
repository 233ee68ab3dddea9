"""The official ollama Python client, langchain-ollama and the llm-ollama plugin against the ollama API."""

import base64
import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import ollama
import pytest
from harness.asking import PIXEL
from harness.command import run
from harness.proxy import RunningProxy
from harness.upstream import seen

Prompt = Callable[..., str]
SCHEMA: Any = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.fixture
def client(proxy: RunningProxy) -> Iterator[ollama.Client]:
    """The client."""
    with contextlib.closing(ollama.Client(host=proxy.url)) as made:
        yield made


def said(text: str, **more: Any) -> Any:
    """One user message."""
    return [{"role": "user", "content": text, **more}]


def test_chat(client: ollama.Client, prompt: Prompt) -> None:
    answer = client.chat("sonnet", said(prompt(text="Good day", thinking="hm")), think=True)
    assert (answer.message.content, answer.message.thinking, answer.done_reason) == ("Good day", "hm", "stop")
    assert (answer.eval_count or 0) > 0
    words = client.chat("sonnet:latest", said(prompt(words=3)), stream=True)
    assert "".join(piece.message.content or "" for piece in words) == "word1 word2 word3"


def test_functions(client: ollama.Client, prompt: Prompt) -> None:
    def upper(text: str) -> str:
        """Writes a text in capital letters.

        Args:
            text: The text.
        """
        return text.upper()

    calls = [{"name": "upper", "input": {"text": text}} for text in ("abc", "xyz")]
    messages = said(prompt(call=calls, then={"text": "Done."}))
    answer = client.chat("sonnet", messages, tools=[upper])
    messages.append(answer.message)
    for call in answer.message.tool_calls or ():
        result = upper(**cast("Any", call.function.arguments))
        messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
    assert client.chat("sonnet", messages, tools=[upper]).message.content == "Done."
    assert [message["content"] for message in messages[2:]] == ["ABC", "XYZ"]


def test_pictures_and_schemas(client: ollama.Client, proxy: RunningProxy, marker: str) -> None:
    answer = client.chat("sonnet", said(marker, images=[base64.b64decode(PIXEL)]), format=SCHEMA)
    assert json.loads(answer.message.content or "") == {"a": "scripted"}
    assert seen(proxy.bodies(marker)[0])["messages"][0]["content"][1]["source"]["media_type"] == "image/png"


def test_generate(client: ollama.Client, prompt: Prompt) -> None:
    assert client.generate("sonnet", prompt(text="Good day")).response == "Good day"
    assert client.generate("sonnet").done_reason == "load"


def test_models(client: ollama.Client) -> None:
    assert "sonnet:latest" in {model.model for model in client.list().models}
    shown = client.show("sonnet:latest")
    assert "tools" in (shown.capabilities or [])
    assert client.ps().models == []


def test_errors(client: ollama.Client, prompt: Prompt) -> None:
    with pytest.raises(ollama.ResponseError) as missing:
        client.chat("llama3", said("hello"))
    assert missing.value.status_code == 404
    for refused in (lambda: client.pull("llama3"), lambda: client.embed("sonnet", "hello")):
        with pytest.raises(ollama.ResponseError, match="Unknown path: POST"):
            refused()
    failing = prompt(words=30, error_after=3, error={"kind": "api_error"})
    with pytest.raises(ollama.ResponseError):
        list(client.chat("sonnet", said(failing), stream=True))


# Where langchain is loaded already.
@pytest.mark.xdist_group("test_clients_anthropic")
def test_langchain(proxy: RunningProxy, prompt: Prompt) -> None:
    from langchain_core.messages import HumanMessage
    from langchain_core.tools import tool
    from langchain_ollama import ChatOllama

    @tool  # type: ignore[untyped-decorator]
    def look(at: str) -> str:
        """Looks at something."""
        return f"a picture of {at}"

    model = ChatOllama(model="sonnet", base_url=proxy.url, validate_model_on_init=True)
    asked = HumanMessage(prompt(call={"name": "look", "input": {"at": "me"}}, then={"text": "Seen."}))
    with_tools = model.bind_tools([look])
    first = with_tools.invoke([asked])
    [call] = first.tool_calls
    assert with_tools.invoke([asked, first, look.invoke(call)]).content == "Seen."
    assert "".join(str(chunk.content) for chunk in model.stream(prompt(words=3))) == "word1 word2 word3"


@pytest.mark.xdist_group("llm")
def test_the_llm_plugin(proxy: RunningProxy, home: Path, prompt: Prompt) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LLM_USER_PATH": str(home), "OLLAMA_HOST": proxy.url}

    def asked(*arguments: str) -> str:
        ended = run(arguments, environ, command="llm")
        assert ended.code == 0, ended.err
        return ended.out.strip()

    assert "sonnet" in asked("models", "list")
    assert asked("-m", "ollama/sonnet", "-s", "Be brief.", prompt(text="Good day")) == "Good day"
    code = "def upper(text: str) -> str:\n    return text.upper()"
    calls = [{"name": "upper", "input": {"text": text}} for text in ("abc", "xyz")]
    assert asked("-m", "ollama/sonnet", "--functions", code, prompt(call=calls, then={"text": "Done."})) == "Done."
