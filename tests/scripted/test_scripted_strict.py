"""The rules that may be left out: each refuses what the service refuses, and takes what stands beside it."""

import base64
from typing import Any

import pytest
from scripted.test_scripted_image_size import gif, jpeg, png

from claude_max.proxy.scripted import ALL, Failure, refusal
from claude_max.proxy.scripted.rules_media import BYTES

HELLO = {"role": "user", "content": "hello"}
NOTE = {"role": "system", "content": "a note"}
EMPTY_NOTE = {"role": "system", "content": [], "output_config": {"effort": "medium"}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
REDACTED = {"type": "redacted_thinking", "data": "x"}
SAID = {"type": "text", "text": "a"}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "r"}]}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
ON: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
OFF: dict[str, Any] = {"thinking": {"type": "disabled"}}
ADAPTIVE: dict[str, Any] = {"thinking": {"type": "adaptive"}}
CLEAR: dict[str, Any] = {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}}


def body(model: str = "claude-sonnet-5-5", *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 2000, "messages": list(messages or (HELLO,)), **more}


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def image(data: bytes, media: str = "image/png") -> dict[str, Any]:
    source = {"type": "base64", "media_type": media, "data": base64.b64encode(data).decode()}
    return {"type": "image", "source": source}


def images(*found: dict[str, Any], model: str = "claude-haiku-4-5") -> dict[str, Any]:
    return body(model, {"role": "user", "content": list(found)})


TOO_LARGE = "At least one of the image dimensions exceed max allowed size"
SMALL = image(png(1, 1))
IN_RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": [image(png(2001, 1))]}

