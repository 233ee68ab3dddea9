"""Thinking that comes back: as it was sent, changed, behind another history, of another model, cut out."""

from typing import Any

import pytest

from claude_max.proxy.scripted import Reply, TextBlock, ThinkingBlock, refusal, sign
from claude_max.proxy.scripted.signing import BETA, signed

STRICT = frozenset({"signatures"})
MODEL = "claude-sonnet-5-5"
INVALID = "Invalid `signature` in `thinking` block"
BOUND = (
    f"{INVALID}. The block is bound to a different conversation. Remove the block, or set"
    ' `thinking.block_binding.prefix_mismatch_behavior` to "drop_block". That setting requires the'
    f" `{BETA}` value in the `anthropic-beta` header."
)
Message = dict[str, Any]


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def body(*messages: Message, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 10, "messages": list(messages), "system": "S", **more}


def answered(asked: dict[str, Any], thinking: str = "hm") -> Message:
    """What the service answers to `asked`, as it comes back."""
    reply = signed(Reply((ThinkingBlock(thinking), TextBlock("said"))), asked)
    return {"role": "assistant", "content": [block.whole() for block in reply.blocks]}


def conversation(rounds: int, **more: Any) -> list[Message]:
    messages = [user("0")]
    for number in range(1, rounds + 1):
        messages += [answered(body(*messages, **more), f"thought {number}"), user(str(number))]
    return messages


def message_of(asked: dict[str, Any], *betas: str) -> str:
    failure = refusal(asked, STRICT, frozenset(betas))
    return failure.message if failure else ""


def without_thinking(message: Message) -> Message:
    return {**message, "content": [block for block in message["content"] if block["type"] != "thinking"]}


def test_what_was_sent_is_taken() -> None:
    assert message_of(body(*conversation(4))) == ""


def test_marks_parameters_and_deferred_tools_are_no_change() -> None:
    messages = conversation(2)
    messages[2] = {
        "role": "user",
        "content": [{"type": "text", "text": "1", "cache_control": {"type": "ephemeral"}}],
    }
    system = [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]
    tool = {"name": "f", "input_schema": {"type": "object"}, "defer_loading": True}
    assert message_of(body(*messages, system=system, tools=[tool], stop_sequences=["x"])) == ""


def test_messages_of_one_role_in_a_row_are_one_turn() -> None:
    messages = conversation(1)
    thought, said = messages[1]["content"]
    split = [{"role": "assistant", "content": [thought]}, {"role": "assistant", "content": [said]}]
    assert message_of(body(messages[0], *split, messages[2])) == ""


@pytest.mark.parametrize("change", [{"thinking": "hm!"}, {"signature": "c2NyaXB0ZWQ="}, {"signature": ""}])
def test_a_block_that_was_changed(change: dict[str, str]) -> None:
    messages = conversation(1)
    messages[1]["content"][0] |= change
    assert message_of(body(*messages)) == f"messages.1.content.0: {INVALID}"


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"system": "T"}, "The `system` prompt differs from the one this block was created with."),
        ({"tools": [{"name": "f", "input_schema": {"type": "object"}}]}, "The `tools` list differs from the one this"),
        ({"messages": [user("other"), *conversation(1)[1:]]}, "Content that preceded this block when it was created"),
    ],
)
def test_another_prefix(more: dict[str, Any], named: str) -> None:
    assert message_of({**body(*conversation(1)), **more}).startswith(f"messages.1.content.0: {BOUND} {named}")


def test_the_mismatch_may_be_dropped_instead() -> None:
    binding = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    asked = body(*conversation(1), thinking=binding) | {"system": "T"}
    assert message_of(asked, BETA) == ""
    assert message_of(asked) == "thinking.adaptive.block_binding: Extra inputs are not permitted"


def test_thinking_may_be_left_out_at_the_front_and_nowhere_else() -> None:
    messages = conversation(3)
    front = [message if at != 1 else without_thinking(message) for at, message in enumerate(messages)]
    assert message_of(body(*front)) == ""
    middle = [message if at != 3 else without_thinking(message) for at, message in enumerate(messages)]
    assert "messages.5.content.0" in message_of(body(*middle))
    assert "A thinking block before this one is missing" in message_of(body(*middle))


def test_a_model_that_does_not_bind_takes_another_prefix() -> None:
    messages = [user("0"), answered({**body(user("0")), "model": "claude-haiku-4-5"}), user("1")]
    assert message_of({**body(*messages, system="T"), "model": "claude-haiku-4-5"}) == ""


def test_what_another_model_thought_is_dropped_without_a_word() -> None:
    messages = [user("0"), answered({**body(user("0")), "model": "claude-opus-5-5"}), user("1")]
    assert message_of(body(*messages, system="T")) == ""


def test_a_made_up_history_can_be_signed() -> None:
    first = sign("one", body(user("0")))
    second = sign("two", body(user("0"), {"role": "assistant", "content": "a"}, user("1")), before=first)
    thought = {"type": "thinking", "thinking": "one", "signature": first}
    messages = [
        user("0"),
        {"role": "assistant", "content": [thought, {"type": "text", "text": "a"}]},
        user("1"),
        {"role": "assistant", "content": [thought | {"thinking": "two", "signature": second}]},
        user("2"),
    ]
    assert message_of(body(*messages)) == ""
