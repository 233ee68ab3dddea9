"""The whole request: as the client has it, but for two cache marks and the thinking that it did not send back."""

import re
from dataclasses import replace
from typing import Any

import pytest
from engine.turns import LOOK, PNG, SEEK, called, results, said, talk, turn, user

from claude_max.proxy.engine.planning.body import DISABLED, Defaults, carried
from claude_max.proxy.engine.planning.cache_marks import DROPPED
from claude_max.proxy.engine.planning.compose import Context, composed, depends_on_system
from claude_max.proxy.engine.planning.thinking_memory import ThinkingMemory
from claude_max.proxy.engine.wire.protocol import api_message, api_tools
from claude_max.proxy.events import (
    JsonObject,
    Message,
    OpaqueBlock,
    ServerTool,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from claude_max.proxy.json_text import compact
from claude_max.proxy.scripted.rules_cache import complaints

WEB = ServerTool({"type": "web_search_20250305", "name": "web_search"})
NONE = Context(Defaults(8192, None))
BUDGET = Context(Defaults(32_000, {"type": "enabled", "budget_tokens": 31_999}))
MARK = {"type": "ephemeral"}


def without_marks(value: Any) -> Any:
    if isinstance(value, list):
        return [without_marks(item) for item in value]
    if isinstance(value, dict):
        return {key: without_marks(item) for key, item in value.items() if key != "cache_control"}
    return value


def marks(value: Any, path: str = "") -> list[str]:
    """Where the marks are."""
    if isinstance(value, list):
        return [found for number, item in enumerate(value) for found in marks(item, f"{path}.{number}")]
    if isinstance(value, dict):
        own = [path.removeprefix(".")] if value.get("cache_control") else []
        return own + [found for key, item in value.items() for found in marks(item, f"{path}.{key}")]
    return []


def test_messages_and_tools_are_whole() -> None:
    messages = (*talk("a", "b"), user("c"), called("c1", text="well"), results("c1"))
    body = composed(turn(*messages, tools=(LOOK, WEB), max_tokens=7), NONE).body
    assert without_marks(body) == {
        "messages": [api_message(message) for message in messages],
        "tools": api_tools((LOOK, WEB)),
        "max_tokens": 7,
        "thinking": DISABLED,
    }
    assert marks(body) == ["messages.2.content.0", "messages.4.content.0"]


def test_no_tools_are_said_too_and_the_limit_is_the_clis_own() -> None:
    """Each field that is left out would be the CLI's."""
    body = without_marks(composed(turn(user("a")), NONE).body)
    assert body == {"messages": [api_message(user("a"))], "tools": [], "max_tokens": 8192}


def test_a_prefill_is_carried() -> None:
    prefill = Message("assistant", (Thinking("hm", "c2ln"), Text("Sure")))
    body = composed(turn(user("a"), prefill), NONE).body
    assert body["messages"][-1] == api_message(prefill)


def test_a_refused_strict_leaves_the_tools() -> None:
    strict = turn(user("a"), tools=(replace(LOOK, strict=True), SEEK))
    assert composed(strict, NONE).body["tools"] == api_tools((replace(LOOK, strict=True), SEEK))
    assert composed(strict, NONE, None, {"strict"}).body["tools"] == api_tools((LOOK, SEEK))
    declared = {"name": "far", "input_schema": {"type": "object"}, "eager_input_streaming": False}
    odd = turn(user("a"), tools=(ServerTool({**declared, "strict": True}),))
    assert composed(odd, NONE, None, {"strict"}).body["tools"] == [declared]
    assert set(carried(odd, NONE.defaults)) == {"strict"}


# Cache marks

OWN = Text("x", cache="1h")
MARKS: list[tuple[Turn, list[str]]] = [
    (turn(user("a")), ["messages.0.content.0"]),
    (turn(user("a", "b")), ["messages.0.content.1"]),
    (turn(*talk("a", "b", "c", "d", "e")), ["messages.2.content.0", "messages.4.content.0"]),
    (turn(*talk("a", "b", "c"), said("d")), ["messages.0.content.0", "messages.2.content.0"]),
    (turn(Message("user", (PNG,))), ["messages.0.content.0"]),
    (turn(user(" ")), []),
    (turn(said("a")), []),
    # The client's own come first.
    (turn(Message("user", (OWN, Text("y")))), ["messages.0.content.0", "messages.0.content.1"]),
    (turn(Message("user", (OWN,))), ["messages.0.content.0"]),
    (turn(Message("user", (OWN, OWN)), said("b"), user("c")), ["messages.0.content.0", "messages.0.content.1"]),
    (turn(user("a"), tools=(replace(LOOK, cache="5m"),)), ["messages.0.content.0", "tools.0"]),
    (turn(Message("user", (ToolResult("c1", (OWN,)), Text("y")))),
     ["messages.0.content.0.content.0", "messages.0.content.1"]),
    # More than the service takes: the latest stay.
    (turn(Message("user", (OWN, OWN, OWN))), ["messages.0.content.1", "messages.0.content.2"]),
    (turn(Message("user", (OWN, OWN)), tools=(replace(LOOK, cache="5m"),)),
     ["messages.0.content.0", "messages.0.content.1"]),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "places"), MARKS)
