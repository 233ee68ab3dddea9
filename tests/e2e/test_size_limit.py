"""Bodies over the size that a platform's environment carries (macOS, Windows), which go line by line."""

import base64
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from harness.asking import PIXEL, TOOL, ask, directive, fine
from harness.filtered_cli import vouched
from harness.proxy import OwnProxy, RunningProxy, running_proxy, scripted
from harness.small_limit import LIMIT, SMALL_LIMIT
from harness.upstream import seen, user, without_notes

from claude_max.proxy.engine.planning.by_lines import NOTE
from claude_max.proxy.engine.probe.locate import locate


@pytest.fixture(scope="module")
def limited(own_proxy: OwnProxy) -> RunningProxy:
    return own_proxy("--workers", "2", through=SMALL_LIMIT)


def texts(body: dict[str, Any]) -> Any:
    return seen(without_notes(body))["messages"]


@pytest.mark.parametrize("size", [LIMIT // 2, LIMIT * 2, LIMIT * 100])
@pytest.mark.parametrize("text", ["x", '\\" \n', "漢字"])
def test_every_byte_arrives_and_the_way_is_told(limited: RunningProxy, marker: str, size: int, text: str) -> None:
    """The size is that of the JSON in UTF-8, not of the characters."""
    said = f"{marker} {text * (size // len(text))}."
    answer = ask(limited, said)
    assert answer.status_code == 200, answer.text
    (body,) = limited.bodies(marker)
    assert texts(body) == [user(said)]
    is_over = size > LIMIT or (text == "漢字") or (text.startswith("\\") and size * 3 // 2 > LIMIT)
    assert (NOTE in answer.headers.get("x-claude-max-repaired", "")) is is_over


def test_both_ways_in_turn_on_the_same_workers(limited: RunningProxy) -> None:
    """Nothing of one is in the other, with tools and system prompts between."""

    def one(number: int) -> tuple[bool, str, dict[str, Any]]:
        word = f"word{uuid4().hex}"
        is_large = number % 3 == 0
        messages: list[Any] = [{"role": "system", "content": f"of {word}"}] if number % 2 else []
        messages += [
            {"role": "user", "content": f"{word} first"},
            {"role": "assistant", "content": f"{word} second"},
            {"role": "user", "content": f"{word} {'l' * LIMIT * is_large}\n{directive(text=word)}"},
        ]
        tools = {"tools": [TOOL]} if number % 5 == 0 else {}
        body = {"model": "sonnet", "messages": messages, **tools}
        answer = limited.http.post("/v1/chat/completions", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["message"]["content"] == word
        return is_large, word, body

    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(one, range(30)))
    for is_large, word, sent in asked:
        (body,) = limited.bodies(word)
        found = seen(without_notes(body))
        said = [message for message in sent["messages"] if message["role"] != "system"]
        assert [message["content"][0]["text"] for message in found["messages"]] == [each["content"] for each in said]
        assert found["system"] == (f"of {word}" if sent["messages"][0]["role"] == "system" else "")
        assert [each["name"] for each in found["tools"]] == ["look"] * ("tools" in sent)
        assert (without_notes(body) == body) is not is_large, "the way it went"
    assert "replaced" not in "".join(limited.log)


def test_what_the_lines_would_lose_is_refused_by_name(limited: RunningProxy, marker: str) -> None:
    look: Any = {"name": "look", "parameters": {"type": "object", "properties": {"$filter": {"type": "string"}}}}
    answer = ask(limited, f"{marker} {'x' * LIMIT}", tools=[{"type": "function", "function": look}])
    assert answer.status_code == 400
    assert "'$filter'" in answer.json()["error"]["message"]
    assert limited.bodies(marker) == []
    assert fine(limited)


def test_an_image_over_the_limit(limited: RunningProxy, marker: str) -> None:
    """As every screenshot is on Windows."""
    # Behind its end an image may have anything.
    large = base64.b64encode(base64.b64decode(PIXEL) + b"\0" * LIMIT).decode()
    content = [
        {"type": "text", "text": marker},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{large}"}},
    ]
    body = {"model": "sonnet", "messages": [{"role": "user", "content": content}]}
    assert limited.http.post("/v1/chat/completions", json=body).status_code == 200
    (sent,) = limited.bodies(marker)
    assert [block["type"] for block in texts(sent)[0]["content"]] == ["text", "image"]


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit sets how much a program may be given")
def test_a_cli_that_can_start_no_program(tmp_path: Path, home: Path, marker: str) -> None:
    """As on macOS with a large body: what a program is given ends at 1 MB there, the body in its environment included.

    Each program that the CLI might look for refuses, and notes that it was started.
    """
    refusing, started = tmp_path / "refusing", tmp_path / "started"
    refusing.mkdir()
    for name in ("git", "security", "sh", "bash", "zsh", "uname", "which", "ps", "node", "rg"):
        (refusing / name).write_text(f'#!/bin/sh\necho {name} >>"{started}"\nexit 126\n')
        (refusing / name).chmod(0o755)
    program = tmp_path / "claude"
    # A quarter of the stack is what arguments and environment may have.
    limited = f'"{shutil.which("prlimit")}" --stack={4 << 20}'
    program.write_text(f'#!/bin/sh\nPATH="{refusing}" exec {limited} "{locate(None, {}).path}" "$@"\n')
    program.chmod(0o755)
    environ = vouched(program)
    with (
        scripted() as api,
        running_proxy(home, "--claude-path", str(program), api=api, environ=environ, through=SMALL_LIMIT) as proxy,
    ):
        for size in (10, LIMIT // 2, LIMIT * 2, 2_000_000):
            said = f"{marker} {size} {'x' * size}."
            assert ask(proxy, said).status_code == 200
            assert texts(proxy.bodies(f"{marker} {size} ")[-1]) == [user(said)]
    assert not started.exists(), started.read_text()


@pytest.fixture
def exact_only(home: Path) -> Iterator[RunningProxy]:
    environ = {"CLAUDE_MAX_COMPOSITION": "exact"}
    with scripted() as api, running_proxy(home, api=api, environ=environ, through=SMALL_LIMIT) as running:
        yield running


def test_where_nothing_may_be_altered_it_is_refused(exact_only: RunningProxy, marker: str) -> None:
    answer = ask(exact_only, f"{marker} {'x' * LIMIT}")
    assert answer.status_code == 400
    assert f"{LIMIT:,}" in answer.json()["error"]["message"]
    assert exact_only.bodies(marker) == []
    assert fine(exact_only)
