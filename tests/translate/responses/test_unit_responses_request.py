"""Requests become Turns: every item, tool and parameter, and what is refused, in OpenAI's words."""

import time
from typing import Any

import pytest

from claude_max.proxy.errors import BadRequest, ModelNotFound, NotFound, ProxyError
from claude_max.proxy.events import (
    JsonObject,
    Media,
    Message,
    RedactedThinking,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from claude_max.proxy.records import Kept, Record
from claude_max.proxy.translate.common.dialect import ParsedRequest, RequestContext
from claude_max.proxy.translate.common.sampling import JSON_OBJECT
from claude_max.proxy.translate.responses.errors import ERRORS, PreviousNotFound
from claude_max.proxy.translate.responses.kept import KEEPING, wanted
from claude_max.proxy.translate.responses.request import to_turn
from claude_max.proxy.translate.responses.thinking import encrypted
from claude_max.proxy.translate.responses.tools import HOSTED, flat_name

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
EMPTY = {"type": "object", "properties": {}}
LOOK: JsonObject = {"type": "function", "name": "look", "parameters": EMPTY}
PATCH: JsonObject = {"type": "custom", "name": "patch", "description": "Edits files."}
CALL: JsonObject = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"a": 1}'}
OUTPUT: JsonObject = {"type": "function_call_output", "call_id": "c1", "output": "seen"}
USER: JsonObject = {"role": "user", "content": "hi"}
STRING = {"type": "string", "description": "The whole input of patch, as plain text."}


def parsed(input: Any = "hi", context: RequestContext | None = None, **fields: Any) -> ParsedRequest:
    return to_turn({"model": "sonnet", "input": input, **fields}, context or RequestContext())


def turn(input: Any = "hi", **fields: Any) -> Turn:
    (made,) = parsed(input, **fields).turns
    return made


def refused(input: Any = "hi", **fields: Any) -> ProxyError:
    with pytest.raises(ProxyError) as error:
        parsed(input, **fields)
    return error.value


def test_the_smallest() -> None:
    asked = parsed()
    assert asked.turns == (Turn("sonnet", (Message("user", (Text("hi"),)),), ask_to_continue=True),)
    assert (asked.stream, asked.ignored, asked.repaired) == (False, (), ())


def test_a_conversation_of_every_item() -> None:
    items = [
        {"role": "developer", "content": "Be kind."},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "Look:"},
            {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"},
            {"type": "input_file", "file_url": "https://a.example/b.pdf", "filename": "b.pdf"},
            {"type": "input_file", "file_data": "data:text/plain;base64,aGk=", "filename": "c.txt"},
        ]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": encrypted(Thinking("Hm.", "s"))},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": encrypted(RedactedThinking("d"))},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "Let me", "annotations": []}]},
        CALL,
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** x"},
        {"type": "function_call", "call_id": "c3", "name": "close", "namespace": "many", "arguments": ""},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "seen"}]},
        {"type": "function_call_output", "call_id": "c3", "output": ""},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        USER,
    ]  # fmt: skip
    asked = parsed(items, instructions="Be brief.")
    (made,) = asked.turns
    assert made.system == "Be brief.\n\nBe kind."
    assert made.messages == (
        Message("user", (
            Text("Look:"), Media("image", "image/png", PIXEL),
            Media("document", url="https://a.example/b.pdf", title="b.pdf"),
            Media("document", "text/plain", "hi", title="c.txt"),
        )),
        Message("assistant", (
            Thinking("Hm.", "s"), RedactedThinking("d"), Text("Let me"), ToolCall("c1", "look", {"a": 1}),
            ToolCall("c2", "patch", {"input": "*** x"}), ToolCall("c3", "many__close", {}),
        )),
        Message("user", (
            ToolResult("c1", (Text("seen"),)), ToolResult("c2", (Text("done"),)), ToolResult("c3", ()),
        )),
        Message("assistant", (Text("No."),)),
        Message("user", (Text("hi"),)),
    )  # fmt: skip
    assert asked.ignored == ("input.web_search_call",)


def test_an_output_may_come_later_than_the_service_takes_it() -> None:
    later = [USER, CALL, {"role": "user", "content": "and?"}, OUTPUT]
    assert turn(later).messages[2:] == (Message("user", (ToolResult("c1", (Text("seen"),)), Text("and?"))),)


