"""Structured output by a tool: what is offered, what becomes the content, and what is asked for once more."""

import socket
from dataclasses import replace
from typing import Any

import orjson
import pytest
from engine.turns import LOOK, PLAIN, SEEK, talk, turn, user
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.planning.schema_tool import (
    MISFIT,
    NAME,
    VALUE,
    AsContent,
    Misfit,
    is_wrapped,
    name_for,
    offered,
    satisfies,
)
from claude_max.proxy.events import (
    BlockCompleted,
    Event,
    Finished,
    JsonObject,
    Message,
    ReasoningDelta,
    Started,
    StopReason,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    ToolChoice,
    ToolResult,
    Turn,
    Usage,
)

OBJECT: JsonObject = {
    "type": "object",
    "properties": {"steps": {"type": "array"}, "n": {"type": "integer", "minimum": 1}},
    "required": ["n"],
}
ARRAY: JsonObject = {"type": "array", "items": {"type": "integer"}}
ASK = turn(user("a"), schema=OBJECT)
BEGAN, DONE, USAGE = Started("m"), BlockCompleted(), Usage(input=10, output=2)


def read(content: AsContent, *events: Event) -> list[Event]:
    return [shown for event in events for shown in content.feed(event)]


def gives(*json: str, name: str = NAME, index: int = 0, id: str = "s1") -> list[Event]:
    """A call of the schema's tool."""
    return [ToolCallStarted(index, id, name), *(ToolCallDelta(index, part) for part in json), DONE]


def calls(id: str, name: str, json: str, index: int) -> list[Event]:
    return [ToolCallStarted(index, id, name), ToolCallDelta(index, json), DONE]


def ends(reason: StopReason = "tool_use") -> Finished:
    return Finished(reason, USAGE)


# What is offered


def test_the_schema_is_a_tool_that_must_be_called() -> None:
    found = offered(ASK)
    assert found.schema is None
    (tool,) = found.tools
    assert isinstance(tool, Tool)
    assert (tool.name, tool.parameters, tool.strict) == (NAME, OBJECT, None)
    assert found.tool_choice == ToolChoice("named", NAME)
    assert replace(found, schema=OBJECT, tools=(), tool_choice=ToolChoice()) == ASK


@pytest.mark.parametrize("parallel", [True, False])
def test_beside_tools_of_the_clients_one_of_all_must_be_called(parallel: bool) -> None:
    found = offered(replace(ASK, tools=(LOOK, SEEK), tool_choice=ToolChoice("auto", parallel=parallel)))
    assert [tool.name for tool in found.tools if isinstance(tool, Tool)] == ["look", "seek", NAME]
    assert found.tool_choice == ToolChoice("required", parallel=parallel)


def test_a_client_that_wants_no_call_gets_the_answer() -> None:
    found = offered(replace(ASK, tools=(LOOK,), tool_choice=ToolChoice("none")))
    assert found.tool_choice == ToolChoice("named", NAME)


def test_a_client_that_wants_one_call_gets_no_other_answer() -> None:
    wanted = replace(ASK, tools=(LOOK,), tool_choice=ToolChoice("named", "look"))
    assert offered(wanted) == replace(wanted, schema=None)


def test_a_name_of_the_clients_is_not_taken() -> None:
    wanted = replace(ASK, tools=(replace(LOOK, name=NAME), replace(LOOK, name=f"{NAME}_")))
    assert name_for(wanted) == f"{NAME}__"
    assert len({tool.name for tool in offered(wanted).tools if isinstance(tool, Tool)}) == 3


