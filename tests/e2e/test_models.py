"""Names of models, and conversations of any shape: what reaches the model for each."""

import json
from typing import Any

import pytest
from harness.proxy import OwnProxy, RunningProxy
from harness.upstream import assistant, expected, seen, user


@pytest.fixture(scope="module")
def named(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy with names of its owner's."""
    return own_proxy(environ={"CLAUDE_MAX_ALIASES": json.dumps({"gpt-4o": "sonnet", "big": "opus"})})


RESOLVED: list[tuple[str, str]] = [
    ("opus", "claude-opus-5-5"),
    ("claude-haiku-4", "claude-haiku-5-5"),
    ("anthropic/claude-sonnet-4", "claude-sonnet-5-5"),
    ("claude-code-cli/claude-opus-4", "claude-opus-5-5"),
    ("gpt-4o", "claude-sonnet-5-5"),
    ("openai/gpt-4o", "claude-sonnet-5-5"),
    ("claude-sonnet-5-5", "claude-sonnet-5-5"),
    ("claude-opus-4-1-20250805", "claude-opus-4-1-20250805"),
]


@pytest.mark.parametrize(("asked", "resolved"), RESOLVED)
def test_a_name_and_what_it_stands_for(named: RunningProxy, marker: str, asked: str, resolved: str) -> None:
    messages: Any = [{"role": "user", "content": marker}]
    answer = named.client.chat.completions.create(model=asked, messages=messages)
    assert answer.model == resolved
    (body,) = named.bodies(marker)
    assert body["model"] == resolved
    assert named.client.models.retrieve(asked).id == asked


def test_the_list_has_every_name(named: RunningProxy) -> None:
    names = [model.id for model in named.client.models.list()]
    assert {"gpt-4o", "big", "sonnet", "claude-sonnet-4", "claude-sonnet-5-5"} <= set(names)
    assert len(names) == len(set(names))


SHAPES: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "neighbours of one role": (
        [("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d"), ("user", "e")],
        {"messages": [user("a", "b"), assistant("c", "d"), user("e")]},
    ),
    "system in the middle": (
        [
            ("system", "one"),
            ("user", "a"),
            ("developer", "two"),
            ("assistant", "b"),
            ("system", "three"),
            ("user", "c"),
        ],
        {"system": "one\n\ntwo\n\nthree", "messages": [user("a"), assistant("b"), user("c")]},
    ),
    "nothing in some messages": (
        [("user", "a"), ("assistant", ""), ("user", " "), ("user", "b")],
        {"messages": [user("a", "b")]},
    ),
    "the assistant opens": (
        [("assistant", "Hello, traveller."), ("user", "a")],
        {
            "messages": [
                user("(The conversation begins with the assistant.)"),
                assistant("Hello, traveller."),
                user("a"),
            ]
        },
    ),
    "white space around texts": (
        [("user", " a "), ("assistant", " b\n"), ("user", "\tc")],
        {"messages": [user(" a "), assistant(" b\n"), user("\tc")]},
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_conversations_of_any_shape(proxy: RunningProxy, marker: str, name: str) -> None:
    given, wanted = SHAPES[name]
    messages: Any = [{"role": role, "content": text} for role, text in given]
    messages[-1]["content"] += marker
    proxy.client.chat.completions.create(model="sonnet", messages=messages)
    (body,) = proxy.bodies(marker)
    last = wanted["messages"][-1]["content"][-1]
    closing = {
        "role": "user",
        "content": [*wanted["messages"][-1]["content"][:-1], {**last, "text": last["text"] + marker}],
    }
    assert seen(body) == expected(*wanted["messages"][:-1], closing, system=wanted.get("system", ""))


def test_names_of_people_are_named_as_ignored(proxy: RunningProxy) -> None:
    body = {"model": "sonnet", "messages": [{"role": "user", "name": "Ada", "content": "hi"}]}
    answer = proxy.http.post("/v1/chat/completions", json=body)
    assert answer.headers["x-claude-max-ignored"] == "messages.name"
