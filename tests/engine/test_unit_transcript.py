"""The written rule of what counts as the same transcript, line by line."""

import orjson
import pytest
from engine.turns import PNG, called, results, said, talk, user
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.transcript import Entry, carries_results, fingerprint, fingerprints, fork_point, shared
from claude_max.proxy.events import Media, Message, Text, ToolCall, ToolResult


def call(arguments: str, id: str = "c1", name: str = "look") -> Message:
    return Message("assistant", (ToolCall(id, name, orjson.loads(arguments)),))


def result(*parts: Text | Media, id: str = "c1") -> Message:
    return Message("user", (ToolResult(id, parts),))


SAME = [
    (said("yes"), said(" \n yes\t")),
    (said("yes"), Message("assistant", (Text("yes"), Text("  ")))),
    (Message("assistant", ()), said(" ")),
    (called("c1"), Message("assistant", (Text(""), *called("c1").content))),
    (call('{"a":1,"b":[1,2]}'), call('{ "b" : [1, 2], "a":1 }')),
    (call('{"a":"\\u00e9"}'), call('{"a":"é"}')),
    (call('{"a":{"x":1,"y":2}}'), call('{"a":{"y":2,"x":1}}')),
]
DIFFERENT = [
    (user("yes"), said("yes")),
    (user("yes"), user("yes ")),
    (user("yes"), user(" yes")),
    (user("a", "b"), user("b", "a")),
    (user("a", "b"), user("ab")),
    (said("yes no"), said("yes  no")),
    (said("yes"), said("Yes")),
    (call('{"a":1}'), call('{"a":2}')),
    (call('{"a":[1,2]}'), call('{"a":[2,1]}')),
    (call('{"a":1}'), call('{"a":"1"}')),
    (call('{"a":true}'), call('{"a":1}')),
    (call("{}"), call('{"a":null}')),
    (call("{}"), call("{}", id="c2")),
    (call("{}"), call("{}", name="seek")),
    (called("c1", "c2"), called("c2", "c1")),
    (called("c1"), called("c1", text="words")),
    (result(Text("a")), result(Text("a "))),
    (result(Text("a")), result(Text("a"), id="c2")),
    (result(Text("a")), result(Text("a"), PNG)),
    (results("c1", "c2"), results("c2", "c1")),
    (result(), result(Text("a"))),
    (Message("user", (PNG,)), Message("user", (Media("image", "image/gif", "aGk="),))),
    (Message("user", (PNG,)), Message("user", (Media("image", "image/png", "aGo="),))),
    (Message("user", (PNG,)), Message("user", (Media("image", url="aGk="),))),
    (
        Message("user", (Media("document", "text/plain", "x", title="a"),)),
        Message("user", (Media("document", "text/plain", "x", title="b"),)),
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: Message, other: Message) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_not_the_same(one: Message, other: Message) -> None:
    assert fingerprint(one) != fingerprint(other)


@given(st.text(), st.text())
def test_a_users_text_counts_to_the_last_character(one: str, other: str) -> None:
    assert (fingerprint(user(one)) == fingerprint(user(other))) is (one == other)


def entries(*messages: Message, split: bool = True) -> tuple[Entry, ...]:
    """As a worker holds them: user lines can be rewound, but for those with results."""
    return tuple(
        Entry(fingerprint(m), f"u{i}" if m.role == "user" and not carries_results(m) else None)
        for i, m in enumerate(messages)
    )


TOOLS = (*talk("a"), called("c1"), results("c1"), said("b"), *talk("c", "d"))
FORKS = [
    ((), talk("x", "y"), 0, 0),
    (talk("a", "b"), (), 0, 0),
    (talk("a", "b"), talk("a", "b"), 2, 2),
    (talk("a", "b"), talk("a", "b", "c", "d"), 2, 2),
    (talk("a", "b", "c", "d"), talk("a", "b"), 2, 2),
    (talk("a", "b", "c", "d"), talk("a", "b", "x", "d"), 2, 2),
    (talk("a", "b", "c", "d"), talk("a", "b", "c", "x"), 3, 2),
    (talk("a", "b", "c", "d"), talk("x", "b", "c", "d"), 0, 0),
    (talk("a", "b"), talk("a", "x"), 1, 0),
    (TOOLS, TOOLS[:4], 4, 4),
    (TOOLS, (*TOOLS[:2], results("c1", text="other"), said("b")), 2, 0),
    (TOOLS, (*TOOLS[:3], said("other")), 3, 0),
    (TOOLS, (*TOOLS[:4], *talk("other", "d")), 4, 4),
]


@pytest.mark.parametrize(("held", "wanted", "same", "stays"), FORKS)
def test_where_conversations_part(
    held: tuple[Message, ...], wanted: tuple[Message, ...], same: int, stays: int
) -> None:
    found = entries(*held)
    assert shared(found, fingerprints(wanted)) == same
    assert fork_point(found, fingerprints(wanted)) == stays


@given(st.lists(st.sampled_from("ab"), max_size=6), st.lists(st.sampled_from("ab"), max_size=6))
def test_what_stays_is_shared_and_ends_before_a_line_that_can_be_taken_back(held: list[str], wanted: list[str]) -> None:
    found, prints = entries(*talk(*held)), fingerprints(talk(*wanted))
    keep = fork_point(found, prints)
    assert keep <= shared(found, prints) <= keep + 1
    assert keep == len(found) or found[keep].uuid is not None


def test_only_results_keep_a_line_from_being_rewound() -> None:
    assert carries_results(results("c1"))
    assert carries_results(Message("user", (*results("c1").content, Text("and")))) is True
    assert not carries_results(user("a"))
