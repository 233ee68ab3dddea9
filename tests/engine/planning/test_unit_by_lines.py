"""What the lines way would lose is refused by name; what it only alters is told."""

from dataclasses import replace
from typing import Any

import pytest
from engine.turns import LOOK, PNG, called, results, said, turn, user

from claude_max.proxy.engine.planning.by_lines import DESCRIPTION_LENGTH, NOTE, adapted, altered, check
from claude_max.proxy.engine.wire.protocol import api_message
from claude_max.proxy.errors import BadRequest
from claude_max.proxy.events import (
    Message,
    OpaqueBlock,
    RedactedThinking,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)


def with_property(name: str) -> Turn:
    return turn(user("a"), tools=(Tool("odd", "", {"type": "object", "properties": {name: {}}}),))


LOST: list[tuple[Turn, str, str]] = [
    (turn(user("a"), said("b")), "messages", "ends with an assistant message"),
    (turn(user("a"), tools=(ServerTool({"name": "web_search"}),)), "tools", "'web_search' is a tool of the service"),
    (with_property("$filter"), "tools", "'odd' has a property named '$filter'"),
    (with_property("a b"), "tools", "named 'a b'"),
    (with_property(""), "tools", "named ''"),
    (with_property("x" * 65), "tools", "xxx"),
    (with_property("µ"), "tools", "named 'µ'"),
    (with_property("a\n"), "tools", "named"),
    (turn(user("a"), tools=(LOOK, Tool("ToolSearch", "", {}))), "tools", "named 'ToolSearch'"),
    (turn(Message("user", (OpaqueBlock({"type": "search_result"}),))), "messages", "'search_result' block"),
    (turn(user("a"), Message("system", (PNG,))), "messages", "A system message holds more than text"),
]


