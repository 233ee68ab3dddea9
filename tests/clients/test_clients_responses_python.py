"""The openai Python SDK's Responses API: create, stream, parse, tools, and going on from a kept response."""

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from harness.asking import PIXEL, directive
from harness.proxy import RunningProxy
from harness.responses import check_event, check_response, folded, kinds
from harness.upstream import assistant, expected, seen, user
from openai.types.responses import ResponseFunctionToolCall, ResponseReasoningItem
from pydantic import BaseModel

Prompt = Callable[..., str]
LOOK: Any = {
    "type": "function", "name": "get_weather", "description": "Weather of a city", "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}  # fmt: skip
DECLARED = {"name": "get_weather", "description": "Weather of a city", "input_schema": LOOK["parameters"]}
CALLS = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]


class Forecast(BaseModel):
    city: str
    high: int


def test_create(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    asked = prompt(text="Good day", usage={"input_tokens": 7})
    answer = proxy.client.responses.create(
        model="sonnet", input=asked, instructions="Be brief.", metadata={"a": "b"}, max_output_tokens=2000
    )
    check_response(answer.to_dict())
    assert (answer.output_text, answer.status, answer.metadata) == ("Good day", "completed", {"a": "b"})
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 2)
    assert [seen(body) for body in proxy.bodies(marker)] == [expected(user(asked), system="Be brief.", max_tokens=2000)]


def test_the_events_of_a_stream(proxy: RunningProxy, prompt: Prompt) -> None:
    asked = prompt(thinking="Hm.", text="Let me look.", call=CALLS)
    stream = proxy.client.responses.create(
        model="sonnet", input=asked, tools=[LOOK], stream=True, reasoning={"summary": "auto"}
    )
    events = [event.to_dict() for event in stream]
    for event in events:
        check_event(event)
    assert folded(events) == events[-1]["response"]
    call = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
    assert kinds(events) == [
        "created", "in_progress",
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done",
        "output_item.done", *call, *call, "completed",
    ]  # fmt: skip


def test_stream_helper(proxy: RunningProxy, prompt: Prompt) -> None:
    with proxy.client.responses.stream(model="sonnet", input=prompt(words=3)) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert deltas == ["word1", " word2", " word3"]
    assert final.output_text == "word1 word2 word3"


def test_parse(proxy: RunningProxy, prompt: Prompt) -> None:
    asked = prompt(text=Forecast(city="Rome", high=20).model_dump_json())
    answer = proxy.client.responses.parse(model="sonnet", input=asked, text_format=Forecast)
    assert answer.output_parsed == Forecast(city="Rome", high=20)


