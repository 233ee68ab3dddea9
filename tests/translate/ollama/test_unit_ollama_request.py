"""Ollama's requests as Turns: how results find their calls, what options mean, what has no effect."""

from dataclasses import replace
from typing import Any

import pytest
from harness.asking import PIXEL
from hypothesis import given
from hypothesis import strategies as st
from translate.response_meta import response_meta

from claude_max.proxy.errors import BadRequest, ModelNotFound
from claude_max.proxy.events import (
    BlockCompleted,
    JsonObject,
    Media,
    Message,
    Model,
    Text,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    ToolResult,
    Turn,
)
from claude_max.proxy.translate.common.dialect import ParsedRequest, RequestContext
from claude_max.proxy.translate.common.sampling import JSON_OBJECT
from claude_max.proxy.translate.ollama import models
from claude_max.proxy.translate.ollama.request import chat_turn, generate_turn

CONTEXT = RequestContext((Model("sonnet", "claude-sonnet-5-5", context_window=1_000_000),), {"gpt-4o": "sonnet"})
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
LOOK = {"type": "function", "function": {"name": "look", "parameters": SCHEMA}}


def parsed(*messages: JsonObject, **fields: Any) -> ParsedRequest:
    asked = list(messages) or [{"role": "user", "content": "hello"}]
    return chat_turn({"model": "sonnet:latest", "messages": asked, **fields}, CONTEXT)


def chat(*messages: JsonObject, **fields: Any) -> Turn:
    return parsed(*messages, **fields).turns[0]


def refused(*messages: JsonObject, **fields: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        parsed(*messages, **fields)
    return caught.value


def called(*calls: tuple[str, str | None]) -> JsonObject:
    """An assistant's calls, by their tools' names and ids."""
    found = [{"function": {"name": name, "arguments": {"n": n}}} for n, (name, _) in enumerate(calls)]
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{**call, **({"id": id} if id else {})} for call, (_, id) in zip(found, calls, strict=True)],
    }


def test_a_chat() -> None:
    found = chat({"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello", "images": [PIXEL]})
    image = Media("image", "image/png", PIXEL)
    assert (found.model, found.system) == ("sonnet", "Be brief.")
    assert found.messages == (Message("user", (Text("hello"), image)),)


def test_it_is_streamed_unless_it_says_otherwise() -> None:
    assert [parsed(stream=value).stream for value in (None, True, False)] == [True, True, False]
    assert parsed().stream


ASKED: JsonObject = {"role": "user", "content": "look"}
RESULT: JsonObject = {"role": "tool", "content": "seen"}


def answered(*messages: JsonObject) -> list[tuple[str, str]]:
    """The text of each result, and the name of the call that it answers, of the last two messages."""
    calls, results = chat(ASKED, *messages).messages[-2:]
    names = {block.id: block.name for block in calls.content if isinstance(block, ToolCall)}
    found = []
    for block in results.content:
        assert isinstance(block, ToolResult)
        [part] = block.content
        assert isinstance(part, Text)
        found.append((part.text, names[block.call_id]))
    return found


def test_results_by_the_tools_name() -> None:
    one, two = {**RESULT, "tool_name": "see", "content": "1"}, {**RESULT, "tool_name": "look", "content": "2"}
    assert answered(called(("look", None), ("see", None)), one, two) == [("1", "see"), ("2", "look")]


def test_results_by_their_place() -> None:
    one, two = {**RESULT, "content": "1"}, {**RESULT, "content": "2"}
    assert answered(called(("look", None), ("see", None)), one, two) == [("1", "look"), ("2", "see")]


def test_results_by_id() -> None:
    one, two = {**RESULT, "tool_call_id": "b", "content": "1"}, {**RESULT, "tool_call_id": "a", "content": "2"}
    assert answered(called(("look", "a"), ("see", "b")), one, two) == [("1", "see"), ("2", "look")]


