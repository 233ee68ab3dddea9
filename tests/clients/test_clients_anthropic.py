"""The official anthropic Python SDK, langchain-anthropic and LiteLLM's anthropic provider against the Messages API."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest
from harness.asking import PIXEL
from harness.proxy import RunningProxy

# Imported where it is used: it takes half a second, in each process that collects this file.
if TYPE_CHECKING:
    import anthropic

Prompt = Callable[..., str]
LOOK: Any = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture
def sdk(proxy: RunningProxy) -> Iterator["anthropic.Anthropic"]:
    """The SDK, without retries so that every status is seen."""
    import anthropic

    with anthropic.Anthropic(base_url=proxy.url, api_key="anything", max_retries=0) as client:
        yield client


def ask(text: str, **fields: Any) -> Any:
    """The parameters of one user message."""
    return {"model": "sonnet", "max_tokens": 2000, "messages": [{"role": "user", "content": text}], **fields}


def test_create(sdk: "anthropic.Anthropic", proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    text = prompt(text="Good day", usage={"input_tokens": 7})
    message: Any = sdk.messages.create(
        **ask(text, system=[{"type": "text", "text": "Be brief."}], metadata={"user_id": "u"})
    )
    assert (message.content[0].text, message.stop_reason, message.usage.input_tokens) == ("Good day", "end_turn", 7)
    assert (message._request_id or "").startswith("req_")
    assert proxy.bodies(marker)[0]["system"][-1]["text"] == "Be brief."


def test_stream(sdk: "anthropic.Anthropic", prompt: Prompt) -> None:
    text = prompt(thinking="hm", text="Good day", call={"name": "look", "input": {"a": 1}})
    with sdk.messages.stream(**ask(text, tools=[LOOK], thinking={"type": "adaptive"})) as stream:
        kinds = [event.type for event in stream]
        final: Any = stream.get_final_message()
    assert {"message_start", "content_block_start", "text", "thinking", "signature", "input_json"} <= set(kinds)
    thinking, said, call = final.content
    assert (thinking.type, said.type, call.type) == ("thinking", "text", "tool_use")
    assert (thinking.thinking, said.text, call.input) == ("hm", "Good day", {"a": 1})
    assert thinking.signature
    assert (final.stop_reason, final.usage.output_tokens > 0) == ("tool_use", True)


def test_the_tool_runner(sdk: "anthropic.Anthropic", prompt: Prompt) -> None:
    """The SDK runs the function and goes on by itself, the thinking sent back with its signature."""
    from anthropic import beta_tool

    called: list[str] = []

    @beta_tool
    def upper(text: str) -> str:
        """Writes a text in capital letters.

        Args:
            text: The text.
        """
        called.append(text)
        return text.upper()

    calls = [{"name": "upper", "input": {"text": each}} for each in ("abc", "xyz")]
    asked = prompt(thinking="hm", call=calls, then={"text": "Done."})
    runner = sdk.beta.messages.tool_runner(**ask(asked, tools=[upper], thinking={"type": "adaptive"}))
    final: Any = runner.until_done()
    assert called == ["abc", "xyz"]
    assert final.content[-1].text == "Done."


def test_count_tokens(sdk: "anthropic.Anthropic", marker: str) -> None:
    asked: Any = {"model": "sonnet", "messages": [{"role": "user", "content": f"{marker} hello"}]}
    few = sdk.messages.count_tokens(**asked).input_tokens
    many = sdk.messages.count_tokens(**asked, system="word " * 200).input_tokens
    assert 0 < few < many


def test_structured(sdk: "anthropic.Anthropic", marker: str) -> None:
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        age: int

    parsed = sdk.messages.parse(**ask(marker, output_format=Person)).parsed_output
    assert parsed == Person(name="scripted", age=0)


def test_models(sdk: "anthropic.Anthropic") -> None:
    from anthropic import NotFoundError

    found = {model.id for model in sdk.models.list()}
    assert {"sonnet", "opus", "haiku"} <= found
    assert sdk.models.retrieve("sonnet").type == "model"
    with pytest.raises(NotFoundError):
        sdk.models.retrieve("gpt-5")


def test_errors_are_the_sdks_own(sdk: "anthropic.Anthropic", prompt: Prompt) -> None:
    from anthropic import APIStatusError, BadRequestError, RateLimitError

    with pytest.raises(BadRequestError) as bad:
        sdk.messages.create(**ask("hello", messages=[]))
    assert cast("Any", bad.value.body)["error"]["type"] == "invalid_request_error"
    with pytest.raises(RateLimitError):
        sdk.messages.create(**ask(prompt(status=429)))
    with pytest.raises(APIStatusError) as overloaded:
        sdk.messages.create(**ask(prompt(status=529)))
    assert overloaded.value.status_code == 529
    failing = prompt(words=30, error_after=3, error={"kind": "api_error"})
    with pytest.raises(APIStatusError), sdk.messages.stream(**ask(failing)) as stream:
        stream.until_done()


def test_leaving_early_ends_the_answer(sdk: "anthropic.Anthropic", prompt: Prompt, aborted: Callable[[], None]) -> None:
    with sdk.messages.stream(**ask(prompt(words=200, pause=0.2))) as stream:
        next(iter(stream.text_stream))
    aborted()


def test_langchain(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    from langchain_anthropic import ChatAnthropic
    from langchain_core.messages import HumanMessage, ToolMessage
    from langchain_core.tools import tool

    @tool  # type: ignore[untyped-decorator]
    def look(at: str) -> str:
        """Looks at something."""
        return f"a picture of {at}"

    model = ChatAnthropic(model_name="sonnet", base_url=proxy.url, api_key="anything", max_retries=0, max_tokens=2000)
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    told = prompt(call={"name": "look", "input": {"at": "me"}}, then={"text": "Seen."})
    asked = HumanMessage(content=[picture, {"type": "text", "text": told}])
    with_tools = model.bind_tools([look])
    first = with_tools.invoke([asked])
    [call] = first.tool_calls
    result = cast("ToolMessage", look.invoke(call))
    last = with_tools.invoke([asked, first, result])
    assert last.text == "Seen."
    assert last.usage_metadata
    assert "".join(chunk.text for chunk in model.stream(prompt(words=3))) == "word1 word2 word3"
    assert proxy.bodies(marker)[0]["messages"][0]["content"][0] == picture


def test_litellm(proxy: RunningProxy, prompt: Prompt, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise it asks GitHub for a list of prices while it is imported.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    settings: Any = {"model": "anthropic/sonnet", "api_base": proxy.url, "api_key": "anything", "max_tokens": 2000}
    function = {"type": "function", "function": {"name": "look", "parameters": LOOK["input_schema"]}}
    asked = {"role": "user", "content": prompt(call={"name": "look", "input": {"a": 1}}, then={"text": "Seen."})}
    first = cast("Any", litellm.completion(messages=[asked], tools=[function], **settings))
    [call] = first.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"a": 1}
    result = {"role": "tool", "tool_call_id": call.id, "content": "a picture"}
    last = cast(
        "Any",
        litellm.completion(messages=[asked, first.choices[0].message, result], tools=[function], **settings),
    )
    assert last.choices[0].message.content == "Seen."
    pieces = litellm.completion(messages=[{"role": "user", "content": prompt(words=3)}], stream=True, **settings)
    said = "".join(piece.choices[0].delta.content or "" for piece in cast("Any", pieces))
    assert said == "word1 word2 word3"
