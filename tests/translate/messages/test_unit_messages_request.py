"""A Messages request reaches the service as it was sent: whole blocks, by the engine's own writer."""

from dataclasses import replace
from typing import Any

import pytest
from harness.asking import PIXEL
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.planning.want import without_billing_line
from claude_max.proxy.engine.wire.protocol import api_message, api_tools
from claude_max.proxy.errors import BadRequest, ModelNotFound, ProxyError
from claude_max.proxy.events import JsonObject, Model, ServerTool, Tool, ToolChoice, Turn
from claude_max.proxy.scripted.rules_messages import complaints, notes
from claude_max.proxy.translate.common.dialect import RequestContext
from claude_max.proxy.translate.messages import DIALECT
from claude_max.proxy.translate.messages.request import to_count, to_turn

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FORM = {"type": "json_schema", "schema": SCHEMA}
LOOK = {"name": "look", "description": "Looks.", "input_schema": SCHEMA}
OFFERED = (Model("sonnet", "claude-sonnet-5-5"), Model("haiku", "claude-haiku-4-5-20251001"))
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": "b"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "seen"}]}


def body(*messages: JsonObject, **fields: Any) -> JsonObject:
    asked = list(messages) or [{"role": "user", "content": "hello"}]
    return {"model": "sonnet", "max_tokens": 100, "messages": asked, **fields}


def user(*blocks: Any) -> JsonObject:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> JsonObject:
    return {"role": "assistant", "content": list(blocks)}


def text(words: str, **more: Any) -> JsonObject:
    return {"type": "text", "text": words, **more}


def turn(*messages: JsonObject, **fields: Any) -> Turn:
    return to_turn(body(*messages, **fields), RequestContext(OFFERED)).turns[0]


def sent(*messages: JsonObject) -> list[JsonObject]:
    """What reaches the service."""
    return [api_message(message) for message in turn(*messages).messages]


def refused(*messages: JsonObject, **fields: Any) -> str:
    """The error with `strict`."""
    with pytest.raises(BadRequest) as caught:
        to_turn(body(*messages, **fields), RequestContext(OFFERED, strict=True))
    told: str = DIALECT.errors.body(caught.value, "req_1")["error"]["message"]
    return told


# Every kind of block, as the reference has it, with the keys that are rarely seen.
PNG = {"type": "base64", "media_type": "image/png", "data": PIXEL}
EPHEMERAL = {"type": "ephemeral"}
BILLING = "x-anthropic-billing-header: cc_version=2.1.332.b35; cc_entrypoint=sdk-cli;"
USER_BLOCKS = [
    text("hello"),
    text("marked", cache_control={"type": "ephemeral", "ttl": "1h"}),
    text("cited", citations=[{"type": "char_location", "cited_text": "c"}]),
    {"type": "image", "source": PNG},
    {"type": "image", "source": {"type": "url", "url": "https://example.invalid/a.png"}, "cache_control": EPHEMERAL},
    {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}, "title": "T"},
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
    {"type": "document", "source": {"type": "url", "url": "https://example.invalid/a.pdf"}, "context": "c"},
    {"type": "document", "source": {"type": "content", "content": "x"}, "citations": {"enabled": True}},
    {"type": "search_result", "source": "s", "title": "t", "content": [text("found")]},
    {"type": "container_upload", "file_id": "file_1"},
    {"type": "not_known_yet", "anything": [1, {"a": None}]},
]
ASSISTANT_BLOCKS = [
    text("hello"),
    {"type": "thinking", "thinking": "hm", "signature": "sig"},
    {"type": "thinking", "thinking": "", "signature": "sig"},
    {"type": "redacted_thinking", "data": "xyz"},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
]
RESULTS = [
    [text("seen")],
    [text("seen", cache_control=EPHEMERAL), {"type": "image", "source": PNG}],
    [{"type": "tool_reference", "tool_name": "look"}],
    [],
]