def test_thinking_of_another_server_is_dropped_and_named() -> None:
    foreign = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    asked = parsed([USER, foreign, {"role": "assistant", "content": "Yes."}, USER])
    assert asked.ignored == ("input.encrypted_content",)
    assert asked.turns[0].messages[1] == Message("assistant", (Text("Yes."),))


def test_thinking_that_nothing_follows_is_left_out() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": encrypted(Thinking("Hm.", "s"))}
    asked = parsed([USER, thought, {"role": "user", "content": "well?"}])
    assert asked.turns[0].messages == (Message("user", (Text("hi"), Text("well?"))),)
    assert asked.repaired == ("input: reasoning that nothing follows left out",)


def test_tools() -> None:
    namespace = {"type": "namespace", "name": "many", "description": "Agents.",
                 "tools": [{**LOOK, "name": "close", "description": "Closes."}, {**LOOK, "name": "open"}]}  # fmt: skip
    grammar = {**PATCH, "name": "shape", "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "a"'}}
    tools = [{**LOOK, "strict": True, "description": "Looks."}, {**LOOK, "name": "b", "strict": False}, PATCH, grammar,
             namespace]  # fmt: skip
    one = {"type": "object", "required": ["input"], "additionalProperties": False}
    made = turn(tools=tools).tools
    assert made == (
        Tool("look", "Looks.", EMPTY, strict=True),
        Tool("b", "", EMPTY),
        Tool("patch", "Edits files.", {**one, "properties": {"input": STRING}}),
        Tool(
            "shape",
            'Edits files.\n\nThe input must match this lark grammar:\nstart: "a"',
            {
                **one,
                "properties": {"input": {**STRING, "description": STRING["description"].replace("patch", "shape")}},
            },
        ),
        Tool("many__close", "many: Agents.\n\nCloses.", EMPTY),
        Tool("many__open", "", EMPTY),
    )


def test_long_names_of_namespaces_stay_apart() -> None:
    one, other = flat_name("a" * 60, "mcp__server"), flat_name("a" * 60 + "b", "mcp__server")
    assert len(one) == len(other) == 64
    assert one != other
    assert flat_name("read", "mcp__files__") == "mcp__files__read"


def test_tools_that_items_add() -> None:
    added = {"type": "additional_tools", "role": "developer", "tools": [PATCH]}
    search = {"type": "tool_search", "execution": "client", "description": "Finds.", "parameters": EMPTY}
    call = {"type": "tool_search_call", "call_id": "t1", "execution": "client", "arguments": {"query": "x"}}
    found = {"type": "tool_search_output", "call_id": "t1", "tools": [LOOK, PATCH]}
    made = turn([added, USER, call, found], tools=[search])
    assert [tool.name for tool in made.tools if isinstance(tool, Tool)] == ["tool_search", "patch", "look"]
    assert made.messages[1:] == (
        Message("assistant", (ToolCall("t1", "tool_search", {"query": "x"}),)),
        Message("user", (ToolResult("t1", (Text("These tools can be called now: look, patch."),)),)),
    )
    assert parsed(tools=[{"type": "tool_search"}]).ignored == ("tools.tool_search",)


@pytest.mark.parametrize(
    ("wanted", "choice"),
    [
        ("auto", ToolChoice()),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "look"}, ToolChoice("named", "look")),
        ({"type": "custom", "name": "patch"}, ToolChoice("named", "patch")),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "patch"}]},
         ToolChoice("required")),
    ],
)  # fmt: skip
def test_tool_choice(wanted: Any, choice: ToolChoice) -> None:
    made = turn(tools=[LOOK, PATCH], tool_choice=wanted)
    assert made.tool_choice == choice
    assert len(made.tools) == (1 if "allowed" in str(wanted) else 2)


def test_one_call_at_a_time() -> None:
    assert turn(tools=[LOOK], parallel_tool_calls=False).tool_choice == ToolChoice(parallel=False)


SEARCH = {"type": "web_search", "filters": {"allowed_domains": ["a.example"]}, "search_context_size": "low",
          "user_location": {"type": "approximate", "country": "DE", "city": None}}  # fmt: skip