def test_where_the_marks_are(wanted: Turn, places: list[str]) -> None:
    found = composed(wanted, NONE)
    assert marks(found.body) == places
    client = marks({"messages": [api_message(m) for m in wanted.messages], "tools": api_tools(wanted.tools)})
    assert bool(found.repaired) is (len(client) > 2)


SHORT = Text("x", cache="5m")
LIFETIMES: list[tuple[Turn, Any, str]] = [
    (turn(user("a"), said("b"), Message("user", (OWN,))), "5m", "hh"),
    (turn(user("a"), said("b"), Message("user", (OWN, Text("y")))), "5m", "hm"),
    (turn(user("a"), said("b"), Message("user", (ToolResult("c1", (OWN,)), Text("y")))), "5m", "hm"),
    (turn(Message("user", (SHORT,)), said("b"), user("c")), "1h", "mm"),
    (turn(user("a"), said("b"), Message("user", (SHORT, Text("y")))), "1h", "mm"),
    (turn(user("a"), said("b"), Message("user", (SHORT,))), "1h", "hm"),
    (turn(user("a"), tools=(replace(LOOK, cache="5m"),)), "1h", "mm"),
    (turn(user("a"), tools=(replace(LOOK, cache="1h"),)), "5m", "hm"),
    (turn(user("a"), said("b"), user("c")), "1h", "hh"),
]


@pytest.mark.parametrize(("wanted", "ttl", "lifetimes"), LIFETIMES)
def test_no_mark_stands_behind_a_shorter_one(wanted: Turn, ttl: Any, lifetimes: str) -> None:
    body = composed(wanted, replace(NONE, cache_ttl=ttl)).body
    found = re.findall(r"'ephemeral'(, 'ttl': '1h')?", f"{body['tools']}{body['messages']}")
    assert "".join("h" if hour else "m" for hour in found) == lifetimes
    assert not list(complaints({"messages": body["messages"], "tools": body["tools"]}))


@pytest.mark.parametrize(("ttl", "mark"), [("5m", MARK), ("1h", {**MARK, "ttl": "1h"})])
def test_how_long_our_own_marks_last(ttl: Any, mark: dict[str, Any]) -> None:
    wanted = turn(user("a"))
    assert composed(wanted, replace(NONE, cache_ttl=ttl)).body["messages"][0]["content"][0]["cache_control"] == mark
    short = composed(wanted, replace(NONE, cache_ttl=ttl), None, {"cache_ttl"})
    assert short.body["messages"][0]["content"][0]["cache_control"] == MARK


def test_refused_hours_of_the_clients_are_shortened_and_told() -> None:
    wanted = turn(Message("user", (OWN, ToolResult("c1", (OWN,)))))
    assert composed(wanted, NONE).repaired == set()
    short = composed(wanted, NONE, None, {"cache_ttl"})
    assert short.repaired == {"cache_control: 5 minutes instead of an hour"}
    assert '"1h"' not in str(short.body).replace("'", '"')