@pytest.mark.parametrize("block", USER_BLOCKS)
def test_a_block_of_the_user_travels_as_it_is(block: JsonObject) -> None:
    assert sent(user(text("before"), block)) == [user(text("before"), block)]


@given(
    said=st.lists(st.sampled_from(USER_BLOCKS[:1] + USER_BLOCKS[2:]), min_size=1, max_size=5),
    answered=st.lists(st.sampled_from(ASSISTANT_BLOCKS), min_size=1, max_size=5),
    results=st.lists(st.tuples(st.sampled_from(RESULTS), st.booleans(), st.booleans()), max_size=4),
    again=st.booleans(),
)
def test_a_conversation_travels_as_it_is(
    said: list[JsonObject],
    answered: list[JsonObject],
    results: list[tuple[list[JsonObject], bool, bool]],
    again: bool,
) -> None:
    """With calls, results and errors, and two messages of one role in a row. Marks are bounded by the test below."""
    calls = [{**CALL, "id": f"toolu_{n}"} for n in range(len(results))]
    given_back = [
        {"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": _bare(content)}
        | ({"is_error": True} if is_error else {})
        | ({"toolset_name": "browser"} if is_odd else {})
        for n, (content, is_error, is_odd) in enumerate(results)
    ]
    bare = [{key: value for key, value in block.items() if key != "cache_control"} for block in said]
    messages = [user(*bare), assistant(*answered, *calls), user(*given_back, text("go on"))]
    messages += [user(text("and more"))] if again else []
    assert sent(*messages) == messages


def _bare(content: list[JsonObject]) -> list[JsonObject]:
    return [{key: value for key, value in block.items() if key != "cache_control"} for block in content]


def test_a_string_is_one_text_block() -> None:
    messages = ({"role": "user", "content": "hello"}, assistant(CALL), user({**RESULT, "content": "seen"}))
    assert sent(*messages) == [user(text("hello")), assistant(CALL), user(RESULT)]


def test_a_result_without_content() -> None:
    bare = {"type": "tool_result", "tool_use_id": "toolu_1"}
    assert sent(user(text("x")), assistant(CALL), user(bare))[-1] == user({**bare, "content": []})
    assert sent(user(text("x")), assistant(CALL), user({**bare, "content": ""}))[-1] == user({**bare, "content": []})


def test_the_assistant_may_speak_last_and_be_silent() -> None:
    assert sent(user(text("x")), assistant(text("Once")))[-1] == assistant(text("Once"))
    assert sent(user(text("x")), assistant())[-1] == assistant()


def test_a_system_message_in_the_middle() -> None:
    messages = (user(text("x")), {"role": "system", "content": "From now on, briefly."})
    assert sent(*messages) == [user(text("x")), {"role": "system", "content": [text("From now on, briefly.")]}]


ASKED = user(text("x"))
BRIEFLY = {"role": "system", "content": "Briefly."}
SERVED = assistant({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []})


@pytest.mark.parametrize(
    ("messages", "stays"),
    [
        ((ASKED, BRIEFLY, assistant(text("y")), ASKED), True),
        ((ASKED, BRIEFLY, BRIEFLY), True),
        ((ASKED, SERVED, BRIEFLY), True),
        ((BRIEFLY, ASKED), False),
        ((ASKED, BRIEFLY, ASKED), False),
        ((ASKED, assistant(text("y")), BRIEFLY, ASKED), False),
        ((ASKED, assistant({**CALL, "id": "a"}, {**CALL, "id": "b"}), user({**RESULT, "tool_use_id": "a"}), BRIEFLY,
          user({**RESULT, "tool_use_id": "b"})), False),
    ],
)  # fmt: skip
def test_where_a_system_message_may_stand(messages: tuple[JsonObject, ...], stays: bool) -> None:
    """Elsewhere the service refuses it, and its text goes into the system prompt."""
    found = to_turn(body(*messages), RequestContext(OFFERED))
    assert ("system" in [message.role for message in found.turns[0].messages]) is stays
    assert found.turns[0].system == ("" if stays else "Briefly.")
    assert any("system message moved" in told for told in found.repaired) is not stays
    api = [api_message(message) for message in found.turns[0].messages]
    assert not [*complaints(api), *notes(api)]