@given(st.lists(st.sampled_from(["look", "see", "hear"]), min_size=1, max_size=6), st.randoms())
def test_results_of_one_tool_come_in_the_order_of_its_calls(names: list[str], random: Any) -> None:
    order = list(enumerate(names))
    random.shuffle(order)
    results = [{**RESULT, "tool_name": name, "content": str(place)} for place, (_, name) in enumerate(order)]
    found = answered(called(*((name, None) for name in names)), *results)
    assert [name for _, name in found] == [name for _, name in order]


def test_calls_without_ids_get_one_each_time_the_same() -> None:
    messages = (ASKED, called(("look", None), ("look", None)), RESULT, RESULT)
    ids = [block.id for block in chat(*messages).messages[1].content if isinstance(block, ToolCall)]
    again = [block.id for block in chat(*messages).messages[1].content if isinstance(block, ToolCall)]
    assert ids == again
    assert len(set(ids)) == 2


def test_options() -> None:
    options = {
        "num_predict": 9,
        "stop": "END",
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "seed": 1,
        "num_ctx": 4096,
    }
    asked = parsed(options=options, keep_alive="5m")
    [found] = asked.turns
    assert (found.max_tokens, found.stop, found.temperature, found.top_p, found.top_k) == (9, ("END",), 0.5, 0.9, 5)
    assert asked.ignored == ("keep_alive", "options.seed", "options.num_ctx")


def test_what_has_no_effect_is_named() -> None:
    assert parsed(logprobs=True, shift=True).ignored == ("logprobs", "shift")
    assert parsed(logprobs=False).ignored == ()


def test_pictures_in_results() -> None:
    result = chat(ASKED, called(("look", None)), {**RESULT, "images": [PIXEL]}).messages[-1].content[0]
    assert isinstance(result, ToolResult)
    assert result.content == (Text("seen"), Media("image", "image/png", PIXEL))


@pytest.mark.parametrize("limit", [-1, -2, 0])
def test_no_limit(limit: int) -> None:
    assert chat(options={"num_predict": limit}).max_tokens is None


def test_a_temperature_beyond_the_services_scale_is_cut_and_named() -> None:
    asked = parsed(options={"temperature": 1.7})
    assert (asked.turns[0].temperature, asked.ignored) == (1, ("options.temperature",))


@pytest.mark.parametrize(
    ("think", "mode", "effort"),
    [(None, "default", None), (True, "shown", None), (False, "off", None), ("high", "shown", "high")],
)
def test_think(think: Any, mode: str, effort: str | None) -> None:
    found = chat(think=think)
    assert (found.thinking, found.effort) == (mode, effort)


def test_format() -> None:
    assert chat(format=SCHEMA).schema == SCHEMA
    assert chat(format="json").system == JSON_OBJECT
    assert chat(format="").schema is None


def test_thinking_in_a_history_is_named() -> None:
    said = {"role": "assistant", "content": "hi", "thinking": "hm"}
    assert parsed(ASKED, said, ASKED).ignored == ("messages.thinking",)


def test_generate() -> None:
    asked = generate_turn(
        {"model": "gpt-4o", "prompt": "hello", "system": "Be brief.", "images": [PIXEL], "raw": True, "context": [1]},
        CONTEXT,
    )
    [found] = asked.turns
    assert (found.model, found.system) == ("sonnet", "Be brief.")
    assert found.messages[0].content == (Text("hello"), Media("image", "image/png", PIXEL))
    assert set(asked.ignored) == {"raw", "context"}


@pytest.mark.parametrize(("keep_alive", "reason"), [(None, "load"), ("10m", "load"), (0, "unload")])
def test_without_a_prompt_the_model_is_loaded(keep_alive: Any, reason: str) -> None:
    for asked in (
        chat_turn({"model": "sonnet", "keep_alive": keep_alive}, CONTEXT),
        generate_turn({"model": "sonnet", "prompt": "", "keep_alive": keep_alive}, CONTEXT),
    ):
        assert asked.turns == ()
        whole = asked.reply(response_meta()).whole()
        assert (whole["done"], whole["done_reason"]) == (True, reason)


