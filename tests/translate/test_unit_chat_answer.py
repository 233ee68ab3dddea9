"""However an answer comes, its chunks joined are the completion of the same events, and both are OpenAI's."""

from typing import Any, get_args

import pytest
from harness.openai_schema import check_chunk, check_completion
from hypothesis import given, settings
from hypothesis import strategies as st
from translate.response_meta import CREATED, response_meta

from claude_max.proxy.errors import Overloaded
from claude_max.proxy.events import (
    BlockCompleted,
    Citation,
    Event,
    Finished,
    JsonObject,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningSigned,
    RedactedThinking,
    Started,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from claude_max.proxy.translate.chat.answer import ChatOptions, ChatReply, custom_input
from claude_max.proxy.translate.common.openai_completions import usage_object
from claude_max.proxy.translate.completions.answer import TextReply

MODEL = "claude-sonnet-4-5"
words = st.text(max_size=4)
usages = st.builds(Usage, *[st.integers(0, 99)] * 5)
# Events that OpenAI's completions have no place for.
UNSEEN: list[Event] = [
    ReasoningSigned("sig"), Citation({"type": "web_search_result_location"}), BlockCompleted(),
    BlockCompleted(RedactedThinking("x")), BlockCompleted(OpaqueBlock({"type": "server_tool_use"})),
]  # fmt: skip


@st.composite
def answers(draw: st.DrawFn, most_calls: int = 3) -> list[Event]:
    """The events of one answer, as the engine yields them."""
    events: list[Event] = [Started(MODEL)]
    deltas = st.builds(ReasoningDelta, words) | st.builds(TextDelta, st.text(min_size=1, max_size=4))
    events += draw(st.lists(deltas | st.sampled_from(UNSEEN), max_size=4))
    calls = draw(st.integers(0, most_calls))
    for index in range(calls):
        events.append(ToolCallStarted(index, f"toolu_{index}x", draw(st.sampled_from(("look", "seek")))))
        events += [ToolCallDelta(index, part) for part in draw(st.sampled_from((["{}"], ['{"a"', ':"é"}'])))]
    if calls:
        return [*events, Finished("tool_use", draw(usages))]
    reason = draw(st.sampled_from([reason for reason in get_args(StopReason) if reason != "tool_use"]))
    return [*events, Finished(reason, draw(usages))]


@st.composite
def mixed(draw: st.DrawFn, streams: list[list[Event]]) -> list[tuple[int, Event]]:
    """Several answers' events as they may come: each in its own order."""
    left = [list(stream) for stream in streams]
    found: list[tuple[int, Event]] = []
    while any(left):
        index = draw(st.sampled_from([i for i, stream in enumerate(left) if stream]))
        found.append((index, left[index].pop(0)))
    return found


options = st.builds(ChatOptions, st.booleans(), show_reasoning=st.booleans())


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
    reply = ChatReply(wanted, count, response_meta())
    frames = [frame for index, event in events for frame in reply.feed(index, event)] + reply.end()
    assert all(frame.event is None for frame in frames)
    return reply.whole(), [frame.data for frame in frames]


@settings(max_examples=80, deadline=None)
@given(st.data(), st.lists(answers(), min_size=1, max_size=3), options)
def test_chunks_joined_are_the_completion(data: st.DataObject, streams: list[list[Event]], wanted: ChatOptions) -> None:
    whole, chunks = both(data.draw(mixed(streams)), len(streams), wanted)
    check_completion(whole)
    for chunk in chunks:
        check_chunk(chunk)
        assert (chunk["id"], chunk["created"], chunk["model"]) == ("chatcmpl-id", CREATED, MODEL)
    assert joined(chunks, len(streams)) == whole["choices"]
    with_usage = [chunk for chunk in chunks if chunk.get("usage")]
    assert [chunk["usage"] for chunk in with_usage] == ([whole["usage"]] if wanted.include_usage else [])
    assert all(("usage" in chunk) is wanted.include_usage for chunk in chunks)
    assert [chunk["choices"] == [] for chunk in chunks].count(True) == wanted.include_usage


@settings(max_examples=50, deadline=None)
@given(answers(most_calls=1))
def test_the_legacy_form_has_one_call(events: list[Event]) -> None:
    wanted = ChatOptions(legacy_function=True)
    whole, chunks = both([(0, event) for event in events], 1, wanted)
    check_completion(whole)
    assert joined(chunks, 1) == whole["choices"]
    has_call = any(isinstance(event, ToolCallStarted) for event in events)
    assert (whole["choices"][0]["finish_reason"] == "function_call") is has_call


def test_the_legacy_form_of_two_calls_is_the_first_in_both_ways() -> None:
    calls: list[Event] = [ToolCallStarted(0, "c1", "f"), ToolCallDelta(0, "{}")]
    calls += [ToolCallStarted(1, "c2", "g"), ToolCallDelta(1, "{}")]
    events: list[Event] = [Started("m"), *calls, Finished("tool_use", Usage())]
    whole, chunks = both([(0, e) for e in events], 1, ChatOptions(legacy_function=True))
    assert joined(chunks, 1) == whole["choices"]


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("refusal", "content_filter"), ("pause_turn", "stop"), ("model_context_window_exceeded", "length"),
    ],
)  # fmt: skip
def test_finish_reasons(reason: Any, name: str) -> None:
    wanted = ChatOptions()
    whole, chunks = both([(0, Started("m")), (0, Finished(reason, Usage()))], 1, wanted)
    assert whole["choices"][0]["finish_reason"] == name
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, name]


