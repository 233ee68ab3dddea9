"""What is refused whatever the model, and what is let through because Claude Code sends it."""

from typing import Any

import pytest

from claude_max.proxy.scripted import Failure
from claude_max.proxy.scripted import refusal as any_refusal
from claude_max.proxy.scripted.rules import unsupported

TOOL = {"name": "f", "input_schema": {"type": "object"}}
HELLO = {"role": "user", "content": "hello"}
EMPTY_NOTE = {"role": "system", "content": [], "output_config": {"effort": "medium"}}
NOTE = {"role": "system", "content": [{"type": "text", "text": "# Environment"}]}


def use(*ids: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": i, "name": "f", "input": {}} for i in ids]}


def results(*ids: str, then: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "role": "user",
        "content": [*({"type": "tool_result", "tool_use_id": i, "content": "r"} for i in ids), *then],
    }


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def says(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


FINE: list[list[dict[str, Any]]] = [
    [HELLO],
    [HELLO, EMPTY_NOTE, says("assistant", "a"), HELLO, NOTE],
    [HELLO, HELLO, says("assistant", "a"), says("assistant", "b"), HELLO],
    [HELLO, use("t1", "t2"), results("t2", "t1", then=(text("and"),)), NOTE],
    [HELLO, use("t1"), use("t2"), results("t1"), results("t2")],
    [HELLO, says("assistant", [])],
    [HELLO, says("assistant", "prefill")],
    [HELLO, use("t1"), {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1"}]}],
]

REFUSED: list[tuple[Any, str]] = [
    ([], "messages: at least one message is required"),
    (None, "messages: Input should be a valid list"),
    ([says("assistant", "a"), HELLO], 'messages: first message must use the "user" role'),
    ([NOTE, HELLO], "messages: first message must use"),
    ([HELLO, says("tool", "x")], "messages.1.role: Input should be 'user' or 'assistant'"),
    ([says("user", None)], "messages.0.content: Input should be a valid list"),
    ([says("user", [{"text": "no type"}])], "messages.0.content.0: Input should be a valid content block"),
    ([says("user", [{"type": "nonsense"}])], "messages.0.content.0: Input tag 'nonsense' found using 'type'"),
    ([says("user", [{"type": "text"}])], "messages.0.content.0.text: Input should be a valid string"),
    ([says("user", "")], "messages.0.content: all messages must have non-empty content"),
    ([HELLO, says("assistant", []), HELLO], "messages.1.content: all messages must have non-empty content"),
    ([HELLO, says("system", [])], "messages.1.content: system messages must have non-empty content"),
    ([says("user", [text("a"), text("")])], "messages.0.content.1: text content blocks must be non-empty"),
    ([says("user", [text(" \n")])], "messages.0.content.0: text content blocks must contain non-whitespace text"),
    ([says("user", "  ")], "messages.0.content: text content blocks must contain non-whitespace text"),
    ([HELLO, says("assistant", "a ")], "messages: final assistant content cannot end with trailing whitespace"),
    ([HELLO, says("assistant", [text("a\n")])], "messages: final assistant content cannot end with trailing"),
    ([HELLO, use("t1")], "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1."),
    (
        [HELLO, use("t1", "t2"), results("t1")],
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t2.",
    ),
    ([HELLO, use("t1"), HELLO, results("t1")], "messages.1: `tool_use` ids were found without"),
    (
        [HELLO, use("t1"), says("user", [text("first"), *results("t1")["content"]])],
        "messages.1: `tool_use` ids were found without",
    ),
    ([HELLO, use("t1"), NOTE, results("t1")], "messages.1: `tool_use` ids were found without"),
    (
        [HELLO, use("t1"), results("t1", "t9")],
        "messages.2.content.1: unexpected `tool_use_id` found in `tool_result` blocks: t9.",
    ),
    ([results("t1")], "messages.0.content.0: unexpected `tool_use_id` found"),
    ([HELLO, use("t1"), results("t1", "t1")], "messages.2.content.1: each tool_use must have a single result."),
    (
        [HELLO, use("t1"), results("t1"), use("t1"), results("t1")],
        "messages.3.content.0: `tool_use` ids must be unique",
    ),
    ([HELLO, use("a.b"), results("a.b")], "messages.1.content.0.tool_use.id: String should match pattern"),
    (
        [says("user", use("t1")["content"])],
        "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages",
    ),
    (
        [HELLO, says("assistant", [{"type": "tool_use", "id": "t1", "name": "f", "input": "{}"}]), results("t1")],
        "messages.1.content.0.tool_use.input: ",
    ),
]

PARAMETERS: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
    ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    ({"model": ""}, "model: Field required"),
    ({"temperature": 1.1}, "temperature: range: 0..1"),
    ({"top_p": -0.1}, "top_p: range: 0..1"),
    ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
    ({"stop_sequences": "x"}, "stop_sequences: Input should be a valid list of strings"),
    ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    ({"tools": [{**TOOL, "name": "a.b"}]}, "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
    ({"tools": [{**TOOL, "name": "a" * 129}]}, "tools.0.custom.name: "),
    ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
    (
        {"tools": [{"name": "f", "input_schema": {"type": "array"}}]},
        "tools.0.custom.input_schema.type: Input should be 'object'",
    ),
    ({"tool_choice": {"type": "auto"}}, "tool_choice: tool_choice may only be specified while providing tools"),
    (
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}},
        "tool_choice: Tool 'g' not found in provided tools",
    ),
    ({"tools": [TOOL], "tool_choice": {"type": "required"}}, "tool_choice: Input tag"),
    (
        {"tools": [TOOL], "tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    (
        {"thinking": {"type": "adaptive"}, "temperature": 0.5},
        "`temperature` may only be set to 1 when thinking is enabled",
    ),
    ({"thinking": {"type": "adaptive"}, "top_p": 0.5}, "`top_p` must be greater than or equal to 0.95"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1024},
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "thinking.enabled.budget_tokens: Input should be"),
    ({"thinking": {"type": "on"}}, "thinking: Input tag"),
    (
        {"output_config": {"effort": "huge"}},
        "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
    ),
    ({"system": [text("")]}, "system.0: text content blocks must be non-empty"),
    ({"thinking": {"type": "adaptive"}, "top_k": 5}, "`top_k` must be unset when thinking is enabled."),
    (
        {"tools": [{"name": "f", "input_schema": {"type": "object", "anyOf": []}}]},
        "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
    ),
]

ALLOWED: list[dict[str, Any]] = [
    {},
    {"thinking": {"type": "disabled"}, "temperature": 0, "top_p": 0.1, "tools": [TOOL], "tool_choice": {"type": "any"}},
    {"thinking": {"type": "adaptive"}, "temperature": 1, "tools": [TOOL], "tool_choice": {"type": "auto"}},
    {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1025, "output_config": {"effort": "max"}},
    {"tools": [{"type": "web_search_20250305", "name": "web_search"}], "stop_sequences": ["a b"], "system": ""},
]  # fmt: skip


def refusal(body: dict[str, Any]) -> Failure | None:
    """By the rules that have no name; test_scripted_strict.py has the others."""
    return any_refusal(body, frozenset())


def request(**more: Any) -> dict[str, Any]:
    return {"model": "claude-haiku-5-5", "max_tokens": 2000, "messages": [HELLO], **more}


@pytest.mark.parametrize("messages", FINE)
def test_conversations_that_are_fine(messages: list[dict[str, Any]]) -> None:
    assert refusal(request(messages=messages)) is None


@pytest.mark.parametrize(("messages", "begins"), REFUSED)
def test_conversations_that_are_refused(messages: Any, begins: str) -> None:
    failure = refusal(request(messages=messages))
    assert failure is not None
    assert (failure.status, failure.kind) == (400, "invalid_request_error")
    assert failure.message.startswith(begins)


@pytest.mark.parametrize("more", ALLOWED)
def test_parameters_that_are_fine(more: dict[str, Any]) -> None:
    assert refusal(request(**more)) is None


@pytest.mark.parametrize(("more", "begins"), PARAMETERS)
def test_parameters_that_are_refused(more: dict[str, Any], begins: str) -> None:
    failure = refusal(request(**more))
    assert failure is not None
    assert failure.message.startswith(begins)


@pytest.mark.parametrize("missing", ["max_tokens", "model"])
def test_what_must_be_there(missing: str) -> None:
    body = request()
    del body[missing]
    failure = refusal(body)
    assert failure is not None
    assert failure.message == f"{missing}: Field required"


@pytest.mark.parametrize(
    ("refuse", "refused"),
    [
        ("temperature", True),
        ("top_p", False),
        ("effort", True),
        ("output_config.format", False),
        ("output_config.effort", True),
        ("haiku:temperature", True),
        ("opus:temperature", False),
        ("thinking", True),
        ("thinking.type=disabled", False),
        ("thinking.type=adaptive", True),
    ],
)
def test_a_model_refuses_a_parameter(refuse: str, *, refused: bool) -> None:
    body = request(temperature=1, thinking={"type": "adaptive"}, output_config={"effort": "low"})
    failure = unsupported(body, frozenset({refuse}))
    assert (failure is not None) is refused
    if failure:
        assert refuse.rpartition(":")[2].partition("=")[0] in failure.message
