"""Requests as real clients send them: carried or put right, and refused where that is asked for."""

from typing import Any

import pytest
from translate.shapes import CONVERSATIONS, VALUES

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.translate.chat.request import to_turn
from claude_max.proxy.translate.common.dialect import ParsedRequest, RequestContext
from claude_max.proxy.translate.common.tools import naming_tools

SHAPES = {**CONVERSATIONS, **VALUES}
# OpenAI takes these as they are, so `strict` does not refuse them.
TOLD = (
    "system only", "developer and system only", "system last", "assistant first",
    "tuples of draft 7", "bounds of draft 4", "nullable", "nulls in a tool",
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
    (found,) = asked(
        {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": [call]}]}
    ).repaired
    assert found.isascii()
    assert found.isprintable()
    assert "," not in found


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


def test_cache_marks() -> None:
    """Clients of Claude models send them in chat completions, too."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    part = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    tool = {"type": "function", "function": {"name": "f"}, **mark}
    turn = asked(
        {"messages": [{"role": "user", "content": [part, {**part, "cache_control": "odd"}]}], "tools": [tool]}
    ).turns[0]
    assert [getattr(block, "cache", "") for block in turn.messages[0].content] == ["5m", None]
    assert [getattr(each, "cache", "") for each in turn.tools] == ["1h"]


def test_a_tool_that_the_service_refuses_is_named() -> None:
    words = "tools.1.custom.input_schema: does not support oneOf; tools.9: no"
    assert naming_tools(words, ["a", "b"]) == "tools.1 (b).custom.input_schema: does not support oneOf; tools.9: no"
