"""A conversation becomes one item that sums it up, and goes on from it."""

from typing import Any

import pytest
from harness.responses import check_event, check_response, folded
from translate.response_meta import CREATED, response_meta

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.events import (
    BlockCompleted,
    Event,
    Finished,
    JsonObject,
    Message,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    Text,
    TextDelta,
    Tool,
    ToolChoice,
    Usage,
)
from claude_max.proxy.translate.common.dialect import ParsedRequest, RequestContext
from claude_max.proxy.translate.responses.compaction import PROMPT
from claude_max.proxy.translate.responses.request import to_compaction, to_turn
from claude_max.proxy.translate.responses.summary import INTRODUCTION, packed, unpacked

USER: JsonObject = {"type": "message", "role": "user", "content": "Fix it."}
SAID: JsonObject = {"type": "message", "role": "assistant", "content": "Fixed."}
TRIGGER: JsonObject = {"type": "compaction_trigger"}
LOOK: JsonObject = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
ANSWER: list[Event] = [
    Started("m"), ReasoningDelta("Hm."), ReasoningSigned("s"), BlockCompleted(), TextDelta("It was "),
    TextDelta("fixed: é"), BlockCompleted(), Finished("end_turn", Usage(input=5, output=3)),
]  # fmt: skip


def asked(input: Any, **fields: Any) -> ParsedRequest:
    return to_turn({"model": "sonnet", "input": input, **fields}, RequestContext())


def test_the_trigger_asks_for_a_summary_of_the_same_conversation() -> None:
    request = asked([USER, SAID, TRIGGER], tools=[LOOK], instructions="Be brief.", stream=True)
    (turn,) = request.turns
    (before,) = asked([USER, SAID, USER], tools=[LOOK], instructions="Be brief.").turns
    assert turn.messages == (*before.messages[:-1], Message("user", (Text(PROMPT),)))
    assert (turn.system, turn.tools, turn.tool_choice) == (before.system, before.tools, ToolChoice("none"))
    assert isinstance(turn.tools[0], Tool)
    assert request.stream


def test_its_answer_is_one_item() -> None:
    reply = asked([USER, TRIGGER]).reply(response_meta())
    events = [frame.data for event in ANSWER for frame in reply.feed(0, event)] + [f.data for f in reply.end()]
    for event in events:
        check_event(event)
    assert folded(events) == reply.whole()
    check_response(reply.whole())
    (item,) = reply.whole()["output"]
    assert (item["type"], unpacked(item["encrypted_content"])) == (
        "compaction",
        f"{INTRODUCTION}\n\nIt was fixed: é",
    )


def test_going_on_from_a_summary() -> None:
    compacted = {"type": "compaction", "id": "cmp_1", "encrypted_content": packed("It was fixed.")}
    (turn,) = asked([USER, compacted, {"role": "user", "content": "And?"}]).turns
    assert turn.messages == (
        Message("user", (Text("Fix it."), Text(f"{INTRODUCTION}\n\nIt was fixed."), Text("And?"))),
    )


def test_the_endpoint_of_its_own() -> None:
    from openai.types.responses import CompactedResponse

    request = to_compaction({"model": "sonnet", "input": [USER, SAID]}, RequestContext())
    reply = request.reply(response_meta())
    for event in ANSWER:
        reply.feed(0, event)
    found = reply.whole()
    user, item = found["output"]
    # The SDK's shape has no place for the user's messages, which its own documentation puts there.
    CompactedResponse.model_validate({**found, "output": [item]})
    assert (found["object"], found["created_at"], request.stream) == ("response.compaction", CREATED, False)
    assert (user["role"], user["content"]) == ("user", [{"type": "input_text", "text": "Fix it."}])
    assert item["type"] == "compaction"
    assert found["usage"]["input_tokens"] == 5
    (turn,) = to_compaction({"model": "sonnet", "input": "hi"}, RequestContext()).turns
    assert turn.messages == (Message("user", (Text("hi"), Text(PROMPT))),)


@pytest.mark.parametrize(
    ("input", "param"),
    [
        ([USER, TRIGGER, USER], "input[1].type"),
        ([{"type": "compaction", "encrypted_content": "gAAAA"}, USER], "input[0].encrypted_content"),
        ([{"type": "compaction", "encrypted_content": "claude-max:summary:1:%"}, USER], "input[0].encrypted_content"),
        ([{"type": "compaction"}, USER], "input[0].encrypted_content"),
    ],
)
def test_compaction_that_cannot_be_read(input: Any, param: str) -> None:
    with pytest.raises(BadRequest) as error:
        asked(input)
    assert error.value.param == param


def test_nothing_to_compact() -> None:
    with pytest.raises(BadRequest) as error:
        to_compaction({"model": "sonnet"}, RequestContext())
    assert error.value.param == "input"
