"""Whatever JSON is sent to the Messages and ollama APIs is understood or refused: nothing else is ever raised."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_max.proxy.errors import BadRequest, ModelNotFound
from claude_max.proxy.translate import messages, ollama
from claude_max.proxy.translate.common.dialect import Dialect, RequestContext

LEAVES = st.none() | st.booleans() | st.integers(-3, 5000) | st.floats(allow_nan=False) | st.text(max_size=5)
KEYS = st.sampled_from(
    [
        "type",
        "text",
        "role",
        "content",
        "id",
        "name",
        "input",
        "tool_use_id",
        "source",
        "media_type",
        "data",
        "url",
        "cache_control",
        "ttl",
        "signature",
        "thinking",
        "function",
        "arguments",
        "parameters",
        "input_schema",
        "tool_calls",
        "images",
        "is_error",
        "title",
        "budget_tokens",
        "display",
        "format",
        "schema",
    ]
) | st.text(max_size=3)
KINDS = st.sampled_from(
    [
        "text",
        "image",
        "document",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "tool_result",
        "server_tool_use",
        "ephemeral",
        "custom",
        "function",
        "user",
        "assistant",
        "system",
        "tool",
        "base64",
        "object",
        "any",
        "auto",
        "web_search_20250305",
    ]
)
VALUES = st.recursive(
    LEAVES | KINDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)
FIELDS = st.sampled_from(
    [
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "stop_sequences",
        "metadata",
        "thread",
        "prompt",
        "images",
        "options",
        "format",
        "think",
        "temperature",
        "top_p",
        "top_k",
        "stream",
        "max_tokens",
    ]
)
BLOCKS = st.builds(lambda kind, rest: {**rest, "type": kind}, KINDS, st.dictionaries(KEYS, VALUES, max_size=4))
CONTENT = st.text(min_size=1, max_size=5) | st.lists(BLOCKS, min_size=1, max_size=3) | VALUES
SAID = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": CONTENT},
        optional={"tool_calls": VALUES, "images": VALUES},
    ),
    min_size=1,
    max_size=4,
)
BODIES = st.builds(
    lambda said, more: {"model": "sonnet", "max_tokens": 5000, "messages": said, **more},
    SAID,
    st.dictionaries(FIELDS, VALUES, max_size=2),
)
DIALECTS = (messages.DIALECT, *ollama.DIALECTS)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@given(body=BODIES, strict=st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_body(dialect: Dialect, body: Any, strict: bool) -> None:
    try:
        asked = dialect.to_turn(body, RequestContext(strict=strict, web_search=True))
    except (BadRequest, ModelNotFound) as refused:
        told = dialect.errors.body(refused, "req_1")
        assert told.get("error")
    else:
        assert all(turn.messages for turn in asked.turns)
