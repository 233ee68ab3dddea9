"""Requests as real clients send them: carried or repaired, and refused with `strict`."""

from typing import Any

import pytest
from harness.shape import Shape
from translate.response_meta import response_meta
from translate.shapes import CONVERSATIONS, HI
from translate.shapes_messages import MESSAGES
from translate.shapes_ollama import OLLAMA
from translate.shapes_responses import RESPONSES
from translate.shapes_values import VALUES

from claude_max.proxy.engine.wire.protocol import api_message
from claude_max.proxy.errors import BadRequest
from claude_max.proxy.events import BlockCompleted, Finished, Started, ToolCallDelta, ToolCallStarted, Usage
from claude_max.proxy.scripted.rules_messages import complaints
from claude_max.proxy.translate import messages, ollama, responses
from claude_max.proxy.translate.chat.request import to_turn
from claude_max.proxy.translate.common.dialect import Dialect, ParsedRequest, RequestContext
from claude_max.proxy.translate.common.names import api_name
from claude_max.proxy.translate.common.tools import naming_tools

SHAPES = {**CONVERSATIONS, **VALUES}
# OpenAI takes these as they are, so `strict` does not refuse them.
TOLD = (
    "system only", "developer and system only", "system last", "assistant first",
    "Anthropic's blocks in another order", "tuples of draft 7", "bounds of draft 4", "nullable", "nulls in a tool",
)  # fmt: skip