HOUR = {"type": "ephemeral", "ttl": "1h"}
DEPENDING: list[tuple[Turn, bool]] = [
    (turn(user("a")), False),
    (turn(user("a"), tools=(LOOK, WEB)), False),
    (turn(user("a"), tools=(replace(LOOK, cache="5m"),)), True),
    (turn(user("a"), tools=(ServerTool({**WEB.json, "cache_control": MARK}),)), True),
    (turn(Message("user", (Text("a", cache="5m"),))), False),
    (turn(Message("user", (OWN,)), said("b"), user("c")), True),
    (turn(Message("user", (ToolResult("c1", (OWN,)),))), True),
    (turn(Message("user", (OpaqueBlock({"type": "search_result", "cache_control": HOUR}),))), True),
    (turn(Message("user", (OpaqueBlock({"type": "search_result", "cache_control": MARK}),))), False),
    (turn(Message("user", (OpaqueBlock({"type": "search_result", "cache_control": None}),))), False),
    (turn(user("a"), tools=(replace(LOOK, cache="1h"),)), True),
    (turn(user("a"), tools=(ServerTool({**WEB.json, "cache_control": HOUR}), LOOK)), True),
]


@pytest.mark.parametrize(("wanted", "depends"), DEPENDING)
def test_marks_that_the_service_may_refuse_for_those_of_the_clis(wanted: Turn, depends: bool) -> None:
    assert depends_on_system(wanted) is depends


@pytest.mark.parametrize("tool", [replace(LOOK, cache="5m"), ServerTool({**WEB.json, "cache_control": MARK})])
def test_a_mark_on_a_tool_lasts_as_long_as_the_clis_own(tool: Any) -> None:
    wanted = turn(user("a"), tools=(replace(SEEK, cache="1h"), tool))
    for context, without in ((replace(NONE, system_ttl="1h"), frozenset()), (NONE, {"cache_ttl"})):
        found = composed(wanted, context, None, without)
        assert [each["cache_control"] for each in found.body["tools"]] == [HOUR, HOUR]
        assert found.repaired == {"tools: cache_control of an hour instead of 5 minutes"}
    too_many = composed(turn(Message("user", (SHORT, SHORT)), tools=(tool,)), replace(NONE, system_ttl="1h"))
    assert too_many.repaired == {DROPPED}
    as_given = composed(wanted, NONE)
    assert [each["cache_control"] for each in as_given.body["tools"]] == [HOUR, MARK]


# Thinking that a client does not send back

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
ASKED = turn(user("a"), tools=(LOOK,), system="S")


def remembered(answer: Message, wanted: Turn = ASKED, context: Context = BUDGET) -> ThinkingMemory:
    """A memory that has the thinking of this answer."""
    memory = ThinkingMemory()
    memory.keep(composed(wanted, context, memory).prefix, [THOUGHT, *api_message(answer)["content"]])
    return memory


def contents(wanted: Turn, memory: ThinkingMemory, context: Context = BUDGET, *without: str) -> list[Any]:
    found = composed(wanted, context, memory, frozenset(without))
    return [[block["type"] for block in message["content"]] for message in found.body["messages"]]


CALL = called("c1", text="well")


def on(answer: Message, *then: Message, wanted: Turn = ASKED) -> Turn:
    return replace(wanted, messages=(*wanted.messages, answer, *then))


def test_thinking_is_put_back_before_the_answer_it_belongs_to() -> None:
    memory = remembered(CALL)
    wanted = on(CALL, results("c1"))
    assert contents(wanted, memory) == [["text"], ["thinking", "text", "tool_use"], ["tool_result"]]
    assert "thinking" not in contents(wanted, memory, BUDGET, "thinking_blocks")[1]


def test_thinking_that_the_client_sends_goes_where_it_is_refused_and_is_told() -> None:
    wanted = on(Message("assistant", (Thinking("hm", "sig"), *CALL.content)), results("c1"))
    assert contents(wanted, ThinkingMemory())[1] == ["thinking", "text", "tool_use"]
    refused = composed(wanted, BUDGET, ThinkingMemory(), frozenset({"thinking_blocks"}))
    assert [block["type"] for block in refused.body["messages"][1]["content"]] == ["text", "tool_use"]
    assert refused.repaired == {"thinking that the service refused was left out"}
    # Before the last calls a model with a budget wants it, or no thinking at all.
    assert refused.body["thinking"] == {"type": "disabled"}
    own = replace(wanted, carries_thinking=True)
    assert contents(own, ThinkingMemory())[1] == ["thinking", "text", "tool_use"]
    assert composed(own, BUDGET, ThinkingMemory(), frozenset({"thinking_blocks"})).body == refused.body