def test_what_a_moved_system_message_holds_beside_text_is_named() -> None:
    shown = {"role": "system", "content": [text("Look:"), {"type": "image", "source": PNG}]}
    found = to_turn(body(shown, ASKED), RequestContext(OFFERED))
    assert found.turns[0].system == "Look:"
    assert any("a system message holds texts" in told for told in found.repaired)


def test_a_system_message_that_only_sets_something_is_left_out_and_named() -> None:
    setting = {"role": "system", "content": [], "output_config": {"effort": "low"}}
    asked = to_turn(body(user(text("x")), setting), RequestContext(OFFERED))
    assert [message.role for message in asked.turns[0].messages] == ["user"]
    assert asked.ignored == ("messages.output_config",)


def test_the_system_prompt() -> None:
    assert turn(system="Be brief.").system == "Be brief."
    asked = to_turn(
        body(system=[text("Be brief."), text("Be kind.", cache_control=EPHEMERAL)]), RequestContext(OFFERED)
    )
    assert (asked.turns[0].system, asked.ignored) == ("Be brief.\n\nBe kind.", ("system.cache_control",))


@pytest.mark.parametrize(
    "system", [[text(BILLING), text("Be brief.")], f"{BILLING}\n\nBe brief.", [text(f"{BILLING}\nBe brief.")]]
)
def test_the_billing_line_of_claude_code_is_not_the_models(system: Any) -> None:
    """The engine takes it off, for every dialect, and names it."""
    assert without_billing_line(turn(system=system)).system == "Be brief."


TOOLS = [
    LOOK,
    {"name": "bare", "input_schema": {"type": "object"}},
    {**LOOK, "name": "strict", "strict": True, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    {**LOOK, "name": "examples", "input_examples": [{"a": "b"}], "defer_loading": True},
    {"type": "bash_20250124", "name": "bash"},
    {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 10_000},
]


def test_tools_travel_as_they_are() -> None:
    assert api_tools(turn(tools=TOOLS).tools) == TOOLS
    assert [type(tool) for tool in turn(tools=TOOLS).tools] == [Tool, Tool, Tool, ServerTool, ServerTool, ServerTool]
    assert turn(tools=[{**LOOK, "type": "custom"}]).tools == turn(tools=[LOOK]).tools


@pytest.mark.parametrize("kind", ["web_search_20250305", "web_fetch_20260318"])
def test_the_search_of_the_web_is_the_settings_to_allow(kind: str) -> None:
    tool = {"type": kind, "name": "web_search", "max_uses": 2}
    assert kind in refused(tools=[tool])
    assert "web_search" in refused(tools=[tool])
    allowed = to_turn(body(tools=[tool]), RequestContext(OFFERED, web_search=True))
    assert allowed.turns[0].tools == (ServerTool(tool),)


@pytest.mark.parametrize(
    ("wanted", "choice"),
    [
        ({"type": "auto"}, ToolChoice()),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice(parallel=False)),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "none"}, ToolChoice("none")),
        ({"type": "tool", "name": "look"}, ToolChoice("named", "look")),
        ({"type": "tool", "name": "bash", "disable_parallel_tool_use": True}, ToolChoice("named", "bash", False)),
    ],
)
def test_the_choice(wanted: JsonObject, choice: ToolChoice) -> None:
    assert turn(tools=TOOLS, tool_choice=wanted).tool_choice == choice


@pytest.mark.parametrize(
    ("model", "thinking", "mode", "budget"),
    [
        ("sonnet", None, "default", None),
        ("haiku", None, "off", None),
        ("claude-3-7-sonnet-latest", None, "off", None),
        ("claude-opus-4-1", None, "off", None),
        ("sonnet", {"type": "disabled"}, "off", None),
        ("sonnet", {"type": "adaptive"}, "shown", None),
        ("sonnet", {"type": "adaptive", "display": "omitted"}, "default", None),
        ("haiku", {"type": "enabled", "budget_tokens": 2000}, "shown", 2000),
    ],
)
def test_thinking(model: str, thinking: JsonObject | None, mode: str, budget: int | None) -> None:
    found = turn(model=model, max_tokens=4000, thinking=thinking)
    assert (found.thinking, found.thinking_budget, found.carries_thinking) == (mode, budget, True)