def asked(fields: dict[str, Any], *, strict: bool = False) -> ParsedRequest:
    body = {"model": "sonnet", "messages": [{"role": "user", "content": "hi"}], **fields}
    return to_turn(body, RequestContext(strict=strict))


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape(name: str) -> None:
    shape = SHAPES[name]
    parsed = asked(shape.given)
    assert {key: getattr(parsed.turns[0], key) for key in shape.expected} == shape.expected
    assert shape.repaired in ", ".join(parsed.repaired)
    assert bool(parsed.repaired) is bool(shape.repaired)


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.repaired and name not in TOLD])
def test_a_repair_is_a_refusal_where_that_is_asked_for(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        asked(SHAPES[name].given, strict=True)
    assert caught.value.param


def becomes(shape: Shape, body: dict[str, Any], dialect: Dialect, told: tuple[str, ...] = ()) -> None:
    """What a shape becomes, and that `strict` refuses it, but for those of `told`."""
    parsed = dialect.to_turn({**body, **shape.given}, RequestContext())
    turn = parsed.turns[0]
    found = {"turns": len(turn.messages)}
    assert {key: found.get(key, getattr(turn, key, None)) for key in shape.expected} == shape.expected
    assert shape.repaired in ", ".join(parsed.repaired)
    assert bool(parsed.repaired) is bool(shape.repaired)
    assert not list(complaints([api_message(message) for message in turn.messages]))
    if shape.repaired and not any(words in shape.repaired for words in told):
        with pytest.raises(BadRequest):
            dialect.to_turn({**body, **shape.given}, RequestContext(strict=True))


@pytest.mark.parametrize("name", RESPONSES)
def test_a_shape_of_responses(name: str) -> None:
    told = (
        "system text sent",
        "user message added",
        "draft 2020-12",
        "one token asked for",
        "ids of calls",
        "late output",
    )
    becomes(RESPONSES[name], {"model": "sonnet", "input": "hi"}, responses.DIALECT, told)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_shape_of_messages(name: str) -> None:
    body = {"model": "sonnet", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
    becomes(MESSAGES[name], body, messages.DIALECT, ("draft 2020-12", "one token asked for", "names of calls"))


@pytest.mark.parametrize("name", OLLAMA)
def test_a_shape_of_ollama(name: str) -> None:
    becomes(OLLAMA[name], {"model": "sonnet", "messages": [{"role": "user", "content": "hi"}]}, ollama.CHAT)


def test_what_is_dropped_of_an_answer_is_named() -> None:
    assert asked(CONVERSATIONS["thoughts"].given).ignored == ("messages.content.thinking", "messages.content.reasoning")


def test_blank_stops_are_cut_here() -> None:
    assert len(asked(VALUES["stop of white space"].given).filters) == 1
    assert asked({"stop": "END"}).filters == ()


def test_many_repairs_are_counted() -> None:
    results = [{"role": "tool", "tool_call_id": f"x{n}", "content": "y"} for n in range(50)]
    found = asked({"messages": [*results, {"role": "user", "content": "hi"}]}).repaired
    assert (len(found), found[-1]) == (21, "30 more")


def test_a_repair_never_breaks_a_header() -> None:
    call = {"id": "a\r\nb, é", "function": {"name": "f", "arguments": "{}"}}
    found = asked(
        {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": [call]}]}
    ).repaired
    assert len(found) == 2
    for told in found:
        assert told.isascii()
        assert told.isprintable()
        assert "," not in told


def test_audio_is_refused() -> None:
    for fields in ({"modalities": ["text", "audio"]}, {"audio": {"voice": "x"}}):
        with pytest.raises(BadRequest, match="speak"):
            asked(fields)


def test_a_bad_tool_is_named() -> None:
    tools = [
        {
            "type": "function",
            "function": {"name": f"t{n}", "parameters": {"type": "object", "properties": {"a": {"type": "x"}}}},
        }
        for n in range(2)
    ]
    with pytest.raises(BadRequest, match="'t0'"):
        asked({"tools": tools})


MARKED_TEXT = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}


def test_cache_marks() -> None:
    """Clients of Claude models send them in chat completions, too."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    part = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    function: dict[str, Any] = {"name": "f"}
    tool = {"type": "function", "function": function, **mark}
    turn = asked(
        {"messages": [{"role": "user", "content": [part, {**part, "cache_control": "odd"}]}], "tools": [tool]}
    ).turns[0]
    assert [getattr(block, "cache", "") for block in turn.messages[0].content] == ["5m", None]
    assert [getattr(each, "cache", "") for each in turn.tools] == ["1h"]
    within = {"type": "function", "function": {**function, **mark}}
    assert [getattr(each, "cache", "") for each in asked({"tools": [within]}).turns[0].tools] == ["1h"]


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"role": "user", "content": "hi", "cache_control": {"type": "ephemeral"}}, "messages.cache_control"),
        ({"role": "system", "content": [MARKED_TEXT]}, "messages.content.cache_control"),
        ({"role": "assistant", "content": [MARKED_TEXT]}, "messages.content.cache_control"),
    ],
)
def test_a_cache_mark_without_effect_is_named(message: dict[str, Any], name: str) -> None:
    assert asked({"messages": [HI, message, HI]}).ignored == (name,)


def test_a_tool_that_the_service_refuses_is_named() -> None:
    words = "tools.1.custom.input_schema: does not support oneOf; tools.9: no"
    assert naming_tools(words, ["a", "b"]) == "tools.1 (b).custom.input_schema: does not support oneOf; tools.9: no"


@pytest.mark.parametrize(
    ("dialect", "body", "path"),
    [
        (responses.DIALECT, {"input": "hi", "tools": [{"type": "function", "name": "a.b"}]}, ("output", 0, "name")),
        (
            messages.DIALECT,
            {"messages": [HI], "max_tokens": 9, "tools": [{"name": "a.b", "input_schema": {"type": "object"}}]},
            ("content", 0, "name"),
        ),
    ],
    ids=["responses", "messages"],
)
def test_a_call_is_told_by_the_clients_own_name(dialect: Dialect, body: dict[str, Any], path: tuple[Any, ...]) -> None:
    asked = dialect.to_turn({"model": "sonnet", **body}, RequestContext())
    reply = asked.reply(response_meta())
    for event in (Started("m"), ToolCallStarted(0, "toolu_1", api_name("a.b")), ToolCallDelta(0, "{}"),
                  BlockCompleted(), Finished("tool_use", Usage())):  # fmt: skip
        reply.feed(0, event)
    found: Any = reply.whole()
    for step in path:
        found = found[step]
    assert found == "a.b"
