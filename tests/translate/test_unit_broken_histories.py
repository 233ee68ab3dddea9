"""A history that an agent has broken (calls and results lost, repeated, mixed up) is one that the service takes."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_max.proxy.engine.wire.protocol import api_message
from claude_max.proxy.errors import BadRequest
from claude_max.proxy.scripted.rules_messages import complaints, notes
from claude_max.proxy.translate import chat, messages, ollama, responses
from claude_max.proxy.translate.common.dialect import Dialect, RequestContext

JsonObject = dict[str, Any]
# What stands in a history: who says what, a call or a result by its id.
Step = tuple[str, str]
IDS = ["c1", "c-1", "a.b:2", "", "é\n", "x" * 70]
STEPS = st.lists(
    st.tuples(st.sampled_from(["user", "assistant", "system"]), st.sampled_from(["hi", " ", "", "\ufeff", "end \n"]))
    | st.tuples(st.sampled_from(["call", "result"]), st.sampled_from(IDS)),
    max_size=14,
)


def chat_body(steps: list[Step]) -> JsonObject:
    made = []
    for kind, what in steps:
        call = {"id": what, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        made.append(
            {"role": "assistant", "content": None, "tool_calls": [call]} if kind == "call"
            else {"role": "tool", "tool_call_id": what, "content": "found"} if kind == "result"
            else {"role": kind, "content": what}
        )  # fmt: skip
    return {"messages": made}


def responses_body(steps: list[Step]) -> JsonObject:
    made = []
    for kind, what in steps:
        made.append(
            {"type": "function_call", "call_id": what, "name": "look", "arguments": "{}"} if kind == "call"
            else {"type": "function_call_output", "call_id": what, "output": "found"} if kind == "result"
            else {"role": kind, "content": what}
        )  # fmt: skip
    return {"input": made}


def messages_body(steps: list[Step]) -> JsonObject:
    made: list[JsonObject] = []
    for kind, what in steps:
        made.append(
            {"role": "assistant", "content": [{"type": "tool_use", "id": what, "name": "look", "input": {}}]}
            if kind == "call"
            else {"role": "user", "content": [{"type": "tool_result", "tool_use_id": what, "content": "found"}]}
            if kind == "result"
            else {"role": kind, "content": what}
        )
    return {"messages": made, "max_tokens": 100}


def ollama_body(steps: list[Step]) -> JsonObject:
    made: list[JsonObject] = []
    for kind, what in steps:
        made.append(
            {"role": "assistant", "tool_calls": [{"id": what, "function": {"name": "look", "arguments": {}}}]}
            if kind == "call"
            else {"role": "tool", "tool_call_id": what, "content": "found"} if kind == "result"
            else {"role": kind, "content": what}
        )  # fmt: skip
    return {"messages": made}


BODIES: dict[str, tuple[Dialect, Callable[[list[Step]], JsonObject]]] = {
    "chat": (chat.DIALECT, chat_body),
    "responses": (responses.DIALECT, responses_body),
    "messages": (messages.DIALECT, messages_body),
    "ollama": (ollama.CHAT, ollama_body),
}


def sent(name: str, steps: list[Step], *, strict: bool = False) -> list[JsonObject]:
    """What reaches the service."""
    dialect, body_of = BODIES[name]
    body = {"model": "sonnet", **body_of(steps)}
    turns = dialect.to_turn(body, RequestContext(strict=strict)).turns
    return [api_message(message) for turn in turns for message in turn.messages]


@pytest.mark.parametrize("dialect", BODIES)
@given(steps=STEPS, end=st.sampled_from([("user", "go on"), ("result", "c1")]))
@settings(max_examples=150, deadline=None)
def test_a_broken_history(dialect: str, steps: list[Step], end: Step) -> None:
    # Something at the end that is the user's, so that there is a request at all.
    for strict in (False, True):
        try:
            found = sent(dialect, [*steps, end], strict=strict)
            assert [*complaints(found), *notes(found)] == []
            assert found[-1]["role"] != "assistant"
        except BadRequest:
            assert strict


@pytest.mark.parametrize("dialect", BODIES)
def test_a_long_broken_history_is_read_in_linear_time(dialect: str) -> None:
    steps: list[Step] = [("user", "hi")]
    for number in range(2000):
        steps += [("call", f"c{number}"), ("result", f"c{number}")]
    for lost in range(1, len(steps), 97):
        steps[lost] = ("user", "where were we?")
    begun = time.process_time()
    found = sent(dialect, steps)
    assert time.process_time() - begun < 3
    assert list(complaints(found)) == []
    assert len(found) > 1000