ANOTHER: list[tuple[str, Turn, Context]] = [
    ("text", on(called("c1", text="Well"), results("c1")), BUDGET),
    ("arguments", on(called("c1", text="well", q=1), results("c1")), BUDGET),
    ("id", on(called("c2", text="well"), results("c2")), BUDGET),
    ("system", replace(on(CALL, results("c1")), system="T"), BUDGET),
    ("model", replace(on(CALL, results("c1")), model="opus"), BUDGET),
    ("tools", replace(on(CALL, results("c1")), tools=(SEEK,)), BUDGET),
    ("question", on(CALL, results("c1"), wanted=replace(ASKED, messages=(user("b"),))), BUDGET),
    ("version", on(CALL, results("c1")), replace(BUDGET, cli_version="2.2.0")),
    ("own", replace(on(CALL, results("c1")), carries_thinking=True), BUDGET),
    ("off", replace(on(CALL, results("c1")), thinking="off"), BUDGET),
]


@pytest.mark.parametrize(("wanted", "context"), [row[1:] for row in ANOTHER], ids=[row[0] for row in ANOTHER])
def test_anything_that_differs_gets_what_the_client_sent(wanted: Turn, context: Context) -> None:
    assert "thinking" not in [kind for message in contents(wanted, remembered(CALL), context) for kind in message]


def test_text_in_other_pieces_is_the_same_answer() -> None:
    pieces = Message("assistant", (Text("we"), Text("ll"), ToolCall("c1", "look", {})))
    assert contents(on(CALL, results("c1")), remembered(pieces))[1] == ["thinking", "text", "text", "tool_use"]


def test_a_whole_conversation_keeps_its_thinking() -> None:
    """The prefix of a later answer holds the thinking of the earlier ones."""
    memory = remembered(CALL)
    second = on(CALL, results("c1"))
    memory.keep(composed(second, BUDGET, memory).prefix, [THOUGHT, {"type": "text", "text": "done"}])
    third = on(said("done"), user("next"), wanted=second)
    assert contents(third, memory)[1][0] == contents(third, memory)[3][0] == "thinking"


def test_a_model_with_a_budget_does_not_think_on_without_its_thinking() -> None:
    wanted = on(CALL, results("c1"))
    assert composed(wanted, BUDGET, ThinkingMemory()).body["thinking"] == DISABLED
    assert composed(wanted, BUDGET, remembered(CALL)).body["thinking"]["type"] == "enabled"
    adaptive = Context(Defaults(32_000, {"type": "adaptive"}))
    assert "thinking" not in composed(wanted, adaptive, ThinkingMemory()).body
    assert composed(on(said("b"), user("c")), BUDGET, ThinkingMemory()).body["thinking"]["type"] == "enabled"


def asked_again(number: int) -> Turn:
    return on(said(f"b{number}"), user("c"), wanted=turn(user(f"a{number}")))


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    """Without the thinking of a first answer all that follow it are lost, too: their prefix is another one."""
    answers: list[list[JsonObject]] = [[THOUGHT, {"type": "text", "text": f"b{number}"}] for number in range(4)]
    memory = ThinkingMemory(capacity=3 * len(compact(answers[0])))
    for number in range(3):
        memory.keep(composed(turn(user(f"a{number}")), BUDGET, memory).prefix, answers[number])
    kept = [contents(asked_again(number), memory)[1][0] for number in (1, 2, 0)]
    assert kept == ["thinking"] * 3
    memory.keep(composed(turn(user("a3")), BUDGET, memory).prefix, answers[3])
    kept = [contents(asked_again(number), memory)[1][0] for number in range(4)]
    assert kept == ["thinking", "text", "thinking", "thinking"]
