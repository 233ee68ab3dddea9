"""However an answer comes, its chunks joined are the completion of the same events, and both are OpenAI's."""

from typing import Any

import pytest
from harness.openai_schema import check_chunk, check_completion
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_max.proxy.events import (
    Event,
    Finished,
    JsonObject,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from claude_max.proxy.translate.chat.answer import Choice, Chunks, Stamp, completion, usage_object, with_model
from claude_max.proxy.translate.chat.request import ChatOptions
from claude_max.proxy.translate.completions.request import TextChoice, frame

STAMP = Stamp("chatcmpl-1", 1_700_000_000, "claude-sonnet-4-5")
words = st.text(max_size=4)
usages = st.builds(Usage, *[st.integers(0, 99)] * 5)


@st.composite
def answers(draw: st.DrawFn, most_calls: int = 3) -> list[Event]:
    """The events of one answer, as the engine yields them."""
    events: list[Event] = [Started("claude-sonnet-4-5")]
    deltas = st.builds(ReasoningDelta, words) | st.builds(TextDelta, st.text(min_size=1, max_size=4))
    events += draw(st.lists(deltas, max_size=4))
    calls = draw(st.integers(0, most_calls))
    for index in range(calls):
        events.append(ToolCallStarted(index, f"toolu_{index}x", draw(st.sampled_from(("look", "seek")))))
        events += [ToolCallDelta(index, part) for part in draw(st.sampled_from((["{}"], ['{"a"', ':"é"}'])))]
    if calls:
        return [*events, Finished("tool_use", draw(usages))]
    return [
        *events,
        Finished(draw(st.sampled_from(("end_turn", "stop_sequence", "max_tokens", "refusal"))), draw(usages)),
    ]


@st.composite
def mixed(draw: st.DrawFn, streams: list[list[Event]]) -> list[tuple[int, Event]]:
    """Several answers' events as they may come: each in its own order."""
    left = [list(stream) for stream in streams]
    found: list[tuple[int, Event]] = []
    while any(left):
        index = draw(st.sampled_from([i for i, stream in enumerate(left) if stream]))
        found.append((index, left[index].pop(0)))
    return found


options = st.builds(ChatOptions, st.just(True), st.booleans(), show_reasoning=st.booleans())


def joined(chunks: list[JsonObject], count: int) -> list[JsonObject]:
    """What an SDK makes of the chunks: the choices of a whole completion."""
    made: list[dict[str, Any]] = [
        {"index": i, "message": {}, "logprobs": None, "finish_reason": None} for i in range(count)
    ]
    for chunk in chunks:
        for part in chunk["choices"]:
            choice = made[part["index"]]
            assert choice["finish_reason"] is None, "nothing comes after the end"
            choice["finish_reason"] = part["finish_reason"]
            add(choice["message"], part["delta"])
    for choice in made:
        message = choice["message"]
        if not message["content"] and ("tool_calls" in message or "function_call" in message):
            message["content"] = None
        for call in message.get("tool_calls", ()):
            del call["index"]
    return made


def add(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            calls = whole.setdefault(name, [])
            for part in value:
                if part["index"] == len(calls):
                    assert {"id", "type"} <= set(part), "the head comes whole, once"
                    calls.append({})
                add(calls[part["index"]], part)
        elif isinstance(value, dict):
            add(whole.setdefault(name, {}), value)
        elif isinstance(value, str) and name in ("content", "reasoning_content", "arguments"):
            whole[name] = whole.get(name, "") + value
        else:
            assert name == "index" or name not in whole, f"{name} comes once"
            whole[name] = value


def both(events: list[tuple[int, Event]], count: int, wanted: ChatOptions) -> tuple[JsonObject, list[JsonObject]]:
    choices = [Choice(index, wanted) for index in range(count)]
    made = Chunks(STAMP, wanted)
    chunks: list[JsonObject] = []
    for index, event in events:
        choices[index].feed(event)
        chunks += made.feed(index, event)
    return completion(STAMP, choices), [*chunks, *made.last()]


@settings(max_examples=80, deadline=None)
@given(st.data(), st.lists(answers(), min_size=1, max_size=3), options)
def test_chunks_joined_are_the_completion(data: st.DataObject, streams: list[list[Event]], wanted: ChatOptions) -> None:
    whole, chunks = both(data.draw(mixed(streams)), len(streams), wanted)
    check_completion(whole)
    for chunk in chunks:
        check_chunk(chunk)
        assert (chunk["id"], chunk["created"], chunk["model"]) == (STAMP.id, STAMP.created, STAMP.model)
    assert joined(chunks, len(streams)) == whole["choices"]
    with_usage = [chunk for chunk in chunks if chunk.get("usage")]
    assert [chunk["usage"] for chunk in with_usage] == ([whole["usage"]] if wanted.include_usage else [])
    assert all(("usage" in chunk) is wanted.include_usage for chunk in chunks)
    assert [chunk["choices"] == [] for chunk in chunks].count(True) == wanted.include_usage


@settings(max_examples=50, deadline=None)
@given(answers(most_calls=1))
def test_the_legacy_form_has_one_call(events: list[Event]) -> None:
    wanted = ChatOptions(stream=True, include_usage=False, legacy_function=True)
    whole, chunks = both([(0, event) for event in events], 1, wanted)
    check_completion(whole)
    assert joined(chunks, 1) == whole["choices"]
    has_call = any(isinstance(event, ToolCallStarted) for event in events)
    assert (whole["choices"][0]["finish_reason"] == "function_call") is has_call


def test_the_legacy_form_of_two_calls_is_the_first_in_both_ways() -> None:
    calls: list[Event] = [ToolCallStarted(0, "c1", "f"), ToolCallDelta(0, "{}")]
    calls += [ToolCallStarted(1, "c2", "g"), ToolCallDelta(1, "{}")]
    events: list[Event] = [Started("m"), *calls, Finished("tool_use", Usage())]
    whole, chunks = both([(0, e) for e in events], 1, ChatOptions(True, False, legacy_function=True))
    assert joined(chunks, 1) == whole["choices"]


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)  # fmt: skip
def test_finish_reasons(reason: Any, name: str) -> None:
    wanted = ChatOptions(stream=True, include_usage=False)
    whole, chunks = both([(0, Started("m")), (0, Finished(reason, Usage()))], 1, wanted)
    assert whole["choices"][0]["finish_reason"] == name
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, name]


