"""The openai Python SDK beyond `create`: helpers, typed answers, headers, retries, streams at once, completions."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Literal

import openai
import pytest
from harness.proxy import RunningProxy
from harness.upstream import seen
from openai.types.chat import ChatCompletionUserMessageParam
from pydantic import BaseModel

Prompt = Callable[..., str]


class Range(BaseModel):
    low: float
    high: float


class Forecast(BaseModel):
    """Referenced classes, a choice, and a field that may be null."""

    city: str
    sky: Literal["rain", "sun"]
    range: Range
    note: str | None


class GetWeather(BaseModel):
    """Weather of a city."""

    city: str


ROME = Forecast(city="Rome", sky="sun", range=Range(low=9.5, high=20), note="warm and dry")
SMALLEST = Forecast(city="scripted", sky="rain", range=Range(low=0, high=0), note="scripted")


def says(text: str) -> list[ChatCompletionUserMessageParam]:
    return [{"role": "user", "content": text}]


def test_stream_helper(proxy: RunningProxy, prompt: Prompt) -> None:
    with proxy.client.chat.completions.stream(
        model="sonnet", messages=says(prompt(words=3)), stream_options={"include_usage": True}
    ) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    assert [e.delta for e in events if e.type == "content.delta" and e.delta] == ["word1", " word2", " word3"]
    assert [e.content for e in events if e.type == "content.done"] == ["word1 word2 word3"]
    assert {e.type for e in events} == {"chunk", "content.delta", "content.done"}
    assert final.choices[0].message.content == "word1 word2 word3"
    assert final.choices[0].finish_reason == "stop"
    assert final.usage is not None
    assert final.usage.completion_tokens == 3


def test_stream_helper_with_tools(proxy: RunningProxy, prompt: Prompt) -> None:
    calls = [{"name": "GetWeather", "input": {"city": city}} for city in ("Paris", "Rome")]
    with proxy.client.chat.completions.stream(
        model="sonnet", messages=says(prompt(call=calls)), tools=[openai.pydantic_function_tool(GetWeather)]
    ) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    done = [(e.index, e.name, e.arguments) for e in events if e.type == "tool_calls.function.arguments.done"]
    assert [(index, name, json.loads(text)) for index, name, text in done] == [
        (0, "GetWeather", {"city": "Paris"}),
        (1, "GetWeather", {"city": "Rome"}),
    ]
    parsed = [call.function.parsed_arguments for call in final.choices[0].message.tool_calls or ()]
    assert parsed == [GetWeather(city="Paris"), GetWeather(city="Rome")]
    assert final.choices[0].finish_reason == "tool_calls"


def test_stream_helper_with_several_choices(proxy: RunningProxy, prompt: Prompt) -> None:
    """The helper takes choices in the order of their first chunks, and only a first one that is number 0."""
    with proxy.client.chat.completions.stream(model="sonnet", messages=says(prompt(words=3)), n=4) as stream:
        final = stream.until_done().get_final_completion()
    assert [choice.index for choice in final.choices] == [0, 1, 2, 3]
    assert [choice.message.content for choice in final.choices] == ["word1 word2 word3"] * 4


def test_parse_with_a_pydantic_model(proxy: RunningProxy, marker: str) -> None:
    """The scripted model answers the smallest instance of the schema that reached it."""
    answer = proxy.client.chat.completions.parse(model="sonnet", messages=says(marker), response_format=Forecast)
    assert answer.choices[0].message.parsed == SMALLEST
    assert answer.choices[0].message.tool_calls is None
    (body,) = proxy.bodies(marker)
    assert seen(body)["tools"] == []


def test_stream_and_parse_with_a_pydantic_model(proxy: RunningProxy, prompt: Prompt) -> None:
    with proxy.client.chat.completions.stream(
        model="sonnet", messages=says(prompt(text=ROME.model_dump_json(indent=1))), response_format=Forecast
    ) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    assert {"city": "Rome"} in [e.parsed for e in events if e.type == "content.delta"]
    assert [e.parsed for e in events if e.type == "content.done"] == [ROME]
    assert final.choices[0].message.parsed == ROME


def test_parse_with_a_tool_and_a_schema(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    """A call first; the typed answer follows its result."""
    messages: list[Any] = [*says(prompt(call={"name": "GetWeather", "input": {"city": "Rome"}}))]
    tools = [openai.pydantic_function_tool(GetWeather)]
    parse = proxy.client.chat.completions.parse
    message = parse(model="sonnet", messages=messages, tools=tools, response_format=Forecast).choices[0].message
    (call,) = message.tool_calls or []
    assert call.function.parsed_arguments == GetWeather(city="Rome")
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "sun"}]
    answer = parse(model="sonnet", messages=messages, tools=tools, response_format=Forecast)
    assert answer.choices[0].message.parsed == SMALLEST
    assert [[tool["name"] for tool in seen(body)["tools"]] for body in proxy.bodies(marker)] == [["GetWeather"]] * 2


def test_parse_of_an_answer_cut_short(proxy: RunningProxy, prompt: Prompt) -> None:
    with pytest.raises(openai.LengthFinishReasonError):
        proxy.client.chat.completions.parse(
            model="sonnet",
            messages=says(prompt(text=ROME.model_dump_json(indent=1))),
            response_format=Forecast,
            max_tokens=2,
        )


def test_models(proxy: RunningProxy) -> None:
    ids = [model.id for model in proxy.client.models.list()]
    assert {"claude-opus-4", "claude-sonnet-4", "claude-haiku-4"} <= set(ids)
    assert [proxy.client.models.retrieve(id).id for id in ids] == ids
    with pytest.raises(openai.NotFoundError) as error:
        proxy.client.models.retrieve("gpt-nothing")
    assert error.value.code == "model_not_found"


def test_raw_response_headers(proxy: RunningProxy, prompt: Prompt) -> None:
    answer = proxy.client.chat.completions.with_raw_response.create(
        model="sonnet", messages=says(prompt(text="ok")), seed=1, user="me"
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-claude-max-ignored"].split(", ") == ["seed", "user"]
    completion = answer.parse()
    assert completion.choices[0].message.content == "ok"
    assert completion._request_id == answer.headers["x-request-id"]


def test_streaming_response_headers(proxy: RunningProxy, prompt: Prompt) -> None:
    with proxy.client.chat.completions.with_streaming_response.create(
        model="sonnet", messages=says(prompt(text="ok")), stream=True, logprobs=True
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-claude-max-ignored"] == "logprobs"
        assert answer.headers["x-request-id"].startswith("req_")
        assert "".join(chunk.choices[0].delta.content or "" for chunk in answer.parse()) == "ok"


@pytest.mark.parametrize(("status", "requests"), [(429, 1), (529, 4)])
def test_the_sdk_retries_what_a_retry_can_mend(
    proxy: RunningProxy, prompt: Prompt, marker: str, status: int, requests: int
) -> None:
    """A limit that resets in an hour is not tried again; an overloaded service is, twice by the proxy too."""
    client = proxy.client.with_options(max_retries=1)
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model="sonnet", messages=says(prompt(status=status)))
    assert len(proxy.bodies(marker)) == requests


def test_five_streams_at_once_each_with_its_own_text(proxy: RunningProxy, prompt: Prompt) -> None:
    """Each waits after its first words for all others: only streams that run side by side come to an end."""
    client = openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="anything", max_retries=0)

    async def one(name: str, begun: asyncio.Barrier) -> str:
        text = ""
        stream = await client.chat.completions.create(
            model="sonnet", messages=says(prompt(text=f"{name} alone says {name}", pause=0.02)), stream=True
        )
        async for chunk in stream:
            if delta := chunk.choices[0].delta.content:
                if not text:
                    await begun.wait()
                text += delta
        return text

    async def all_of(names: list[str]) -> list[str]:
        begun = asyncio.Barrier(len(names))
        async with asyncio.timeout(60), client:
            return await asyncio.gather(*(one(name, begun) for name in names))

    names = ["anna", "bert", "cleo", "dirk", "emma"]
    assert asyncio.run(all_of(names)) == [f"{name} alone says {name}" for name in names]


def test_an_async_stream_that_is_closed_ends_upstream(
    proxy: RunningProxy, prompt: Prompt, aborted: Callable[[], None]
) -> None:
    async def first_word(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(
            model="sonnet", messages=says(prompt(words=200, pause=0.2)), stream=True
        )
        async with client, stream:
            async for chunk in stream:
                if delta := chunk.choices[0].delta.content:
                    await stream.close()
                    await asyncio.to_thread(aborted)
                    return delta
        return ""

    client = openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="anything", max_retries=0)
    assert asyncio.run(first_word(client)) == "word1"


def test_legacy_completions(proxy: RunningProxy, prompt: Prompt) -> None:
    answer = proxy.client.completions.create(model="sonnet", prompt=prompt(words=3))
    assert answer.object == "text_completion"
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("word1 word2 word3", "stop")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3
    cut = proxy.client.completions.create(model="sonnet", prompt=prompt(words=9), max_tokens=4)
    assert (cut.choices[0].text, cut.choices[0].finish_reason) == ("word1 word2 word3 word4", "length")


def test_legacy_completions_streaming(proxy: RunningProxy, prompt: Prompt) -> None:
    chunks = list(proxy.client.completions.create(model="sonnet", prompt=prompt(words=3), stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "word1 word2 word3"
    finishes = [chunk.choices[0].finish_reason for chunk in chunks]
    assert finishes == [*[None] * (len(finishes) - 1), "stop"]
