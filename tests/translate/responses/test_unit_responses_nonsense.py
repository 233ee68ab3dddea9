"""Whatever a request holds, it becomes a Turn that can be answered, or an error that names something in it."""

from typing import Any

import orjson
import pytest
from harness.responses import check_response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from translate.response_meta import response_meta

from claude_max.proxy.errors import BadRequest, NotFound
from claude_max.proxy.events import BlockCompleted, Event, Finished, Started, TextDelta, ToolCallStarted, Usage
from claude_max.proxy.translate.common.dialect import ParsedRequest, Recorded, RequestContext
from claude_max.proxy.translate.responses.kept import wanted
from claude_max.proxy.translate.responses.request import to_turn

scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "c1", "look", "auto", "claude-max:1:"])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "name", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)
parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["input_text", "output_text", "refusal", "input_image", "input_file", "x"])},
    optional=dict.fromkeys(("text", "refusal", "image_url", "file_data", "file_url", "file_id", "filename"), scalars),
)
contents = st.text(max_size=3) | st.lists(parts, max_size=2) | anything
TYPES = [
    "message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
    "item_reference", "web_search_call", "compaction", "compaction_trigger", "additional_tools", "tool_search_call",
    "tool_search_output", "mcp_call",
]  # fmt: skip
items = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={
        "id": st.sampled_from(["a", "b", "", None]), "role": st.sampled_from(["user", "assistant", "developer", "x"]),
        "content": contents, "call_id": st.sampled_from(["c1", "c2", None]), "name": scalars, "namespace": scalars,
        "arguments": scalars | anything, "input": scalars, "output": contents, "summary": contents,
        "encrypted_content": scalars, "tools": anything,
    },
)  # fmt: skip
tools = st.fixed_dictionaries(
    {"type": st.sampled_from(["function", "custom", "namespace", "web_search", "tool_search", "mcp", "x"])},
    optional={
        "name": scalars, "description": scalars, "parameters": anything, "format": anything, "strict": scalars,
        "tools": anything, "filters": anything, "user_location": anything, "execution": scalars,
    },
)  # fmt: skip
bodies = st.fixed_dictionaries(
    {"model": st.just("sonnet"), "input": st.text(max_size=3) | st.lists(items, max_size=5)},
    optional={
        "tools": st.lists(tools, max_size=3), "tool_choice": anything, "text": anything, "reasoning": anything,
        "include": anything, "metadata": anything, "instructions": scalars, "previous_response_id": scalars,
    },
)  # fmt: skip


@pytest.mark.timeout(90)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=300)
@given(bodies, st.booleans())
def test_any_nonsense_is_an_answer_or_an_error(body: dict[str, Any], searches: bool) -> None:
    wanted(body)
    named: str | None = ""
    try:
        asked = to_turn(body, RequestContext(web_search=searches))
    except (BadRequest, NotFound) as error:
        named = error.param
    else:
        answered(asked, whole="tools" not in body and "tool_choice" not in body)
    assert named is not None


def answered(asked: ParsedRequest, *, whole: bool) -> None:
    """Answers it; a `whole` response is to be OpenAI's in every part, which a request may spoil."""
    (turn,) = asked.turns
    assert [message.role for message in turn.messages[::2]] == ["user"] * ((len(turn.messages) + 1) // 2)
    reply = asked.reply(response_meta())
    names = [tool.name for tool in turn.tools if hasattr(tool, "name")]
    calls = [ToolCallStarted(at, f"t{at}", name) for at, name in enumerate(names)]
    events: list[Event] = [Started("m"), TextDelta("x"), BlockCompleted(), *calls, Finished("end_turn", Usage())]
    for event in events:
        reply.feed(0, event)
    made = orjson.loads(orjson.dumps(reply.whole()))
    assert made["output"]
    assert isinstance(reply, Recorded)
    if whole:
        check_response(made)