def test_usage_counts_the_cached_tokens_too() -> None:
    found = usage_object(Usage(input=1, cache_read=20, cache_creation=300, output=4000, reasoning=50))
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (321, 4000, 4321)
    assert found["prompt_tokens_details"]["cached_tokens"] == 20
    assert found["completion_tokens_details"]["reasoning_tokens"] == 50


def test_the_model_that_really_answers() -> None:
    assert with_model(STAMP, "other").model == "other"
    assert with_model(STAMP, "") == STAMP


@settings(deadline=None)
@given(answers(most_calls=0), st.sampled_from(("", "Once ")))
def test_legacy_text_joined_is_the_whole_text(events: list[Event], echo: str) -> None:
    stream, whole = TextChoice(0, echo), TextChoice(0, echo)
    chunks = [found for event in events if (found := stream.feed(event)) is not None]
    for event in events:
        whole.feed(event)
    rendered = whole.render()
    assert "".join(chunk["text"] for chunk in chunks) == rendered["text"]
    assert rendered["text"] == echo + "".join(event.text for event in events if isinstance(event, TextDelta))
    assert [c["finish_reason"] for c in chunks] == [None] * (len(chunks) - 1) + [rendered["finish_reason"]]


def test_the_legacy_frame() -> None:
    chunk = frame(STAMP, [{"text": "a"}])
    assert chunk == {
        "id": STAMP.id, "object": "text_completion", "created": STAMP.created, "model": STAMP.model,
        "choices": [{"text": "a"}],
    }  # fmt: skip
    assert frame(STAMP, [], Usage(output=1))["usage"]["completion_tokens"] == 1