@pytest.mark.parametrize("kind", ["web_search", "web_search_preview", "web_search_2025_08_26"])
def test_web_search_is_off_by_default_and_named(kind: str) -> None:
    asked = parsed(tools=[LOOK, {**SEARCH, "type": kind}])
    assert (len(asked.turns[0].tools), asked.ignored) == (1, (f"tools.{kind}",))
    assert "web_search" in refused(tools=[SEARCH], tool_choice={"type": "web_search"}).message


def test_web_search_that_is_allowed() -> None:
    context = RequestContext(web_search=True)
    asked = parsed(context=context, tools=[SEARCH], max_tool_calls=3, tool_choice={"type": "web_search_preview"})
    declared = {
        "type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.example"],
        "user_location": {"type": "approximate", "country": "DE"},
    }  # fmt: skip
    assert asked.turns[0].tools == (ServerTool(declared),)
    assert asked.turns[0].tool_choice == ToolChoice("named", "web_search")
    assert asked.ignored == ()


@pytest.mark.parametrize(
    ("reasoning", "effort", "thinking"),
    [
        ({"effort": "none"}, None, "off"),
        ({"effort": "minimal"}, "low", "default"),
        ({"effort": "xhigh"}, "xhigh", "default"),
        ({"summary": "auto"}, None, "shown"),
        ({"effort": "high", "summary": "detailed"}, "high", "shown"),
        ({"effort": None, "summary": None}, None, "default"),
        ({"summary": "none"}, None, "default"),
    ],
)
def test_reasoning(reasoning: JsonObject, effort: str | None, thinking: str) -> None:
    made = turn(reasoning=reasoning)
    assert (made.effort, made.thinking) == (effort, thinking)


def test_the_form_of_the_text() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert turn(text={"format": {"type": "json_schema", "name": "x", "schema": schema}}).schema == schema
    assert (
        turn(text={"format": {"type": "json_object"}}, instructions="Be kind.").system == f"Be kind.\n\n{JSON_OBJECT}"
    )
    assert turn(text={"format": {"type": "text"}}).schema is None


def test_sampling_and_limits() -> None:
    asked = parsed(temperature=1.5, top_p=0.5, max_output_tokens=9, stream=True)
    (made,) = asked.turns
    assert (made.temperature, made.top_p, made.max_tokens, asked.stream) == (1, 0.5, 9, True)
    assert asked.ignored == ("temperature",)


