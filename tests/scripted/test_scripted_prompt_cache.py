"""The prompt cache by the documented rule: marks, positions looked at, the smallest prompt, time, its keys."""

from typing import Any

import pytest

from claude_max.proxy.scripted import CacheUse, PromptCache
from claude_max.proxy.scripted.prompt_cache import POSITIONS

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
LONG = "word " * 100


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def body(*content: dict[str, Any], system: Any = (), **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": list(content)}]
    return {"model": "claude-sonnet-5-5", "system": list(system), "messages": messages, **more}


def cache(minimum: int | None = 0, clock: Clock | None = None, **more: Any) -> PromptCache:
    return PromptCache(clock or Clock(), minimum, **more)


def test_what_is_not_marked_is_not_cached() -> None:
    shared = cache()
    assert shared.use(body(text(LONG))).written == 0
    again = shared.use(body(text(LONG)))
    assert (again.read, again.written, again.repeated) == (0, 0, again.total)


def test_what_is_marked_is_written_once_and_read_then() -> None:
    shared = cache()
    first = shared.use(body(text(LONG, **MARK), text("one")))
    assert (first.read, first.repeated, first.marks, first.blocks) == (0, 0, 1, 2)
    assert 0 < first.written_5m < first.total
    second = shared.use(body(text(LONG, **MARK), text("two")))
    assert (second.read, second.written, second.repeated) == (first.written_5m, 0, first.written_5m)


def test_a_growing_conversation_reads_all_that_was_there() -> None:
    shared = cache()
    messages: list[dict[str, Any]] = [{"role": "user", "content": [text(LONG, **MARK)]}]
    asked = {"model": "claude-sonnet-5-5", "messages": messages}
    before = shared.use(asked)
    for number in range(5):
        messages[-1]["content"][-1].pop("cache_control")
        messages += [
            {"role": "assistant", "content": f"answer {number}"},
            {"role": "user", "content": [text(f"question {number}", **MARK)]},
        ]
        use = shared.use(asked)
        assert use.read == before.total == use.repeated
        before = use


def test_a_mark_finds_what_is_at_most_twenty_positions_back() -> None:
    for added, found in ((POSITIONS - 1, True), (POSITIONS, False)):
        shared = cache()
        shared.use(body(text(LONG, **MARK)))
        behind = [text(str(number)) for number in range(added - 1)]
        use = shared.use(body(text(LONG), *behind, text("end", **MARK)))
        assert (use.read > 0) is found
        assert use.repeated > 0, "what could have been read is told all the same"


def test_the_smallest_prompt() -> None:
    for model, minimum, written in (
        ("claude-sonnet-5-5", None, False),
        ("haiku", 0, True),
        ("claude-opus-5", None, True),
    ):
        asked = body(text("word " * 600, **MARK)) | {"model": model}
        assert (cache(minimum).use(asked).written > 0) is written


def test_an_entry_ends_and_is_renewed_by_reading() -> None:
    clock = Clock()
    shared = cache(clock=clock)
    for mark, seconds in ((MARK, 300), (HOUR, 3600)):
        asked = body(text(f"{seconds} {LONG}", **mark))
        assert shared.use(asked).read == 0
        for _ in range(3):
            clock.now += seconds - 1
            assert shared.use(asked).read > 0
        clock.now += seconds + 1
        assert shared.use(asked).read == 0


def test_hours_and_minutes_are_told_apart() -> None:
    use = cache().use(body(text(LONG, **MARK), text("end"), system=[text(LONG, **HOUR)]))
    assert 0 < use.written_1h < use.written
    assert use.written_1h + use.written_5m == use.written < use.total


@pytest.mark.parametrize(
    ("change", "system", "messages"),
    [
        ({"model": "claude-opus-5-5"}, False, False),
        ({"tools": [{"name": "f", "input_schema": {"type": "object"}}]}, False, False),
        ({"thinking": {"type": "disabled"}}, True, False),
        ({"output_config": {"effort": "low"}}, True, False),
        ({"output_config": {"effort": "high"}}, True, True),
        ({"tool_choice": {"type": "any"}}, True, False),
        ({"max_tokens": 5, "temperature": 1, "metadata": {"user_id": "x"}}, True, True),
    ],
)
def test_what_it_is_keyed_by(change: dict[str, Any], *, system: bool, messages: bool) -> None:
    shared = cache()
    asked = body(text(LONG, **MARK), system=[text(LONG, **MARK)])
    first = shared.use(asked)
    use = shared.use(asked | change)
    assert (use.read > 0, use.read == first.total) == (system, messages)


def test_an_image_anywhere_changes_the_messages() -> None:
    shared = cache()
    shared.use(body(text(LONG, **MARK)))
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}
    assert shared.use(body(text(LONG, **MARK), picture)).read == 0


def test_a_mark_on_the_whole_request_is_one_at_its_last_block() -> None:
    shared = cache()
    shared.use(body(text(LONG), **MARK))
    assert shared.use(body(text(LONG), text("more"), **MARK)).read > 0


def test_the_billing_line_counts_unless_it_is_left_out() -> None:
    def asked(suffix: str) -> dict[str, Any]:
        return body(text("x"), system=[text(f"x-anthropic-billing-header: cc_version=1.{suffix};"), text(LONG, **HOUR)])

    exact, without = cache(), cache(ignore_billing=True)
    for shared in (exact, without):
        shared.use(asked("aaa"))
    assert exact.use(asked("bbb")).read == 0
    assert without.use(asked("bbb")).read > 0


def test_it_can_be_emptied() -> None:
    shared = cache()
    asked = body(text(LONG, **MARK))
    shared.use(asked)
    shared.clear()
    assert shared.use(asked) == CacheUse(
        total=shared.use(asked).total,
        read=0,
        written_5m=shared.use(asked).total,
        written_1h=0,
        repeated=0,
        marks=1,
        blocks=1,
    )