def test_parameters() -> None:
    found = turn(
        stop_sequences=["END"], temperature=0.5, top_p=0.9, top_k=5, output_config={
            "effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}
        }
    )  # fmt: skip
    assert (found.max_tokens, found.stop, found.temperature, found.top_p, found.top_k) == (100, ("END",), 0.5, 0.9, 5)
    assert (found.effort, found.schema) == ("low", SCHEMA)
    assert turn(output_format={"type": "json_schema", "schema": SCHEMA}).schema == SCHEMA


def test_what_has_no_effect_is_named() -> None:
    fields = {
        "metadata": {"user_id": "u"}, "service_tier": "standard_only", "mcp_servers": [], "container": "c",
        "thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"task_budget": 5},
        "cache_control": EPHEMERAL,
    }  # fmt: skip
    asked = to_turn(body(**fields), RequestContext(OFFERED, headers={"anthropic-beta": "a,b"}))
    assert sorted(asked.ignored) == [
        "anthropic-beta", "cache_control", "container", "mcp_servers", "metadata", "output_config.task_budget",
        "service_tier", "thinking.display",
    ]  # fmt: skip
    assert to_turn(body(service_tier="auto"), RequestContext(OFFERED)).ignored == ()


def test_a_count_needs_no_limit() -> None:
    counted = body(system="Be brief.", tools=[LOOK])
    del counted["max_tokens"]
    found = to_count(counted, RequestContext(OFFERED))
    assert (found.system, found.max_tokens, len(found.tools)) == ("Be brief.", None, 1)


def test_a_request_for_no_answer_asks_for_one_token() -> None:
    """The documented way to fill the prompt cache, which no CLI can take: it streams."""
    fields = {"tools": [LOOK], "tool_choice": {"type": "auto"}, "output_config": {"effort": "low"}, "stream": False}
    asked = to_turn(body(max_tokens=0, **fields), RequestContext(OFFERED, strict=True))
    assert asked.turns == (replace(turn(**fields), max_tokens=1, prewarms=True, ask_to_continue=False),)
    [told] = asked.repaired
    assert told.startswith("max_tokens: one token asked for")


MARKED = [text(str(number), cache_control=EPHEMERAL) for number in range(5)]