ROOTS: list[tuple[JsonObject, bool]] = [
    (PLAIN, False), (OBJECT, False), (ARRAY, True), ({}, True), ({"type": "string"}, True),
    ({"type": ["object", "null"]}, True), ({"enum": ["a"]}, True), ({"type": "object", "anyOf": [{}]}, True),
    ({"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {}}}, True), ({"type": "object", "$defs": {}}, False),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "wrapped"), ROOTS)
def test_which_roots_are_wrapped(schema: JsonObject, wrapped: bool) -> None:
    assert is_wrapped(schema) is wrapped
    (tool,) = offered(replace(ASK, schema=schema)).tools
    assert isinstance(tool, Tool)
    assert tool.parameters["type"] == "object"
    assert (list(tool.parameters.get("properties", {})) == [VALUE]) is wrapped
    if wrapped:
        assert tool.parameters["required"] == [VALUE]
        assert tool.parameters["additionalProperties"] is False


def wrapping(schema: JsonObject) -> JsonObject:
    (tool,) = offered(replace(ASK, schema=schema)).tools
    assert isinstance(tool, Tool)
    return tool.parameters


def test_references_point_to_where_the_schema_stands_now() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "value": {"$ref": "#/$defs/n"}}}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://x/y",
        "anyOf": [node, {"$ref": "#named"}],
        "$defs": {"n": {"type": "integer"}, "named": {"$anchor": "named", "type": "null"}},
    }
    before = orjson.dumps(schema)
    found = wrapping(schema)
    assert orjson.dumps(schema) == before, "the client's own is not changed"
    inner = found["properties"][VALUE]
    assert "$id" not in inner
    assert inner["anyOf"][0]["properties"]["next"] == {"$ref": f"#/properties/{VALUE}"}
    assert inner["anyOf"][0]["properties"]["value"] == {"$ref": f"#/properties/{VALUE}/$defs/n"}
    assert inner["anyOf"][1] == {"$ref": "#named"}
    assert satisfies(found, {VALUE: {"next": {"value": 1}, "value": 2}})
    assert satisfies(found, {VALUE: None})
    assert not satisfies(found, {VALUE: {"value": "x"}})
    assert not satisfies(found, {VALUE: {"next": {"next": {"value": "x"}}}})