def test_no_such_model() -> None:
    for body in ({"model": "llama3"}, {"model": "llama3", "messages": [ASKED]}):
        with pytest.raises(ModelNotFound):
            chat_turn(body, CONTEXT)


@pytest.mark.parametrize(
    ("messages", "fields", "param"),
    [
        ([{"role": "robot", "content": "x"}], {}, "messages[0].role"),
        ([{"role": "user", "content": "x", "images": ["!!!"]}], {}, "messages[0].images[0]"),
        ([{"role": "user", "content": "x", "images": ["aGVsbG8="]}], {}, "messages[0].images[0]"),
        ([], {"think": "very"}, "think"),
        ([], {"format": "yaml"}, "format"),
        ([], {"format": {"type": "nonsense"}}, "format"),
        ([], {"tools": [{"type": "other", "function": {"name": "x"}}]}, "tools[0].type"),
        ([], {"options": {"num_predict": "many"}}, "options.num_predict"),
    ],
)
def test_bad_input(messages: list[JsonObject], fields: JsonObject, param: str) -> None:
    assert refused(*messages, **fields).param == param


@pytest.mark.parametrize(
    ("messages", "param", "repaired"),
    [
        ([RESULT, ASKED], "messages[0]", "result without"),
        ([ASKED, called(("look", None)), {**RESULT, "tool_name": "see"}], "messages[2]", "result without its call"),
        ([ASKED, called(("look", None)), ASKED], "messages", "has no result"),
    ],
)
def test_what_is_put_right_is_named_and_refused_where_that_is_asked_for(
    messages: list[JsonObject], param: str, repaired: str
) -> None:
    assert repaired in ", ".join(parsed(*messages).repaired)
    with pytest.raises(BadRequest) as caught:
        chat_turn({"model": "sonnet", "messages": messages}, replace(CONTEXT, strict=True))
    assert caught.value.param == param


def test_names_of_tools_are_the_clients_own_in_the_answer() -> None:
    odd = {"type": "function", "function": {"name": "look.at", "parameters": SCHEMA}}
    asked = parsed(tools=[odd])
    [tool] = asked.turns[0].tools
    assert isinstance(tool, Tool)
    assert tool.name != "look.at"
    assert asked.repaired
    reply = asked.reply(response_meta())
    for event in (ToolCallStarted(0, "toolu_1", tool.name), ToolCallDelta(0, "{}"), BlockCompleted()):
        reply.feed(0, event)
    assert reply.whole()["message"]["tool_calls"][0]["function"]["name"] == "look.at"


def test_stops_of_white_space_and_json_are_the_proxys_to_keep() -> None:
    asked = parsed(options={"stop": ["\n", "END"]}, format="json")
    assert asked.turns[0].stop == ("END",)
    assert len(asked.filters) == 2


def test_the_assistant_may_speak_last() -> None:
    found = chat(ASKED, {"role": "assistant", "content": "Once"})
    assert (found.messages[-1].role, found.ask_to_continue) == ("assistant", True)


def test_a_suffix_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        generate_turn({"model": "sonnet", "prompt": "x", "suffix": "y"}, CONTEXT)
    assert caught.value.param == "suffix"


def test_tags_and_shows() -> None:
    found = models.tags({}, CONTEXT)["models"]
    by_name = {each["name"]: each for each in found}
    assert by_name["sonnet:latest"]["digest"] == by_name["gpt-4o:latest"]["digest"]
    assert by_name["sonnet:latest"]["digest"] != by_name["opus:latest"]["digest"]
    shown = models.show({"model": "sonnet:latest"}, CONTEXT)
    assert shown["model_info"]["claude.context_length"] == 1_000_000
    assert set(shown["capabilities"]) == {"completion", "tools", "vision", "thinking"}
    assert models.show({"name": "opus"}, CONTEXT)["model_info"]["claude.context_length"] == models.WINDOW
    with pytest.raises(ModelNotFound):
        models.show({"model": "llama3"}, CONTEXT)
    with pytest.raises(BadRequest):
        models.show({}, CONTEXT)
