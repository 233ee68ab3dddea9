"""Chat requests made at random, all valid, and a Turn written back as a request. No tests here."""

from itertools import chain
from typing import Any

import orjson
from hypothesis import strategies as st

from claude_max.proxy.events import JsonObject, Media, Message, OpaqueBlock, Text, Tool, ToolCall, ToolResult, Turn

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}

words = st.text(st.sampled_from("ab \n\u00e9"), max_size=4)
text_parts = words.map(lambda text: {"type": "text", "text": text})
image_parts = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk=", "filename": "a.txt"}},
    ]
)
user_contents = words | st.lists(text_parts | image_parts, max_size=3)
ids = st.text(st.sampled_from("abc_ é"), min_size=1, max_size=4)
arguments = st.sampled_from(("", "{}", '{"q":1}', '{ "q" : [1, {"r": null}] }'))


@st.composite
def tool_rounds(draw: st.DrawFn) -> list[JsonObject]:
    """An assistant message with calls, and their results in any order."""
    calls = draw(st.lists(ids, min_size=1, max_size=3, unique=True))
    said = draw(st.none() | words)
    made = [{"id": c, "type": "function", "function": {"name": "look", "arguments": draw(arguments)}} for c in calls]
    found = [{"role": "tool", "tool_call_id": c, "content": draw(user_contents)} for c in draw(st.permutations(calls))]
    return [{"role": "assistant", "content": said, "tool_calls": made}, *found]


users = user_contents.map(lambda content: [{"role": "user", "content": content}])
systems = st.builds(
    lambda role, text: [{"role": role, "content": text}], st.sampled_from(("system", "developer")), words
)
assistants = (words | st.lists(text_parts, max_size=2)).map(lambda text: [{"role": "assistant", "content": text}])
conversations = st.lists(users | systems | assistants | tool_rounds(), max_size=6).map(
    lambda found: list(chain(*found))
)
endings = st.just([{"role": "user", "content": "last"}]) | tool_rounds()

TOOLS = [{"type": "function", "function": {"name": name, "parameters": OBJECT}} for name in ("look", "seek")]
optional: dict[str, st.SearchStrategy[Any]] = {
    "stream": st.booleans(),
    "stream_options": st.just({"include_usage": True}),
    "max_tokens": st.integers(1, 10**6),
    "max_completion_tokens": st.integers(1, 10**6),
    "stop": st.sampled_from(("END", ["a", "b"], [])),
    "temperature": st.floats(0, 2) | st.integers(0, 2),
    "top_p": st.floats(0, 1),
    "n": st.integers(1, 4),
    "tool_choice": st.sampled_from(("none", "auto", "required", {"type": "function", "function": {"name": "seek"}})),
    "parallel_tool_calls": st.booleans(),
    "reasoning_effort": st.sampled_from(("none", "minimal", "low", "medium", "high", "xhigh", "max")),
    "response_format": st.sampled_from(
        (
            {"type": "text"},
            {"type": "json_object"},
            {"type": "json_schema", "json_schema": {"name": "x", "schema": OBJECT, "strict": True}},
        )
    ),
    "seed": st.integers(0, 9),
    "user": words,
    "logit_bias": st.just({"50256": -100}),
    "ignore_eos": st.booleans(),
}


@st.composite
def requests(draw: st.DrawFn) -> JsonObject:
    """A valid body, as it comes out of the JSON parser."""
    body = draw(st.fixed_dictionaries({"model": st.sampled_from(("sonnet", "claude-opus-4"))}, optional=optional))
    body["messages"] = [*draw(conversations), *draw(endings)]
    if "tool_choice" in body or draw(st.booleans()):
        body["tools"] = TOOLS
    parsed: JsonObject = orjson.loads(orjson.dumps(body))
    return parsed


def written(turn: Turn) -> JsonObject:
    """A request that says the same as this Turn."""
    messages: list[JsonObject] = [{"role": "system", "content": turn.system}] if turn.system else []
    for message in turn.messages:
        messages += _answer(message) if message.role == "assistant" else _said(message)
    body: JsonObject = {"model": turn.model, "messages": messages, "parallel_tool_calls": turn.tool_choice.parallel}
    if turn.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
            for t in turn.tools
            if isinstance(t, Tool)
        ]
        named = {"type": "function", "function": {"name": turn.tool_choice.name}}
        body["tool_choice"] = named if turn.tool_choice.mode == "named" else turn.tool_choice.mode
    if turn.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": turn.schema}}
    effort = "none" if turn.thinking == "off" else turn.effort
    plain = {
        "max_tokens": turn.max_tokens, "stop": list(turn.stop) or None, "temperature": turn.temperature,
        "top_p": turn.top_p, "reasoning_effort": effort,
    }  # fmt: skip
    return {**body, **{name: value for name, value in plain.items() if value is not None}}


def _answer(message: Message) -> list[JsonObject]:
    texts = [{"type": "text", "text": item.text} for item in message.content if isinstance(item, Text)]
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": orjson.dumps(c.arguments).decode()}}
        for c in message.content
        if isinstance(c, ToolCall)
    ]
    return [{"role": "assistant", "content": texts, **({"tool_calls": calls} if calls else {})}]


def _said(message: Message) -> list[JsonObject]:
    found = [
        {
            "role": "tool",
            "tool_call_id": item.call_id,
            "content": [_part(part) for part in item.content if not isinstance(part, OpaqueBlock)],
        }
        for item in message.content
        if isinstance(item, ToolResult)
    ]
    rest = [_part(item) for item in message.content if isinstance(item, Text | Media)]
    return [*found, *([{"role": "user", "content": rest}] if rest else [])]


def _part(item: Text | Media) -> JsonObject:
    if isinstance(item, Text):
        return {"type": "text", "text": item.text}
    if item.kind == "document":
        return {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk=", "filename": item.title}}
    return {"type": "image_url", "image_url": {"url": item.url or f"data:{item.media_type};base64,{item.data}"}}