def test_parts_with_an_id_of_their_own_stay() -> None:
    """What they refer to is relative to that. The root's own id is gone: what named it points to where it stands."""
    pair = {"$id": "https://x/pair", "type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "null"}}}
    schema = {
        "$id": "https://x/root",
        "anyOf": [{"$ref": "https://x/pair"}, {"$ref": "https://x/root#/$defs/n"}],
        "$defs": {"pair": pair, "n": {"type": "integer"}},
    }
    found = wrapping(schema)
    assert found["properties"][VALUE]["$defs"]["pair"] == pair
    for value, fits in (([None], True), (1, True), ([1], False), (None, False)):
        assert satisfies(found, {VALUE: value}) is satisfies(schema, value) is fits


def test_names_and_values_of_the_clients_are_no_keywords() -> None:
    """A property may be called `$id`, and a constant may look like a reference."""
    pointer = {"$ref": "#/a", "$id": "z", "$schema": "s"}
    names = {name: {"type": "string"} for name in ("$id", "$schema", "$ref", "const", "enum")}
    schema = {"type": "array", "items": {"type": "object", "properties": names, "required": list(names)}}
    assert wrapping(schema)["properties"][VALUE] == schema
    for kept in ({"const": pointer}, {"enum": [pointer]}, {"type": "array", "default": [pointer]}):
        assert wrapping(kept)["properties"][VALUE] == kept
    named = {"anyOf": [{"properties": {"const": {"$ref": "#/$defs/n"}}}], "$defs": {"n": {"type": "null"}}}
    moved = wrapping(named)["properties"][VALUE]["anyOf"][0]["properties"]["const"]
    assert moved == {"$ref": f"#/properties/{VALUE}/$defs/n"}


# What becomes of the answer


def test_the_arguments_are_the_content_in_one_piece() -> None:
    content = AsContent(ASK)
    assert read(content, BEGAN, *gives('{"n"', ": 1 }")) == [BEGAN]
    assert read(content, ends()) == [TextDelta('{"n": 1 }'), DONE, Finished("end_turn", USAGE)]


def test_a_wrapped_value_is_unwrapped() -> None:
    content = AsContent(replace(ASK, schema=ARRAY))
    shown = read(content, BEGAN, *gives('{"value": [1, 2]}'), ends())
    assert shown[1:] == [TextDelta("[1, 2]"), DONE, Finished("end_turn", USAGE)]


def test_a_value_without_arguments_is_an_empty_object() -> None:
    content = AsContent(replace(ASK, schema=PLAIN))
    assert read(content, BEGAN, *gives(), ends())[1] == TextDelta("{}")


def test_words_and_thoughts_around_the_call_are_not_shown() -> None:
    content = AsContent(ASK)
    shown = read(content, BEGAN, ReasoningDelta("hm"), DONE, TextDelta("Well"), DONE, *gives('{"n":1}'), ends())
    assert shown == [BEGAN, TextDelta('{"n":1}'), DONE, Finished("end_turn", USAGE)]


UNFIT = ["", "{", '{"n":0}', '{"n":"1"}', "{}", "[]", "null", '{"n":1} x']


@pytest.mark.parametrize("json", UNFIT)
def test_arguments_that_do_not_fit(json: str) -> None:
    content = AsContent(ASK)
    with pytest.raises(Misfit):
        read(content, BEGAN, *gives(json), ends())
    assert content.usage == USAGE


@pytest.mark.parametrize("json", ["{}", '{"value":1}', '{"value":["x"]}', "[1]", "null", '{"other":[1]}'])
def test_a_wrapped_value_that_does_not_fit(json: str) -> None:
    with pytest.raises(Misfit):
        read(AsContent(replace(ASK, schema=ARRAY)), BEGAN, *gives(json), ends())


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence", "pause_turn"])
def test_no_call_at_all(reason: StopReason) -> None:
    content = AsContent(ASK)
    with pytest.raises(Misfit):
        read(content, BEGAN, TextDelta('{"n":1}'), DONE, ends(reason))
    assert content.usage == USAGE


def test_a_second_attempt_sees_what_the_first_one_gave() -> None:
    content, tries = AsContent(ASK), offered(ASK)
    with pytest.raises(Misfit):
        read(content, BEGAN, *gives('{"n":0}'), ends())
    again = content.again(tries)
    assert again.messages == (
        *ASK.messages,
        Message("assistant", (ToolCall("s1", NAME, {"n": 0}),)),
        Message("user", (ToolResult("s1", (Text(MISFIT),), is_error=True),)),
    )
    assert replace(again, messages=ASK.messages) == tries


@pytest.mark.parametrize(
    "text", ["[18446744073709551616, -99999999999999999999]", "[ 1,\n 2 ]", "[]", '["}"]', '[{"value": [1.50, 1e2]}]']
)
def test_a_wrapped_value_is_told_as_the_model_wrote_it(text: str) -> None:
    content = AsContent(turn(user("a"), schema={"type": "array"}))
    assert read(content, *gives(f'{{ "{VALUE}" : {text} }}\n'), ends())[0] == TextDelta(text)


@pytest.mark.parametrize("events", [gives("[1]"), [TextDelta("no"), DONE]], ids=["list", "text"])
def test_what_cannot_be_shown_to_the_model_is_asked_for_in_the_same_words(events: list[Event]) -> None:
    content, tries = AsContent(ASK), offered(ASK)
    with pytest.raises(Misfit):
        read(content, BEGAN, *events, ends())
    assert content.again(tries) == tries


def test_arguments_that_were_cut_off_are_shown_to_the_model_as_none() -> None:
    content = AsContent(ASK)
    with pytest.raises(Misfit):
        read(content, BEGAN, *gives('{"n":'), ends())
    assert content.again(offered(ASK)).messages[1] == Message("assistant", (ToolCall("s1", NAME, {}),))


def test_the_first_of_two_answers_counts() -> None:
    content = AsContent(ASK)
    shown = read(content, BEGAN, *gives('{"n":1}'), *gives('{"n":2}', index=1, id="s2"), ends())
    assert shown == [BEGAN, TextDelta('{"n":1}'), DONE, Finished("end_turn", USAGE)]


def test_usage_of_all_attempts_adds_up() -> None:
    first = AsContent(ASK)
    with pytest.raises(Misfit):
        read(first, BEGAN, *gives("{"), ends())
    second = AsContent(ASK, first.usage)
    assert read(second, BEGAN, *gives('{"n":1}'), ends())[-1] == Finished("end_turn", Usage(input=20, output=4))


def with_tools() -> AsContent:
    return AsContent(replace(ASK, tools=(LOOK, SEEK)))


def test_calls_of_the_clients_own_tools_are_shown() -> None:
    shown = read(with_tools(), BEGAN, TextDelta("Well"), DONE, *calls("c1", "look", "{}", 0),
                 *calls("c2", "seek", '{"q":1}', 1), ends())  # fmt: skip
    assert shown == [
        BEGAN,
        ToolCallStarted(0, "c1", "look"), ToolCallDelta(0, "{}"), DONE,
        ToolCallStarted(1, "c2", "seek"), ToolCallDelta(1, '{"q":1}'), DONE,
        Finished("tool_use", USAGE),
    ]  # fmt: skip


@pytest.mark.parametrize("place", [0, 1, 2])
def test_beside_calls_of_the_clients_the_answer_waits_and_they_count_from_nought(place: int) -> None:
    parts = [calls("c1", "look", "{}", 0), calls("c2", "seek", "{}", 1)]
    parts.insert(place, gives('{"n":1}', index=0))
    numbered = [
        replace(event, index=number) if isinstance(event, ToolCallStarted | ToolCallDelta) else event
        for number, part in enumerate(parts)
        for event in part
    ]
    shown = read(with_tools(), BEGAN, *numbered, ends())
    assert shown == [
        BEGAN, *calls("c1", "look", "{}", 0), *calls("c2", "seek", "{}", 1), Finished("tool_use", USAGE),
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "model_context_window_exceeded"])
def test_a_limit_ends_it_with_what_there_is(reason: StopReason) -> None:
    shown = read(AsContent(ASK), BEGAN, *gives('{"n"'), ends(reason))
    assert shown == [BEGAN, TextDelta('{"n"'), DONE, Finished(reason, USAGE)]
    words: list[Event] = [TextDelta("I must not"), DONE]
    assert read(AsContent(ASK), BEGAN, *words, ends(reason)) == [BEGAN, *words, Finished(reason, USAGE)]