def test_what_has_no_effect_is_named() -> None:
    asked = parsed(
        user="u", service_tier="flex", prompt_cache_key="k", truncation="auto", text={"verbosity": "low"},
        client_metadata={"a": "b"}, metadata={"a": "b"}, max_tool_calls=2,
        stream_options={"include_obfuscation": False},
        include=["reasoning.encrypted_content", "message.output_text.logprobs", "file_search_call.results"],
        reasoning={"effort": "low", "mode": "pro"}, top_logprobs=3,
    )  # fmt: skip
    assert sorted(asked.ignored) == [
        "client_metadata", "include.message.output_text.logprobs", "max_tool_calls", "prompt_cache_key",
        "reasoning.mode", "service_tier", "text.verbosity", "top_logprobs", "truncation", "user",
    ]  # fmt: skip
    assert parsed(service_tier="auto", truncation="disabled", text={"verbosity": "medium"}).ignored == ()


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"input": []}, "input", "no user message"),
        ({"input": ["hi"]}, "input[0]", ""),
        ({"input": [USER, "hi"]}, "input[1]", ""),
        ({"input": 7}, "input", ""),
        ({"input": [{"type": "message", "content": "x"}]}, "input[0].role", "missing"),
        ({"input": [{"role": "user"}]}, "input[0].content", "missing"),
        ({"input": [{"type": "computer_call"}]}, "input[0].type", "'computer_call'"),
        ({"input": [{"type": ["x"]}]}, "input[0].type", ""),
        ({"input": [{"role": "user", "content": [{"type": "film"}]}]}, "input[0].content[0].type", "film"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input[0].content[0].type", "audio"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
         "input[0].content[0].file_id", "no file store"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
         "input[0].content[0].image_url", "missing"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "ftp://x"}]}]},
         "input[0].content[0].file_url", "http"),
        ({"input": [{"role": "system", "content": [{"type": "input_image", "image_url": "https://a.example"}]}, USER]},
         "input[0].content", "only text"),
        ({"input": [USER, CALL]}, "input", "input[1]: No tool output found for function call c1."),
        ({"input": [USER, OUTPUT]}, "input",
         "input[1]: No tool call found for function call output with call_id c1."),
        ({"input": [USER, OUTPUT, CALL]}, "input", "input[1]: No tool call found"),
        ({"input": [USER, CALL, OUTPUT, OUTPUT]}, "input", "input[3]: the call c1 has two outputs"),
        ({"input": [USER, CALL, CALL, OUTPUT]}, "input[2].call_id", "given twice"),
        ({"input": [USER, {**CALL, "call_id": None}]}, "input[1].call_id", "missing"),
        ({"input": [USER, {**CALL, "name": None}, OUTPUT]}, "input[1].name", "missing"),
        ({"input": [USER, CALL, {**OUTPUT, "output": None}]}, "input[2].output", "missing"),
        ({"input": [{**USER, "id": "a"}, {**USER, "id": "a"}]}, "input",
         "input[1]: Duplicate item found with id a. Remove duplicate items from your input and try again."),
        ({"input": "hi", "background": True}, "background", ""),
        ({"input": "hi", "conversation": "conv_1"}, "conversation", "previous_response_id"),
        ({"input": "hi", "prompt": {"id": "p"}}, "prompt", "templates"),
        ({"messages": [USER]}, "messages", "`input`"),
        ({"input": "hi", "tools": [{"type": "function"}]}, "tools[0].name", "missing"),
        ({"input": "hi", "tools": [LOOK, LOOK]}, "tools", "twice"),
        ({"input": "hi", "tools": [LOOK], "tool_choice": "sometimes"}, "tool_choice", ""),
        ({"input": "hi", "tools": [LOOK], "tool_choice": {"type": "function", "name": "x"}}, "tool_choice", "'x'"),
        ({"input": "hi", "tool_choice": "required"}, "tool_choice", "needs tools"),
        ({"input": "hi", "tools": [LOOK], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}},
         "tool_choice", ""),
        ({"input": "hi", "text": {"format": {"type": "json_schema"}}}, "text.format.schema", "missing"),
        ({"input": "hi", "max_output_tokens": 0}, "max_output_tokens", ""),
        ({"input": "hi", "temperature": "hot"}, "temperature", ""),
        ({"input": "hi", "metadata": {"a": 1}}, "metadata.a", ""),
        ({"input": [{"type": "additional_tools", "tools": ["x"]}, USER]}, "input[0].tools", "object"),
    ],
)  # fmt: skip
def test_bad_requests_name_what_is_wrong(body: JsonObject, param: str, words: str) -> None:
    with pytest.raises(BadRequest) as error:
        to_turn({"model": "sonnet", **body}, RequestContext(strict=True))
    assert error.value.param == param
    assert words in error.value.message
    assert ERRORS.body(error.value, "req_1")["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("kind", HOSTED)
def test_tools_of_openais_own_servers_are_refused_by_name(kind: str) -> None:
    error = refused(tools=[LOOK, {"type": kind}])
    assert (error.status, error.param) == (400, "tools[1].type")
    assert f"'{kind}'" in error.message
    assert HOSTED[kind] in error.message


def test_an_unknown_model() -> None:
    with pytest.raises(ModelNotFound):
        to_turn({"model": "gpt-nothing", "input": "hi"}, RequestContext())


# What is kept.


def record(id: str, input: list[JsonObject], output: list[JsonObject], previous: str | None = None) -> Record:
    return Record(id, 0, {"id": id}, tuple(input), tuple(output), previous)


FIRST = record("resp_1", [{**USER, "id": "msg_0"}], [
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": encrypted(Thinking("Hm.", "s"))},
    {**CALL, "id": "fc_1"},
])  # fmt: skip
SECOND = record("resp_2", [{**OUTPUT, "id": "fco_1"}],
                [{"type": "message", "id": "msg_2", "role": "assistant",
                  "content": [{"type": "output_text", "text": "Seen."}]}], "resp_1")  # fmt: skip


def test_going_on_from_what_is_kept() -> None:
    context = RequestContext(kept=Kept((FIRST, SECOND), on=True))
    asked = parsed("and?", context, previous_response_id="resp_2", instructions="New.")
    (made,) = asked.turns
    assert made.system == "New."
    assert made.messages == (
        Message("user", (Text("hi"),)),
        Message("assistant", (Thinking("Hm.", "s"), ToolCall("c1", "look", {"a": 1}))),
        Message("user", (ToolResult("c1", (Text("seen"),)),)),
        Message("assistant", (Text("Seen."),)),
        Message("user", (Text("and?"),)),
    )


def test_a_call_of_the_previous_response_needs_its_output_too() -> None:
    context = RequestContext(kept=Kept((FIRST,), on=True), strict=True)
    error = refused("and?", context=context, previous_response_id="resp_1")
    assert (error.param, error.status) == ("input", 400)
    assert "No tool output found for function call c1." in error.message


@pytest.mark.parametrize(("on", "hint"), [(True, ""), (False, "responses_keep_days")])
def test_an_unknown_previous_response(on: bool, hint: str) -> None:
    error = refused(context=RequestContext(kept=Kept(on=on)), previous_response_id="resp_x")
    assert isinstance(error, PreviousNotFound)
    body = ERRORS.body(error, "")["error"]
    assert body["message"].startswith("Previous response with id 'resp_x' not found.")
    assert hint in body["message"]
    assert (error.status, body["param"], body["code"]) == (400, "previous_response_id", "previous_response_not_found")


def test_items_that_are_only_named() -> None:
    items = [USER, {"type": "item_reference", "id": "rs_1"}, {"type": "item_reference", "id": "fc_1"}, OUTPUT]
    assert wanted({"input": items}).items == ("rs_1", "fc_1")
    kept = Kept(items={str(item["id"]): item for item in FIRST.output}, on=True)
    made = turn(items, context=RequestContext(kept=kept))
    assert made.messages[1] == Message("assistant", (Thinking("Hm.", "s"), ToolCall("c1", "look", {"a": 1})))
    error = refused(items)
    assert isinstance(error, NotFound)
    assert (error.status, error.param) == (404, "input")
    assert error.message.startswith("Item with id 'rs_1' not found.")


def test_reasoning_without_its_content_is_looked_up() -> None:
    bare = {"type": "reasoning", "id": "rs_1", "summary": []}
    items = [USER, bare, {"role": "assistant", "content": "Yes."}, USER]
    kept = Kept(items={"rs_1": FIRST.output[0]}, on=True)
    assert wanted({"input": items}).items == ("rs_1",)
    assert turn(items, context=RequestContext(kept=kept)).messages[1].content[0] == Thinking("Hm.", "s")
    assert turn(items).messages[1].content == (Text("Yes."),)


def test_what_a_body_of_any_form_names() -> None:
    for body in ({}, {"input": "x"}, {"input": [1, {"type": "item_reference", "id": 7}, {"type": "item_reference"}]}):
        assert wanted({**body, "previous_response_id": 3}).items == ()
        assert wanted({**body, "previous_response_id": 3}).previous is None


def test_pages_of_input_items() -> None:
    kept = record("resp_1", [{"id": f"msg_{n}"} for n in range(5)], [])

    def page(**query: str) -> tuple[list[str], bool]:
        found = KEEPING.items(kept, query)
        assert (found["first_id"], found["last_id"]) == (found["data"][0]["id"], found["data"][-1]["id"])
        return [item["id"] for item in found["data"]], found["has_more"]

    assert page() == ([f"msg_{n}" for n in (4, 3, 2, 1, 0)], False)
    assert page(order="asc", limit="2") == (["msg_0", "msg_1"], True)
    assert page(order="asc", limit="2", after="msg_2") == (["msg_3", "msg_4"], False)
    for wrong in ({"order": "x"}, {"limit": "0"}, {"limit": "x"}, {"limit": "101"}, {"after": "msg_9"}):
        with pytest.raises(BadRequest) as error:
            KEEPING.items(kept, wrong)
        assert error.value.param == next(iter(wrong))


def test_much_input_is_read_in_linear_time() -> None:
    """2 MB in 4,000 calls and their outputs."""
    items: list[JsonObject] = [USER]
    for number in range(4000):
        items += [{**CALL, "id": f"fc_{number}", "call_id": f"c{number}"},
                  {**OUTPUT, "call_id": f"c{number}", "output": "x" * 400}]  # fmt: skip
    begun = time.process_time()
    assert len(turn(items).messages) == 8001
    assert time.process_time() - begun < 5