# The name of the rule, the body, and how the refusal begins; "" where there is none.
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("max_tokens", body(max_tokens=128_000), ""),
    (
        "max_tokens",
        body("claude-haiku-4-5-20251001", max_tokens=64_001),
        "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5-20251001",
    ),
    ("max_tokens", body("haiku", max_tokens=10**6), ""),
    ("notes", body("claude-sonnet-5-5", HELLO, EMPTY_NOTE, assistant(SAID), HELLO, NOTE), ""),
    ("notes", body("claude-sonnet-5-5", HELLO, assistant(SAID), NOTE), "messages.2: `system` messages must follow"),
    ("notes", body("claude-sonnet-5-5", HELLO, NOTE, HELLO), "messages.1: `system` messages must follow"),
    ("sampling", body(temperature=1), ""),
    ("sampling", body(temperature=0.5), "`temperature` is deprecated for this model."),
    ("sampling", body(top_p=0.5), "`top_p` is deprecated for this model."),
    ("sampling", body(temperature=1, top_p=1), "`temperature` and `top_p` cannot both be specified for this model."),
    ("sampling", body("claude-haiku-4-5", temperature=0.5), ""),
    ("sampling", body("claude-opus-4-1", temperature=0.5, top_p=0.5), "`temperature` and `top_p` cannot both be"),
    ("sampling", body("claude-opus-4-0", temperature=0.5, top_p=0.5), ""),
    ("thinking_type", body(**ADAPTIVE), ""),
    ("thinking_type", body(**OFF), ""),
    ("thinking_type", body(**ON), '"thinking.type.enabled" is not supported for this model.'),
    ("thinking_type", body("claude-haiku-4-5", **ON), ""),
    ("thinking_type", body("claude-haiku-4-5", **ADAPTIVE), "adaptive thinking is not supported on this model"),
    ("thinking_type", body("claude-fable-5-1", **OFF), '"thinking.type.disabled" is not supported for this model.'),
    ("thinking_type", body("claude-opus-5", **OFF, output_config={"effort": "high"}), ""),
    ("thinking_type", body("claude-opus-5", **OFF, output_config={"effort": "max"}), '"thinking.type.disabled" is not'),
    ("forced_choice", body(tools=[TOOL], tool_choice={"type": "any"}, **OFF), ""),
    (
        "forced_choice",
        body("claude-opus-5-5", tools=[TOOL], tool_choice={"type": "any"}),
        'tool_choice: type "tool" and "any" are not supported for this model.',
    ),
    ("clear_thinking", body(**CLEAR), ""),
    ("clear_thinking", body(**CLEAR, **ADAPTIVE), ""),
    ("clear_thinking", body(**CLEAR, **OFF), "`clear_thinking_20251015` strategy requires `thinking` to be enabled"),
    ("clear_thinking", body("claude-haiku-4-5", **CLEAR), "`clear_thinking_20251015` strategy requires `thinking`"),
    (
        "clear_thinking",
        body(context_management={"edits": [{"type": "clear_tool_uses_20250919"}, {"type": "clear_thinking_20251015"}]}),
        "`clear_thinking_20251015` strategy must be listed first",
    ),
    ("final_thinking", body("claude-haiku-4-5", HELLO, assistant(THOUGHT, CALL), RESULT, **ON), ""),
    ("final_thinking", body("claude-haiku-4-5", HELLO, assistant(REDACTED, CALL), RESULT, **ON), ""),
    (
        "final_thinking",
        body("claude-haiku-4-5", HELLO, assistant(CALL), RESULT, **ON),
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking`",
    ),
    (
        "final_thinking",
        body("claude-haiku-4-5", HELLO, assistant(SAID, CALL), RESULT, NOTE, **ON),
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
    ),
    ("final_thinking", body("claude-haiku-4-5", HELLO, assistant(CALL), RESULT, assistant(SAID), HELLO, **ON), ""),
    ("final_thinking", body("claude-sonnet-4-6", HELLO, assistant(CALL), RESULT, **ADAPTIVE), ""),
    (
        "final_thinking",
        body("claude-sonnet-5-5", HELLO, assistant(THOUGHT, CALL), RESULT, **OFF),
        "messages.1.content.0: When thinking is disabled, an `assistant` message in the final position cannot contain",
    ),
    ("final_thinking", body("claude-sonnet-5-5", HELLO, assistant(THOUGHT, CALL), RESULT), ""),
    ("final_thinking", body("claude-sonnet-5-5", HELLO, assistant(THOUGHT), HELLO, **OFF), ""),
    ("prefill", body("claude-haiku-4-5", HELLO, assistant(SAID)), ""),
    (
        "prefill",
        body("claude-sonnet-4-6", HELLO, assistant(SAID)),
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    ),
    ("images", images(SMALL, image(jpeg(8000, 1), "image/jpeg")), ""),
    (
        "images",
        images(image(png(8001, 1))),
        f"messages.0.content.0.image.source.base64.data: {TOO_LARGE}: 8000 pixels",
    ),
    ("images", images(*[SMALL] * 19, image(png(2001, 1))), ""),
    (
        "images",
        body(
            "haiku",
            {"role": "user", "content": [SMALL] * 20},
            assistant(CALL),
            {"role": "user", "content": [IN_RESULT]},
        ),
        f"messages.2.content.0.tool_result.content.0.image.source.base64.data: {TOO_LARGE} for many-image",
    ),
    ("images", images(*[SMALL] * 100), ""),
    ("images", images(*[SMALL] * 101), "too many images and documents: 101 + 0 > 100"),
    ("images", images(*[SMALL] * 100, {"type": "document"}), "too many images and documents: 100 + 1 > 100"),
    ("images", images(*[SMALL] * 600, model="claude-sonnet-5-5"), ""),
    ("images", images(image(png(1, 1) + bytes(BYTES * 3 // 4 - 24))), ""),
    (
        "images",
        images(image(png(1, 1) + bytes(BYTES * 3 // 4))),
        "messages.0.content.0.image.source.base64: image exceeds 5 MB maximum: 5242912 bytes > 5242880 bytes",
    ),
    (
        "images",
        images(image(gif(1, 1))),
        "messages.0.content.0.image.source.base64: The image was specified using the image/png media type",
    ),
    ("images", images(image(b"nothing")), "Could not process image"),
    ("images", images(image(png(1, 1), "image/bmp")), "messages.0.content.0.image.source.base64.media_type: Input"),
    ("images", images({"type": "image", "source": {"type": "url", "url": "https://example.com"}}), ""),
    ("schemas", body(output_config={"effort": "low"}), ""),
]


@pytest.mark.parametrize(("name", "asked", "begins"), CASES)
def test_a_rule_that_may_be_left_out(name: str, asked: dict[str, Any], begins: str) -> None:
    failure = refusal(asked, frozenset({name}))
    assert (failure.message if failure else "").startswith(begins)
    assert (failure is not None) is bool(begins), failure
    assert refusal(asked, frozenset()) is None


def test_every_rule_is_tried_here_or_in_a_file_of_its_own() -> None:
    assert {name for name, _, begins in CASES if begins} | {"schemas", "signatures"} == ALL


def test_a_rule_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="unknown rules: colour"):
        refusal(body(), frozenset({"colour"}))


def marked(tools: str, system: str, *texts: str) -> dict[str, Any]:
    """A body with marks by ttl; "" is no mark."""

    def mark(ttl: str) -> dict[str, Any]:
        return {"cache_control": {"type": "ephemeral", "ttl": ttl}} if ttl else {}

    content = [{"type": "text", "text": "a", **mark(ttl)} for ttl in texts]
    message = {"role": "user", "content": [*content, {"type": "text", "text": "end"}]}
    return body("haiku", message, tools=[TOOL | mark(tools)], system=[{"type": "text", "text": "s", **mark(system)}])


EPHEMERAL = {"cache_control": {"type": "ephemeral"}}
LATE = "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are"
MARKS: list[tuple[dict[str, Any], str]] = [
    (marked("1h", "1h", "5m", "5m"), ""),
    (marked("5m", "1h"), f"system.0.cache_control.ttl: {LATE}"),
    (marked("", "5m", "", "1h"), f"messages.0.content.1.cache_control.ttl: {LATE}"),
    (marked("1h", "1h", "1h", "1h", "1h"), "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    ({**marked("1h", "1h", "1h", "1h"), **EPHEMERAL}, "A maximum of 4 blocks with cache_control may be provided."),
    (marked("2h", ""), "tools.0.cache_control.ttl: Input should be '5m' or '1h'"),
    (
        body("haiku", {"role": "user", "content": [{"type": "text", "text": "", **EPHEMERAL}]}),
        "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
    ),
    (
        body("haiku", HELLO, assistant(THOUGHT | EPHEMERAL), HELLO),
        "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted",
    ),
    (
        body("haiku", {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "x"}}]}),
        "messages.0.content.0.cache_control.type: Input should be 'ephemeral'",
    ),
]


@pytest.mark.parametrize(("asked", "begins"), MARKS)
def test_cache_marks(asked: dict[str, Any], begins: str) -> None:
    failure = refusal(asked, frozenset())
    assert (failure.message if failure else "").startswith(begins)
    assert isinstance(failure, Failure) is bool(begins)


def test_a_mark_in_a_tool_result_counts() -> None:
    inner = [{"type": "text", "text": "a", **EPHEMERAL}] * 5
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": inner}]}
    failure = refusal(body("haiku", HELLO, assistant(CALL), result), frozenset())
    assert failure is not None
    assert failure.message == "A maximum of 4 blocks with cache_control may be provided. Found 5."
