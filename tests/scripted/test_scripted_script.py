"""What the scripted model answers: the last word counts, results, schemas, forced calls, limits."""

import json
from typing import Any

import pytest
from harness.scripted_bodies import WEATHER, body, reply, say, text

from claude_max.proxy.scripted import Failure, Reply, TextBlock, ThinkingBlock, ToolUseBlock, answer
from claude_max.proxy.scripted.limits import limited
from claude_max.proxy.scripted.reply import words

NOTE = {"role": "system", "content": [{"type": "text", "text": 'scripted: {"text": "not from a note"}'}]}


def used(name: str, call_id: str = "toolu_1") -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": call_id, "name": name, "input": {}}]


def result(content: Any, call_id: str = "toolu_1", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


@pytest.mark.parametrize("raw", ["", " ", "a", " a  b\n", "\n\nx\ty  ", "no end", "é ✓\u2003z "])
def test_words_lose_nothing(raw: str) -> None:
    assert "".join(words(raw)) == raw
    assert all(words(raw))


def test_a_text_directive() -> None:
    made = reply(body(say(text="hello there")))
    assert made.blocks == (TextBlock("hello there"),)
    assert (made.stop_reason, made.stop_sequence) == ("end_turn", None)


def test_the_last_user_message_counts_and_system_notes_do_not() -> None:
    assert text(body(say(text="first"), "ok", say(text="second"), NOTE)) == "second"
    assert text(body(say(text="first"), "ok", "plain", NOTE)).endswith("You said: plain")


def test_text_blocks_are_read_and_lines_merge() -> None:
    blocks = [{"type": "text", "text": say(text="a b")}, {"type": "text", "text": 'scripted: {"pause": 0.5}'}]
    made = reply(body(blocks))
    assert (made.blocks, made.pause) == ((TextBlock("a b"),), 0.5)


def test_no_directive_says_that_no_model_was_asked() -> None:
    assert text(body("What is\nlove?")) == "This is a scripted answer: no model was asked. You said: What is\nlove?"


def test_results_come_back_as_json() -> None:
    results = [
        result("sunny"),
        result([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "toolu_2", is_error=True),
    ]
    said = text(body(say(call={"name": "f"}), used("f") + used("f", "toolu_2"), results, NOTE))
    assert said.startswith("results: ")
    assert json.loads(said.removeprefix("results: ")) == [
        {"id": "toolu_1", "text": "sunny"},
        {"id": "toolu_2", "text": "a\nb", "is_error": True},
    ]


def test_then_is_followed_round_by_round() -> None:
    ask = say(call={"name": "f"}, then={"call": {"name": "g"}, "then": {"text": "the end"}})
    one = [ask, used("f"), [result("r1")]]
    two = [*one, used("g", "toolu_2"), [result("r2", "toolu_2")]]
    three = [*two, used("h", "toolu_3"), [result("r3", "toolu_3")]]
    assert [block.name for block in reply(body(*one)).blocks if isinstance(block, ToolUseBlock)] == ["g"]
    assert text(body(*two)) == "the end"
    assert text(body(*three)).startswith("results: ")
    fresh = [*two, "fine", "plain", used("z", "toolu_9"), [result("r9", "toolu_9")]]
    assert "r9" in text(body(*fresh)), "a `then` must not outlive the turn it was written in"


def test_a_schema_gets_an_instance() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    assert json.loads(text(body("hi", output_config=wanted))) == {"n": 3}
    assert text(body(say(text="as told"), output_config=wanted)) == "as told"
    bad = answer(body("hi", output_config={"format": {"type": "json_schema", "schema": {"type": "nonsense"}}}), 1)
    assert isinstance(bad, Failure)
    assert "nonsense" in bad.message


def test_a_call_asked_for_in_words_is_made_once() -> None:
    tool = {
        "name": "answer",
        "input_schema": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]},
    }
    system = [{"type": "text", "text": "Answer by calling the tool `answer`, and with no other text."}]
    (block,) = reply(body("hi", tools=[WEATHER, tool], system=system)).blocks
    assert isinstance(block, ToolUseBlock)
    assert (block.name, block.input) == ("answer", {"ok": False})
    assert "scripted answer" in text(body("hi", tools=[WEATHER], system=system))
    after = body("hi", used("answer"), [result("done")], tools=[WEATHER, tool], system=system)
    assert text(after).startswith("results: ")


@pytest.mark.parametrize(
    ("choice", "name"), [({"type": "any"}, "mcp__a__get_weather"), ({"type": "tool", "name": "g"}, "g")]
)
def test_a_forced_call_is_made(choice: dict[str, str], name: str) -> None:
    (block,) = reply(
        body("hi", tools=[WEATHER, {"name": "g", "input_schema": {"type": "object"}}], tool_choice=choice)
    ).blocks
    assert isinstance(block, ToolUseBlock)
    assert (block.name, block.input) == (name, {"city": "scripted"} if name != "g" else {})
    assert text(body(say(text="no"), tools=[WEATHER], tool_choice={"type": "any"})) == "no"


@pytest.mark.parametrize(
    ("max_tokens", "stops", "kept", "reason", "sequence"),
    [
        (6, [], "one two three four five", "end_turn", None),
        (5, [], "one two three four five", "max_tokens", None),
        (2, [], "one two", "max_tokens", None),
        (9, ["four", "three"], "one two ", "stop_sequence", "three"),
        (9, ["absent"], "one two three four five", "end_turn", None),
        (1, ["three"], "one", "max_tokens", None),
        (9, ["one"], "", "stop_sequence", "one"),
    ],
)
def test_limits_are_honoured(max_tokens: int, stops: list[str], kept: str, reason: str, sequence: str | None) -> None:
    made = reply(body(say(text="one two three four five"), max_tokens=max_tokens, stop_sequences=stops))
    assert "".join(block.text for block in made.blocks if isinstance(block, TextBlock)) == kept
    assert (made.stop_reason, made.stop_sequence) == (reason, sequence)


def test_limits_count_thinking_and_drop_calls_whole() -> None:
    whole = Reply((ThinkingBlock("a b"), TextBlock("c d"), ToolUseBlock("toolu_1", "f", {})), "tool_use")
    assert limited(whole, 3).blocks == (ThinkingBlock("a b"), TextBlock("c"))
    assert limited(whole, 4).blocks == (ThinkingBlock("a b"), TextBlock("c d"))
    assert limited(whole, 4).stop_reason == "max_tokens"
    assert limited(whole, 5) == whole