blocks = st.lists(st.sampled_from(["text", "thinking", "schema", "look", "seek"]), max_size=5)


@given(blocks, st.sampled_from(["tool_use", "end_turn", "max_tokens", "refusal"]))
def test_whatever_the_model_writes_what_is_shown_is_whole(kinds: list[str], reason: StopReason) -> None:
    """Each end of a block follows its deltas, calls count from 0, and Finished is the last."""
    events: list[Event] = [BEGAN]
    number = 0
    for kind in kinds:
        if kind in ("text", "thinking"):
            events += [TextDelta("t") if kind == "text" else ReasoningDelta("t"), DONE]
        else:
            name = NAME if kind == "schema" else kind
            events += calls(f"c{number}", name, '{"n":1}', number)
            number += 1
    try:
        shown = read(with_tools(), *events, ends(reason))
    except Misfit:
        assert "look" not in kinds
        return
    assert shown[0] == BEGAN
    assert isinstance(shown[-1], Finished)
    assert shown[-1].usage == USAGE
    is_open = False
    indexes = []
    for event in shown[1:-1]:
        if event == DONE:
            assert is_open, "the end of no block"
        if isinstance(event, ToolCallStarted):
            indexes.append(event.index)
            assert event.name != NAME
        is_open = event != DONE
    assert not is_open
    assert indexes == list(range(len(indexes)))


# The whole schema


VALUES: list[tuple[JsonObject, Any, bool]] = [
    ({"type": "integer", "minimum": 1}, 1, True),
    ({"type": "integer", "minimum": 1}, 0, False),
    ({"const": 1}, True, False),
    ({"unevaluatedProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 2}, False),
    ({"prefixItems": [{"type": "string"}], "items": False}, ["a", 1], False),
    # A pattern in a language of its own; the client asked for it, and may know.
    ({"pattern": "(?<"}, "x", True),
    # Half a character, which the model may have written.
    ({"enum": ["\ufffd"]}, "\ud83d", True),
    ({"enum": ["a"]}, "\ud83d", False),
    ({"additionalProperties": {"type": "integer"}}, {"\ud83d": [10**30]}, False),
]


@pytest.mark.parametrize(("schema", "value", "fits"), VALUES)
def test_a_value_is_held_against_the_whole_schema(schema: JsonObject, value: Any, fits: bool) -> None:
    assert satisfies(schema, value) is fits


@pytest.mark.parametrize("word", ["$ref", "$dynamicRef", "$schema"])
def test_nothing_is_fetched_for_a_schema(word: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/schema"
        satisfies({"$ref": "#/custom/x", "custom": {"x": {"properties": {"a": {word: url}}}}}, {"a": 1})
        satisfies({word: url}, 1)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_conversation_stays() -> None:
    wanted: Turn = turn(*talk("a", "b", "c"), schema=OBJECT, system="S")
    assert offered(wanted).messages == wanted.messages
    assert offered(wanted).system == "S"