def test_usage_counts_the_cached_tokens_too() -> None:
    found = usage_object(Usage(input=1, cache_read=20, cache_creation=300, output=4000, reasoning=50))
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (321, 4000, 4321)
    assert found["prompt_tokens_details"]["cached_tokens"] == 20
    assert found["completion_tokens_details"]["reasoning_tokens"] == 50


def test_the_model_that_really_answers() -> None:
    end = Finished("end_turn", Usage())
    events: list[tuple[int, Event]] = [(0, Started("other")), (1, Started("another")), (0, end), (1, end)]
    assert both(events, 2, ChatOptions())[0]["model"] == "other"
    assert both([(0, Started("")), (0, end)], 1, ChatOptions())[0]["model"] == "sonnet"


@settings(max_examples=50, deadline=None)
@given(answers(), st.booleans())
def test_visible_thinking_is_shown_where_it_was_asked_for(events: list[Event], shown: bool) -> None:
    whole, _ = both([(0, event) for event in events], 1, ChatOptions(show_reasoning=shown))
    thought = [event.text for event in events if isinstance(event, ReasoningDelta)]
    wanted = "".join(thought) if shown and thought else None
    assert whole["choices"][0]["message"].get("reasoning_content") == wanted


def test_a_failure_is_an_error_object() -> None:
    (frame,) = ChatReply(ChatOptions(), 1, response_meta()).fail(Overloaded("too much"))
    assert frame.data["error"]["code"] == "overloaded"


def texts(events: list[Event], echo: str, include_usage: bool) -> tuple[JsonObject, list[JsonObject]]:
    reply = TextReply((echo,), include_usage, response_meta())
    frames = [frame for event in events for frame in reply.feed(0, event)] + reply.end()
    return reply.whole(), [frame.data for frame in frames]


@settings(deadline=None)
@given(answers(most_calls=0), st.sampled_from(("", "Once ")))
def test_legacy_text_joined_is_the_whole_text(events: list[Event], echo: str) -> None:
    whole, chunks = texts(events, echo, False)
    (rendered,) = whole["choices"]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert "".join(choice["text"] for choice in choices) == rendered["text"]
    assert rendered["text"] == echo + "".join(event.text for event in events if isinstance(event, TextDelta))
    assert [c["finish_reason"] for c in choices] == [None] * (len(choices) - 1) + [rendered["finish_reason"]]


def test_the_legacy_frame() -> None:
    head = {"id": "cmpl-id", "object": "text_completion", "created": CREATED, "model": "m"}
    choice = {"index": 0, "logprobs": None}
    events: list[Event] = [Started("m"), TextDelta("a"), Finished("end_turn", Usage(output=1))]
    whole, chunks = texts(events, "", True)
    assert chunks[:2] == [
        {**head, "choices": [{**choice, "text": "a", "finish_reason": None}], "usage": None},
        {**head, "choices": [{**choice, "text": "", "finish_reason": "stop"}], "usage": None},
    ]
    assert chunks[2:] == [{**head, "choices": [], "usage": usage_object(Usage(output=1))}]
    assert whole == {
        **head, "choices": [{**choice, "text": "a", "finish_reason": "stop"}], "usage": usage_object(Usage(output=1)),
    }  # fmt: skip


def test_a_custom_tool_is_called_with_a_text() -> None:
    """Streamed, the input comes when its JSON is whole. Tools under another name are told by their own."""
    options = ChatOptions(names={"a_b_1": "a.b"}, custom=frozenset({"patch"}))
    reply = ChatReply(options, 1, response_meta())
    events: list[Event] = [
        Started("m"), ToolCallStarted(0, "c1", "patch"), ToolCallDelta(0, '{"input": "x'), ToolCallDelta(0, '\\n"}'),
        ToolCallStarted(1, "c2", "a_b_1"), ToolCallDelta(1, "{}"), Finished("tool_use", Usage()),
    ]  # fmt: skip
    frames = [frame.data["choices"][0]["delta"] for event in events for frame in reply.feed(0, event)]
    found = [call for delta in frames for call in delta.get("tool_calls", [])]
    assert found == [
        {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "patch", "input": ""}},
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "a.b", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 0, "custom": {"input": "x\n"}},
    ]
    assert reply.whole()["choices"][0]["message"]["tool_calls"] == [
        {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "x\n"}},
        {"id": "c2", "type": "function", "function": {"name": "a.b", "arguments": "{}"}},
    ]


@pytest.mark.parametrize(
    ("json", "text"), [("", ""), ("{}", ""), ('{"input": 5}', '{"input": 5}'), ("[1]", "[1]"), ("{", "{")]
)
def test_an_input_of_another_shape_is_told_as_it_is(json: str, text: str) -> None:
    assert custom_input(json) == text


def test_a_sign_of_life_is_an_empty_delta_of_a_choice_that_goes_on() -> None:
    chat = ChatReply(ChatOptions(), 2, response_meta())
    text = TextReply(("", ""), False, response_meta())
    for reply, empty in ((chat, {"delta": {}}), (text, {"text": ""})):
        for answer in (0, 1):
            reply.feed(answer, Started("m"))
            (frame,) = reply.alive()
            (choice,) = frame.data["choices"]
            assert choice == {"index": answer, "logprobs": None, "finish_reason": None, **empty}
            reply.feed(answer, Finished("end_turn", Usage()))
        assert reply.alive() == []