@pytest.mark.parametrize(("wanted", "param", "words"), LOST)
def test_what_would_be_lost_is_refused(wanted: Turn, param: str, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check(wanted)
    assert caught.value.param == param
    assert words in caught.value.message


@pytest.mark.parametrize(
    "wanted",
    [
        turn(user("a")),
        turn(user("a"), called("c1"), results("c1"), tools=(LOOK,)),
        with_property("x" * 64),
        with_property("a-b_c.D9"),
        turn(user("a"), tools=(Tool("toolsearch", "", {}), Tool("Bash", "", {"properties": []}))),
        turn(Message("user", (PNG,))),
    ],
)
def test_what_arrives_is_taken(wanted: Turn) -> None:
    check(wanted)


THOUGHT = Thinking("hm", "sig")
# A client's function, declared with more than a Tool has a place for.
WITH_MORE = ServerTool(
    {"name": "far", "description": "Far.", "input_schema": {"type": "object"}, "defer_loading": True,
     "input_examples": [{}], "cache_control": {"type": "ephemeral"}}
)  # fmt: skip


def tools(*of: Tool | ServerTool) -> Turn:
    return turn(user("a"), tools=of)


NO_THOUGHT = "messages: the thinking in them left out"
UNMARKED = "cache_control: left out; the CLI sets its own"
ALTERED: list[tuple[Turn, list[str]]] = [
    (turn(user("a")), []),
    (tools(LOOK), []),
    (tools(Tool("long", "x" * DESCRIPTION_LENGTH, {})), []),
    (tools(Tool("long", "x" * (DESCRIPTION_LENGTH + 1), {})), ["tool long: description cut at 4096 characters"]),
    (tools(Tool("unit", "in m²", {})), ["tool unit: characters normalized"]),
    (tools(Tool("unit", "", {"enum": ["µg"]})), ["tool unit: characters normalized"]),
    (tools(Tool("unseen", "a\u200bb", {})), ["tool unseen: characters normalized"]),
    (tools(Tool("unseen", "", {"enum": ["a\ue000b"]})), ["tool unseen: characters normalized"]),
    (tools(Tool("plain", "é 漢 👩 \u2028 \0", {})), []),
    (tools(Tool("any", "", {"anyOf": [{"required": ["a"]}]})), ["tool any: anyOf flattened"]),
    (tools(Tool("any", "", {"properties": {"a": {"oneOf": [{}]}}})), []),
    (turn(Message("user", (ToolResult("c1", ()),))), ["messages: empty content filled in"]),
    (turn(Message("user", (ToolResult("c1", (Text(" "),)),))), ["messages: empty content filled in"]),
    (turn(Message("user", (ToolResult("c1", (PNG,)),))), []),
    (
        turn(Message("user", (ToolResult("c1", (Text("r"), PNG), is_error=True),))),
        ["messages: a failed call's result left with its text only"],
    ),
    (turn(Message("user", (ToolResult("c1", (Text("r"),), is_error=True),))), []),
    (tools(Tool("Agent", "", {}), LOOK), ["messages: the CLI's own list of agents added"]),
    (tools(Tool("agent", "", {}), Tool("Task", "", {})), []),
    (tools(Tool("b", "", {}), Tool("a", "", {})), ["tools: sorted by name"]),
    # As 2.1.332 sorts these.
    (tools(*(Tool(name, "", {}) for name in ("_x", "a", "A", "alpha", "b", "B", "Zed"))), []),
    (tools(Tool("a", "", {"type": "object", "properties": {}, "required": [], "title": "A"})), []),
    (tools(Tool("a", "", {"title": "A", "type": "object"})), ["tool a: keys of the schema in another order"]),
    (tools(Tool("a", "", {"properties": {}, "type": "object"})), ["tool a: keys of the schema in another order"]),
    (tools(replace(LOOK, strict=True), replace(LOOK, strict=False)), ["tool look: strict left out"]),
    (tools(WITH_MORE), ["tool far: defer_loading and input_examples left out", UNMARKED]),
    (
        tools(ServerTool({"type": None, "name": "Agent", "input_schema": {"type": "object"}, "defer_loading": None})),
        ["messages: the CLI's own list of agents added"],
    ),
    (turn(Message("user", (ToolResult("c1", ()),)), user("go")), []),
    (turn(user("a"), Message("assistant", (THOUGHT, Text("b"))), user("c")), [NO_THOUGHT]),
    (turn(user("a"), Message("assistant", (RedactedThinking("x"), Text("b"))), user("c")), [NO_THOUGHT]),
    (turn(Message("user", (Text("a", cache="5m"),))), [UNMARKED]),
    (turn(Message("user", (ToolResult("c1", (Text("a", cache="1h"),)),))), [UNMARKED]),
    (tools(replace(LOOK, cache="5m")), [UNMARKED]),
    (turn(user(" ")), ["messages: empty content filled in"]),
    (turn(Message("user", (PNG,))), []),
]


@pytest.mark.parametrize(("wanted", "told"), ALTERED)
def test_what_is_altered_is_told(wanted: Turn, told: list[str]) -> None:
    found: Any = altered(wanted, adapted(wanted))
    assert list(found) == [NOTE, *told]


def test_no_mark_of_the_clients_goes_by_lines() -> None:
    """The CLI sets one of an hour behind the messages, which the service refuses behind one of five minutes."""
    inner = ToolResult("c1", (Text("r", cache="5m"), replace(PNG, cache="5m")), cache="1h")
    call = Message("assistant", (ToolCall("c1", "look", {}, cache="5m"), Thinking("hm", "sig")))
    marked = turn(Message("user", (Text("a", cache="5m"),)), call, Message("user", (inner,)), tools=(LOOK,))
    found = adapted(marked)
    assert "cache_control" not in str([api_message(message) for message in found.messages])
    assert adapted(found) == found == adapted(replace(marked, tools=(replace(LOOK, cache="5m"),)))


def test_a_clients_function_keeps_what_a_tool_has_a_place_for() -> None:
    assert adapted(tools(WITH_MORE)).tools == (Tool("far", "Far.", {"type": "object"}, strict=False),)
    check(tools(WITH_MORE))


def test_adjacent_messages_of_a_role_become_one() -> None:
    """The CLI would put a line break behind the first."""
    found = adapted(turn(user("a"), user("b"), said("c"), said("d"), user("e")))
    assert [(each.role, [item.text for item in each.content if isinstance(item, Text)]) for each in found.messages] == [
        ("user", ["a", "b"]),
        ("assistant", ["c", "d"]),
        ("user", ["e"]),
    ]


def test_a_text_with_other_keys_in_a_system_message_is_one() -> None:
    """Its other keys would be lost, which does not matter where it is only counted."""
    cited = {"type": "text", "text": "A", "citations": [{"type": "char_location"}]}
    wanted = turn(user("a"), Message("system", (OpaqueBlock(cited), Text("B"))))
    assert adapted(wanted).system == "A\n\nB"
    with pytest.raises(BadRequest, match="A system message holds more than text"):
        check(wanted)
    check(turn(user("a"), Message("system", (OpaqueBlock({**cited, "citations": None}), Text("B")))))


def test_fields_without_a_value_refuse_nothing() -> None:
    """As `model_dump` of Anthropic's SDK writes an answer that is sent back."""
    text = {"type": "text", "text": "A", "citations": None}
    call = {"type": "tool_use", "id": "c1", "name": "look", "input": {"q": 1}, "caller": None, "toolset_name": None}
    wanted = turn(user("a"), Message("assistant", (OpaqueBlock(text), OpaqueBlock(call))), results("c1"), tools=(LOOK,))
    check(wanted)
    assert adapted(wanted).messages[1].content == (Text("A"), ToolCall("c1", "look", {"q": 1}))
    direct = Message("assistant", (OpaqueBlock({**call, "caller": {"type": "direct"}}),))
    check(turn(user("a"), direct, results("c1"), tools=(LOOK,)))
    other = Message("assistant", (OpaqueBlock({**call, "caller": {"type": "code_execution_20250825"}}),))
    with pytest.raises(BadRequest, match="A message holds a 'tool_use' block"):
        check(turn(user("a"), other, results("c1"), tools=(LOOK,)))


@pytest.mark.parametrize(("system", "whole"), [("", "A\n\nB"), ("S", "S\n\nA\n\nB")])
def test_a_system_message_ends_the_system_prompt(system: str, whole: str) -> None:
    wanted = turn(user("a"), Message("system", (Text("A"), Text("B", cache="1h"))), said("b"), user("c"), system=system)
    assert adapted(wanted) == turn(user("a"), said("b"), user("c"), system=whole)
    assert "messages: system message moved into the system prompt" in altered(wanted, adapted(wanted))
    check(wanted)
