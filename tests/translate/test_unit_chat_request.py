"""A chat request becomes a Turn, or a 400 that names its field."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translate.chat_bodies import OBJECT, requests, written
from translate.response_meta import response_meta

from claude_max.proxy.errors import BadRequest, ModelNotFound
from claude_max.proxy.events import JsonObject, Message, Text, ToolCall, ToolChoice, ToolResult, Turn
from claude_max.proxy.translate.chat.answer import ChatOptions, ChatReply
from claude_max.proxy.translate.chat.request import to_turn
from claude_max.proxy.translate.common.dialect import ParsedRequest, RequestContext
from claude_max.proxy.translate.common.sampling import JSON_OBJECT

USER = {"role": "user", "content": "hi"}
SAID = {"role": "assistant", "content": "x"}
LOOK = {"type": "function", "function": {"name": "look"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


CONTEXT = RequestContext()


def asked(**fields: Any) -> ParsedRequest:
    return to_turn({"model": "sonnet", "messages": [USER], **fields}, CONTEXT)


def made(**fields: Any) -> Turn:
    return asked(**fields).turns[0]


def follows_the_rules(turn: Turn) -> None:
    roles = [message.role for message in turn.messages]
    assert roles == ["user" if index % 2 == 0 else "assistant" for index in range(len(roles))]
    open_calls: set[str] = set()
    for message in turn.messages:
        assert message.content
        assert not any(isinstance(item, Text) and not item.text.strip() for item in message.content)
        answered = [item.call_id for item in message.content if isinstance(item, ToolResult)]
        assert sorted(answered) == sorted(open_calls)
        assert all(isinstance(item, ToolResult) for item in message.content[: len(answered)])
        open_calls = {item.id for item in message.content if isinstance(item, ToolCall)}


@settings(max_examples=120, deadline=None)
@given(requests())
def test_any_valid_request_becomes_a_turn_that_follows_the_rules(body: JsonObject) -> None:
    parsed = to_turn(body, CONTEXT)
    turn = parsed.turns[0]
    follows_the_rules(turn)
    assert turn.tool_choice.mode == "auto" or turn.tools
    assert parsed.turns == (turn,) * body.get("n", 1)
    without = {"seed", "logit_bias", "ignore_eos"}
    assert without & set(body) == without & set(parsed.ignored)


@settings(max_examples=80, deadline=None)
@given(requests())
def test_a_turn_written_back_as_a_request_is_the_same_turn(body: JsonObject) -> None:
    turn = to_turn(body, CONTEXT).turns[0]
    assert to_turn(written(turn), CONTEXT).turns[0] == turn


junk: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(("", "x", "user", "text", "function", "look", "data:,")),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ("role", "content", "type", "text", "function", "name", "id", "image_url", "url", "file", "$ref")
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_nonsense_is_a_bad_request_and_no_fault(data: st.DataObject) -> None:
    body = data.draw(requests())
    match data.draw(st.sampled_from(("field", "message", "inside", "drop"))):
        case "field":
            body[data.draw(st.sampled_from((*body, "functions", "function_call", "response_format", "tools")))] = (
                data.draw(junk)
            )
        case "message":
            body["messages"].insert(data.draw(st.integers(0, len(body["messages"]))), data.draw(junk))
        case "inside":
            message = data.draw(st.sampled_from(body["messages"]))
            message[data.draw(st.sampled_from((*message, "tool_calls", "function_call")))] = data.draw(junk)
        case _:
            body["messages"].pop(data.draw(st.integers(0, len(body["messages"]) - 1)))
    try:
        turn = to_turn(body, CONTEXT).turns[0]
    except (BadRequest, ModelNotFound):
        return
    follows_the_rules(turn)


def tool(**function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "look", **function}}


def schema(value: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": value}}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"model": ""}, "model"),
    ({"model": 5}, "model"),
    ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": " "}]}, "messages"),
    (
        {"messages": [USER, {"role": "assistant", "tool_calls": [{**CALL, "type": "custom"}]}]},
        "messages[1].tool_calls[0].type",
    ),
    ({"temperature": 2.1}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"top_p": -0.1}, "top_p"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"n": 0}, "n"),
    ({"n": 129}, "n"),
    ({"stop": ["a"] * 17}, "stop"),
    ({"stream": "yes"}, "stream"),
    ({"reasoning_effort": "huge"}, "reasoning_effort"),
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
    ({"response_format": schema({"type": "nonsense"})}, "response_format.json_schema.schema"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"tools": [{"type": "function"}]}, "tools[0].function"),
    ({"tools": [tool(name="")]}, "tools[0].function.name"),
    ({"tools": [tool(parameters={"type": "array"})]}, "tools[0].function.parameters"),
    ({"tools": [tool(), tool(parameters={"type": "object", "properties": 5})]}, "tools[1].function.parameters"),
    ({"tools": [tool(), tool()]}, "tools"),
    ({"tools": [LOOK], "functions": [{"name": "f"}]}, "functions"),
    ({"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice"),
    ({"tools": [LOOK], "tool_choice": "sometimes"}, "tool_choice"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"functions": [{"name": "f"}], "function_call": {"name": "other"}}, "function_call"),
    ({"frequency_penalty": 3}, "frequency_penalty"),
    ({"seed": "x"}, "seed"),
]


# Put right otherwise: see shapes.py.
BAD_WHERE_STRICT: list[tuple[dict[str, Any], str]] = [
    ({"messages": [USER, {"role": "tool", "tool_call_id": "c", "content": "x"}]}, "messages[1].tool_call_id"),
    ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages[1].tool_call_id"),
    ({"messages": [USER, {"role": "function", "content": "x"}]}, "messages[1].name"),
    ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}]}, "messages"),
    ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}, USER]}, "messages"),
    ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}, USER, SAID, USER]}, "messages"),
    ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL, CALL]}]}, "messages[1].tool_calls[1].id"),
    ({"max_completion_tokens": -1}, "max_completion_tokens"),
    ({"tools": [tool(name="a b")]}, "tools[0].function.name"),
    ({"tools": [tool(name="a" * 65)]}, "tools[0].function.name"),
    ({"tools": [tool(name=f"t{i}") for i in range(129)]}, "tools"),
    ({"functions": [{"name": "a b"}]}, "functions[0].name"),
]


@pytest.mark.parametrize(("fields", "param"), BAD_WHERE_STRICT)
def test_what_openai_refuses_is_refused_where_that_is_asked_for(fields: dict[str, Any], param: str) -> None:
    body = {"model": "sonnet", "messages": [USER], **fields}
    with pytest.raises(BadRequest) as caught:
        to_turn(body, RequestContext(strict=True))
    assert caught.value.param == param
    to_turn(body, CONTEXT)


@pytest.mark.parametrize(("fields", "param"), BAD)
def test_every_bad_request_names_its_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        made(**fields)
    assert caught.value.param == param
    assert caught.value.message.startswith(param.partition("[")[0].partition(".")[0])


def test_a_bad_part_is_named_and_not_its_list() -> None:
    with pytest.raises(BadRequest) as caught:
        made(messages=[{"role": "user", "content": [{"type": "text", "text": "x"}, {"text": "x"}]}])
    assert caught.value.param == "messages[0].content[1].type"


MAPPED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"max_tokens": 5, "max_completion_tokens": 7}, {"max_tokens": 7}),
    ({"stop": "END"}, {"stop": ("END",)}),
    ({"temperature": 1.7}, {"temperature": 1}),
    ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
    ({"reasoning_effort": "none"}, {"effort": None, "thinking": "off"}),
    ({"reasoning_effort": "minimal"}, {"effort": "low", "thinking": "shown"}),
    ({"reasoning_effort": "high"}, {"effort": "high", "thinking": "shown"}),
    ({}, {"effort": None, "thinking": "default", "schema": None, "system": "", "tools": (), "stop": ()}),
    ({"response_format": {"type": "json_object"}}, {"system": JSON_OBJECT, "schema": None}),
    ({"response_format": schema(OBJECT)}, {"schema": OBJECT}),
    ({"tools": [LOOK], "tool_choice": "required"}, {"tool_choice": ToolChoice("required")}),
    ({"tools": [LOOK], "parallel_tool_calls": False}, {"tool_choice": ToolChoice(parallel=False)}),
    ({"tools": [LOOK], "tool_choice": LOOK}, {"tool_choice": ToolChoice("named", "look")}),
    (
        {"functions": [{"name": "f"}], "function_call": {"name": "f"}},
        {"tool_choice": ToolChoice("named", "f", parallel=False)},
    ),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}, {"messages": made().messages}),
    (
        {"messages": [{"role": "system", "content": "A"}, USER, {"role": "developer", "content": "B"}]},
        {"system": "A\n\nB"},
    ),
]


@pytest.mark.parametrize(("fields", "expected"), MAPPED)
def test_fields_of_the_turn(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    turn = made(**fields)
    assert {name: getattr(turn, name) for name in expected} == expected


def picture(detail: str) -> dict[str, Any]:
    url = {"url": "https://example.org/a.png", "detail": detail}
    return {"role": "user", "content": [{"type": "image_url", "image_url": url}]}


SAID = {"role": "assistant", "content": "x"}
PAPER = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}}
IGNORED: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"seed": 1, "user": "me", "metadata": {}}, ("seed", "user", "metadata")),
    ({"frequency_penalty": 0, "presence_penalty": 0.0, "logprobs": False, "store": False}, ()),
    ({"service_tier": "auto", "modalities": ["text"], "seed": None}, ()),
    ({"temperature": 1.7}, ("temperature",)),
    ({"messages": [{**USER, "name": "Bob"}]}, ("messages.name",)),
    ({"top_k": 4, "thinking": {"type": "enabled"}, "foo": False, "bar": None}, ("top_k", "thinking", "foo")),
    ({"a\r\nb: é": 1, "[x]": 1}, ("a%0D%0Ab%3A%20%C3%A9", "[x]")),
    ({f"own{n}": 1 for n in range(100)}, tuple(f"own{n}" for n in range(50))),
    ({"stream_options": {"include_usage": True, "include_obfuscation": True}}, ("stream_options.include_obfuscation",)),
    ({"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]}, ("tools.function.strict",)),
    ({"tools": [{"type": "function", "function": {"name": "f", "strict": False}}]}, ()),
    ({"messages": [picture("low")]}, ("image_url.detail",)),
    ({"messages": [picture("auto")]}, ()),
    ({"messages": [USER, {**SAID, "reasoning_content": "hm", "annotations": [], "prefix": False, "x": 2}, USER]},
     ("messages.reasoning_content", "messages.x")),
    ({"messages": [USER, {**SAID, "refusal": "no"}, USER]}, ("messages.refusal",)),
    ({"messages": [USER, {"role": "assistant", "refusal": "no"}, USER]}, ()),
    ({"messages": [{"role": "user", "content": [{**PAPER, "context": "old", "citations": {"enabled": True}}]}]},
     ("messages.content.context", "messages.content.citations")),
]  # fmt: skip
SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("messages", "is_moved"),
    [([SYSTEM, USER], False), ([USER, SYSTEM], True), ([USER, SAID, SYSTEM, USER], True), ([SYSTEM, SYSTEM], False)],
)
def test_a_system_message_in_the_middle_is_named(messages: list[dict[str, Any]], is_moved: bool) -> None:
    """It stands at the head of the prompt then, where the service has its system prompt."""
    told = to_turn({"model": "sonnet", "messages": messages}, RequestContext(strict=True)).repaired
    assert any("system message moved into the system prompt" in each for each in told) is is_moved


@pytest.mark.parametrize(("fields", "names"), IGNORED)
def test_what_has_no_effect_is_named(fields: dict[str, Any], names: tuple[str, ...]) -> None:
    assert set(asked(**fields).ignored) == set(names)


def test_the_form_of_the_answer() -> None:
    parsed = asked(
        stream=True, stream_options={"include_usage": True}, n=3, reasoning_effort="low", functions=[{"name": "f"}]
    )
    assert (parsed.stream, len(parsed.turns)) == (True, 3)
    assert options_of(parsed) == ChatOptions(include_usage=True, show_reasoning=True, legacy_function=True)
    plain = asked(reasoning_effort="none")
    assert (plain.stream, len(plain.turns), options_of(plain)) == (False, 1, ChatOptions())


def options_of(parsed: ParsedRequest) -> ChatOptions:
    reply = parsed.reply(response_meta())
    assert isinstance(reply, ChatReply)
    return reply.options


def test_conversations_of_strange_shapes() -> None:
    turn = made(messages=[SAID, SAID, {"role": "user", "content": ""}, USER, {"role": "assistant"}, USER])
    opening = turn.messages[0]
    assert opening.role == "user"
    assert turn.messages[1:] == (
        Message("assistant", (Text("x"), Text("x"))), Message("user", (Text("hi"), Text("hi"))),
    )  # fmt: skip


def test_foreign_ids_are_made_the_apis_own_and_still_match() -> None:
    call = {**CALL, "id": "functions.look:0"}
    answer = {"role": "tool", "tool_call_id": "functions.look:0", "content": "x"}
    turn = made(messages=[USER, {"role": "assistant", "tool_calls": [call]}, answer, USER])
    (made_call,) = turn.messages[1].content
    assert isinstance(made_call, ToolCall)
    assert made_call.id.startswith("call_")
    assert turn.messages[2].content == (ToolResult(made_call.id, (Text("x"),)), Text("hi"))


def test_half_a_character_in_arguments_is_replaced() -> None:
    """What stands beside it is carried as it is."""
    text = r'{"a": "\ud83d", "b": "\ud83d\ude00", "c": "\\ud83d"}'
    call = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": text}}]}
    turn = made(messages=[USER, call, {"role": "tool", "tool_call_id": "c", "content": "no"}])
    assert turn.messages[1].content == (ToolCall("c", "f", {"a": "\ufffd", "b": "\U0001f600", "c": r"\ud83d"}),)


@pytest.mark.parametrize("text", ['{"a":', "[1]", "5", "look it up"])
def test_arguments_that_are_no_object_are_shown_to_the_model(text: str) -> None:
    """It wrote them itself; the client's next message tells it that they were of no use."""
    call = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": text}}]}
    turn = made(messages=[USER, call, {"role": "tool", "tool_call_id": "c", "content": "no"}])
    assert turn.messages[1].content == (ToolCall("c", "f", {"arguments": text}),)


def test_legacy_function_messages() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a":1}'}}
    result = {"role": "function", "name": "f", "content": "x"}
    turn = made(messages=[USER, called, result, called, result])
    follows_the_rules(turn)
    calls = [item for message in turn.messages for item in message.content if isinstance(item, ToolCall)]
    assert [(call.name, call.arguments) for call in calls] == [("f", {"a": 1})] * 2
    assert calls[0].id != calls[1].id


def test_ids_used_in_two_messages_are_told_apart() -> None:
    round_ = [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]
    turn = made(messages=[USER, *round_, *round_])
    calls = [item.id for message in turn.messages for item in message.content if isinstance(item, ToolCall)]
    assert len(set(calls)) == 2


def test_a_past_refusal_beside_an_empty_content_is_kept() -> None:
    turn = made(messages=[USER, {"role": "assistant", "content": "", "refusal": "I will not."}, USER])
    assert turn.messages[1] == Message("assistant", (Text("I will not."),))
