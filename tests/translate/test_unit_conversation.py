"""The builder of conversations, beyond what chat requests can say."""

import pytest

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.events import Message, Text, Thinking, ToolCall, ToolResult
from claude_max.proxy.translate.common.conversation import OPENING, Conversation, arguments_of

THOUGHT = Thinking("hm", "sig")


def call(id: str) -> ToolCall:
    return ToolCall(id, "look", {})


def test_a_round_of_tools_in_pieces() -> None:
    """Thinking, calls and text in any order; results in any order, before what the user says."""
    made = Conversation("input")
    made.system(["A", " "])
    made.user([Text("hi")], "input[0]")
    made.assistant([THOUGHT])
    made.call(call("a"), "input[1]")
    made.assistant([Text("and")])
    made.call(call("b"), "input[2]")
    made.result(ToolResult("b", (Text("two"), Text(" ")), is_error=True), "input[3]")
    made.result(ToolResult("a", ()), "input[4]")
    made.system(["B"])
    made.user([Text(""), Text("so?")], "input[5]")
    system, messages = made.build()
    assert system == "A\n\nB"
    assert messages == (
        Message("user", (Text("hi"),)),
        Message("assistant", (THOUGHT, call("a"), Text("and"), call("b"))),
        Message("user", (ToolResult("b", (Text("two"),), is_error=True), ToolResult("a", ()), Text("so?"))),
    )


def test_an_answer_that_the_model_is_to_continue() -> None:
    made = Conversation()
    made.assistant([Text("Once")])
    with pytest.raises(BadRequest, match="last message is the assistant's"):
        made.build()
    assert made.build(may_continue=True)[1] == (
        Message("user", (Text(OPENING),)), Message("assistant", (Text("Once"),)),
    )  # fmt: skip


@pytest.mark.parametrize(("levels", "is_carried"), [(190, True), (191, False), (100_000, False)])
def test_arguments_of_many_levels(levels: int, is_carried: bool) -> None:
    given = '{"a":' * levels + "1" + "}" * levels
    assert (arguments_of(given) != {"arguments": given}) is is_carried


def test_errors_name_the_field_that_the_dialect_has() -> None:
    made = Conversation("input")
    with pytest.raises(BadRequest, match=r"^input:") as empty:
        made.build()
    made.call(call("a"), "input[0].call_id")
    with pytest.raises(BadRequest) as twice:
        made.call(call("a"), "input[1].call_id")
    with pytest.raises(BadRequest) as orphan:
        made.result(ToolResult("x", ()), "input[2].call_id")
    with pytest.raises(BadRequest, match=r"^input\[3\]: .*: a\.$") as early:
        made.user([Text("hi")], "input[3]")
    with pytest.raises(BadRequest) as unanswered:
        made.build()
    raised = [caught.value.param for caught in (empty, twice, orphan, early, unanswered)]
    assert raised == ["input", "input[1].call_id", "input[2].call_id", "input", "input"]