@pytest.mark.parametrize(
    ("messages", "fields", "told"),
    [
        ([], {"max_tokens": None}, "max_tokens: Input should be"),
        ([], {"max_tokens": -1}, "max_tokens: Input should be greater"),
        ([], {"max_tokens": 0, "stream": True}, "stream: not allowed with `max_tokens: 0`"),
        ([], {"max_tokens": 0, "output_config": {"format": FORM}}, "output_config.format: not allowed"),
        ([], {"max_tokens": 0, "output_format": FORM}, "output_format: not allowed"),
        ([], {"max_tokens": 0, "tools": [LOOK], "tool_choice": {"type": "any"}}, "tool_choice: not allowed"),
        ([], {"max_tokens": 0, "tools": [LOOK], "tool_choice": {"type": "tool", "name": "look"}}, "tool_choice: not"),
        ([], {"max_tokens": 0, "thinking": {"type": "enabled", "budget_tokens": 1024}}, "`max_tokens` must be greater"),
        ([{"role": "robot", "content": "x"}], {}, "messages.0.role: Input should be 'user'"),
        ([{"role": "system", "content": []}], {}, "messages: at least one message is required"),
        ([user()], {}, "messages.0: all messages must have non-empty content"),
        ([{"role": "user", "content": ""}], {}, "messages.0: all messages must have non-empty content"),
        ([user(text(""))], {}, "messages.0.content.0.text: text content blocks must be non-empty"),
        ([user({"text": "x"})], {}, "messages.0.content.0.type: Field required"),
        ([ASKED, assistant(CALL), user({"text": "x"}, RESULT)], {}, "messages.2.content.0.type: Field required"),
        ([ASKED, assistant(text("y")), BRIEFLY, ASKED], {}, "messages.2: `system` messages must follow a `user` turn"),
        ([user(RESULT)], {}, "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
        ([user(text("x")), assistant(CALL)], {}, "messages.1: `tool_use` ids were found without `tool_result`"),
        ([user(text("x")), assistant(CALL), user(text("y"))], {}, "messages.2: `tool_use` ids were found without"),
        ([user(text("x")), assistant(CALL), user(text("y"), RESULT)], {}, "messages.2: `tool_use` ids were found"),
        (
            [user(text("x")), assistant(CALL), {"role": "user", "content": "y"}, user(RESULT)],
            {},
            "messages.2: `tool_use` ids were found",
        ),
        (
            [user(text("x")), assistant(CALL), user(RESULT, RESULT)],
            {},
            "messages.2.content.1: each tool_use must have a",
        ),
        (
            [user(text("x", cache_control="ephemeral"))],
            {},
            "messages.0.content.0.cache_control: Input should be",
        ),
        ([user(text("x"))], {"tools": [{**LOOK, "cache_control": [1]}]}, "tools.0.cache_control: Input should be"),
        ([user(*MARKED)], {}, "A maximum of 4 blocks with cache_control may be provided. Found 5."),
        ([user(*MARKED[:2])], {"system": MARKED[:2], "cache_control": EPHEMERAL}, "Found 5."),
        ([], {"system": [{"type": "image"}]}, "system.0: system must be a text"),
        ([], {"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
        ([], {"temperature": "hot"}, "temperature: Input should be a valid number"),
        ([], {"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
        ([], {"thinking": {"type": "enabled", "budget_tokens": 2000}}, "`max_tokens` must be greater than"),
        ([], {"tools": [{"name": "a b", "input_schema": SCHEMA}]}, "tools.0.custom.name: String should match"),
        ([], {"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
        ([], {"tools": [{"name": "a", "input_schema": {}}]}, "tools.0.custom.input_schema.type: Input should be"),
        ([], {"tools": [LOOK, LOOK]}, "Tool names must be unique"),
        ([], {"tools": [{"type": "code_execution_20250825", "name": "c"}]}, "'code_execution_20250825' is a tool"),
        ([], {"tool_choice": {"type": "any"}}, "tool_choice may only be specified while providing tools"),
        ([], {"tools": [LOOK], "tool_choice": {"type": "tool", "name": "other"}}, "no tool is named 'other'"),
        ([], {"stop_sequences": [" "]}, "stop_sequences"),
        ([], {"output_config": {"format": {"type": "json_schema", "schema": {"type": "x"}}}}, "output_config.format"),
    ],
)
def test_bad_input(messages: list[JsonObject], fields: JsonObject, told: str) -> None:
    assert told in refused(*messages, **fields)


@pytest.mark.parametrize(
    ("thread", "status", "code"),
    [
        ({"type": "create"}, 400, "thread_unsupported_request"),
        ({"type": "continue", "previous_message_id": "msg_1"}, 404, "thread_not_found"),
    ],
)
def test_no_conversation_is_held(thread: JsonObject, status: int, code: str) -> None:
    """The SDKs' tool runners ask for it since November 2026, and go on without by these codes ("Message threads")."""
    with pytest.raises(ProxyError) as caught:
        to_turn(body(thread=thread), RequestContext(OFFERED))
    told = DIALECT.errors.body(caught.value, "req_1")["error"]
    assert (DIALECT.errors.status(caught.value), told["details"]["error_code"]) == (status, code)


def test_no_such_model() -> None:
    with pytest.raises(ModelNotFound):
        to_turn(body(model="gpt-5"), RequestContext(OFFERED))