def test_tools_without_a_store(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    """Everything is sent again, the thinking in `encrypted_content`: it reaches the service as it was."""
    asked = prompt(thinking="Hm.", text="Let me look.", call=CALLS, then={"text": "Both are sunny."})
    fields: Any = {"model": "sonnet", "tools": [LOOK], "store": False, "include": ["reasoning.encrypted_content"]}
    first = proxy.client.responses.create(input=asked, **fields)
    thought = first.output[0]
    assert isinstance(thought, ResponseReasoningItem)
    calls = [item for item in first.output if isinstance(item, ResponseFunctionToolCall)]
    assert [json.loads(call.arguments) for call in calls] == [call["input"] for call in CALLS]
    input: Any = [{"role": "user", "content": asked}, *(item.to_dict() for item in first.output)]
    input += [{"type": "function_call_output", "call_id": call.call_id, "output": "sun"} for call in calls[::-1]]
    assert proxy.client.responses.create(input=input, **fields).output_text == "Both are sunny."
    _, resumed = proxy.bodies(marker)
    signature = seen(resumed)["messages"][1]["content"][0]["signature"]
    uses = [{"type": "tool_use", "id": call.call_id, **made} for call, made in zip(calls, CALLS, strict=True)]
    results = [
        {"type": "tool_result", "tool_use_id": call.call_id, "content": [{"type": "text", "text": "sun"}]}
        for call in calls
    ]
    assert signature
    assert seen(resumed) == expected(
        user(asked),
        assistant({"type": "thinking", "thinking": "Hm.", "signature": signature}, "Let me look.", *uses),
        user(*results),
        tools=[DECLARED],
    )


def test_going_on_from_a_kept_response(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    """A picture, a call and its result, and the thinking, of which the client sent nothing again."""
    text = prompt(thinking="Hm.", call=CALLS[:1], then={"text": "It is sunny."})
    picture = f"data:image/png;base64,{PIXEL}"
    content: Any = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": picture}]
    fields: Any = {"model": "sonnet", "tools": [LOOK]}
    first = proxy.client.responses.create(input=[{"role": "user", "content": content}], **fields)
    call = first.output[-1]
    assert isinstance(call, ResponseFunctionToolCall)
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sun"}
    second = proxy.client.responses.create(input=[output], previous_response_id=first.id, **fields)
    assert second.output_text == "It is sunny."
    third = proxy.client.responses.create(
        input='And?\nscripted: {"text": "Still."}', previous_response_id=second.id, **fields
    )
    assert proxy.client.responses.retrieve(third.id).to_dict() == third.to_dict()
    body = seen(proxy.bodies(marker)[-1])
    thought = body["messages"][1]["content"][0]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    use = {"type": "tool_use", "id": call.call_id, **CALLS[0]}
    result = {"type": "tool_result", "tool_use_id": call.call_id, "content": [{"type": "text", "text": "sun"}]}
    assert thought["thinking"] == "Hm."
    assert body == expected(
        user(text, image), assistant(thought, use), user(result), assistant("It is sunny."),
        user('And?\nscripted: {"text": "Still."}'), tools=[DECLARED],
    )  # fmt: skip


def test_a_custom_tool(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    asked = prompt(call={"name": "patch", "input": {"input": "*** a\n\tb ü"}}, then={"text": "Done."})
    fields: Any = {"model": "sonnet", "tools": [{"type": "custom", "name": "patch", "description": "Edits."}]}
    with proxy.client.responses.stream(input=asked, **fields) as stream:
        pieces = [event.delta for event in stream if event.type == "response.custom_tool_call_input.delta"]
        first = stream.get_final_response()
    (call,) = first.output
    assert call.type == "custom_tool_call"
    assert (call.name, call.input, "".join(pieces)) == ("patch", "*** a\n\tb ü", call.input)
    output: Any = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "ok"}
    second = proxy.client.responses.create(input=[output], previous_response_id=first.id, **fields)
    assert second.output_text == "Done."
    use = seen(proxy.bodies(marker)[-1])["messages"][1]["content"][0]
    assert (use["name"], use["input"]) == ("patch", {"input": "*** a\n\tb ü"})


def test_an_answer_that_is_cut(proxy: RunningProxy, prompt: Prompt) -> None:
    answer = proxy.client.responses.create(model="sonnet", input=prompt(words=9), max_output_tokens=4)
    assert (answer.status, answer.output_text) == ("incomplete", "word1 word2 word3 word4")
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


def test_what_has_no_effect_is_named(proxy: RunningProxy, prompt: Prompt) -> None:
    told = proxy.client.responses.with_raw_response.create(
        model="sonnet",
        input=prompt(text="x"),
        tools=[{"type": "web_search"}],
        text={"verbosity": "low"},
        truncation="auto",
    )
    named = told.headers["x-claude-max-ignored"].split(", ")
    assert sorted(named) == ["text.verbosity", "tools.web_search", "truncation"]


def test_failures(proxy: RunningProxy, prompt: Prompt) -> None:
    with pytest.raises(openai.RateLimitError) as limit:
        proxy.client.responses.create(model="sonnet", input=prompt(status=429), stream=True)
    assert limit.value.code == "rate_limit_exceeded"
    with pytest.raises(openai.NotFoundError, match="Response with id 'resp_x' not found"):
        proxy.client.responses.retrieve("resp_x")
    stream = proxy.client.responses.create(
        model="sonnet", input=prompt(words=9, error_after=3, error={"kind": "api_error", "message": "oh"}), stream=True
    )
    last = list(stream)[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert last.response.error.code == "server_error"


def test_thinking_that_is_bound_to_other_tools_is_left_out(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    """The service refuses it where the tools changed, as they do when agents hand over: it is asked without."""
    first = proxy.client.responses.create(model="sonnet", input=prompt(thinking="Hm.", text="One."))
    told = proxy.client.responses.with_raw_response.create(
        model="sonnet", input='And?\nscripted: {"text": "Two."}', previous_response_id=first.id, tools=[LOOK]
    )
    assert told.parse().output_text == "Two."
    assert told.headers["x-claude-max-repaired"] == "thinking that the service refused was left out"
    refused, accepted = (seen(body)["messages"][1] for body in proxy.bodies(marker)[1:])
    assert [block["type"] for block in refused["content"]] == ["thinking", "text"]
    assert accepted == assistant("One.")


def test_tokens_are_counted(proxy: RunningProxy, prompt: Prompt) -> None:
    """Of a kept conversation too; no answer is asked for."""
    first = proxy.client.responses.create(model="sonnet", input=prompt(text="One."))
    alone = proxy.client.responses.input_tokens.count(model="sonnet", input="And?")
    more = proxy.client.responses.input_tokens.count(model="sonnet", input="And?", previous_response_id=first.id)
    assert alone.object == "response.input_tokens"
    assert 0 < alone.input_tokens < more.input_tokens


def test_compacting(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    compacted = proxy.client.responses.compact(model="sonnet", input=prompt(text="It was fixed."))
    assert [item.type for item in compacted.output] == ["message", "compaction"]
    items: Any = [item.to_dict() for item in compacted.output[1:]]
    asked: Any = [*items, {"role": "user", "content": f"{marker}\n{directive(text='Two.')}"}]
    assert proxy.client.responses.create(model="sonnet", input=asked).output_text == "Two."
    (first, *_) = seen(proxy.bodies(marker)[-1])["messages"][0]["content"]
    assert first["text"].startswith("The conversation before this was replaced by its summary:")
