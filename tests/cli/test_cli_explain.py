"""`claude-max explain` shows, byte for byte, what a proxy sends for the same request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from harness.command import claude_max
from harness.proxy import RunningProxy, running_proxy, scripted

from claude_max.cli.explain.owners import Owner
from claude_max.cli.values import APIS
from claude_max.proxy.app import DIALECTS

LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}}
SAID = [{"role": "user", "content": 'Hällo \u2028 "x" \\ \U0001f600'}]
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (
        "/v1/chat/completions",
        {
            "model": "sonnet",
            "messages": [{"role": "system", "content": "Be brief."}, *SAID],
            "tools": [LOOK],
            "max_tokens": 50,
            "temperature": 0.3,
        },
    ),
    "plain": ("/v1/chat/completions", {"model": "sonnet", "messages": SAID, "reasoning_effort": "low"}),
    "messages": (
        "/v1/messages",
        {
            "model": "sonnet",
            "max_tokens": 3000,
            "system": [{"type": "text", "text": "You see.", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                *SAID,
                {"role": "assistant", "content": [CALL]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}]},
            ],
            "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}],
        },
    ),
    "responses": ("/v1/responses", {"model": "sonnet", "input": "What is it?", "instructions": "Say.", "stream": True}),
    "completions": ("/v1/completions", {"model": "sonnet", "prompt": "Once", "max_tokens": 9}),
}  # fmt: skip


# What is in the client's parts, and in no other.
CLIENTS = {
    "chat": ("Hällo", "Be brief.", '"look"', '"temperature":0.3', '"max_tokens":50'),
    "plain": ("Hällo", '"messages":', '"effort":"low"'),
    "messages": ("You see.", "seen", "toolu_1", '"max_tokens":3000'),
    "responses": ("What is it?", "Say."),
    "completions": ("Once", '"max_tokens":9'),
}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """One that no other test uses: what a model refused is left out from then on."""
    with scripted() as api, running_proxy(tmp_path_factory.mktemp("home"), api=api) as running:
        yield running


def anonymous(body: dict[str, Any]) -> bytes:
    """The body as bytes, without the ids that the CLI makes for each machine and process."""
    return orjson.dumps({**body, "metadata": dict.fromkeys(body["metadata"], "id")})


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_what_a_proxy_sends(proxy: RunningProxy, tmp_path: Path, home: Path, name: str) -> None:
    path, request = REQUESTS[name]
    assert proxy.api is not None
    before = proxy.api.api.arrived
    answer = proxy.http.post(path, json=request)
    assert answer.status_code == 200, answer.text
    sent = next(each.body for each in proxy.api.api.messages() if each.number == before + 1)
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request))
    ended = claude_max(home, "explain", str(file), "--json")
    assert ended.code == 0, ended.err
    found = ended.json
    assert orjson.dumps(orjson.loads(found["body"])) == found["body"].encode(), "as the CLI writes JSON, so orjson does"
    assert anonymous(orjson.loads(found["body"])) == anonymous(sent)
    assert "".join(part["text"] for part in found["parts"]) == found["body"]
    assert sum(found["bytes"].values()) == len(found["body"].encode())
    assert {part["owner"] for part in found["parts"]} <= set(get_args(Owner))
    said = "".join(part["text"] for part in found["parts"] if part["owner"] == "yours")
    theirs = "".join(part["text"] for part in found["parts"] if part["owner"] == "cli")
    assert "x-anthropic-billing-header" in theirs
    assert "user_id" in theirs
    for word in CLIENTS[name]:
        assert word in said
        assert word not in theirs


def test_for_people_and_from_stdin(home: Path) -> None:
    body = json.dumps({"model": "sonnet", "messages": SAID}).encode()
    done = claude_max(home, "explain", "-", stdin=body)
    shown = done.out
    assert done.code == 0, done.err
    assert "chat_completions, exact" in shown
    assert "added by Claude Code" in shown
    assert "\nyours " in shown
    assert "\nours  " in shown
    # Nothing of it is accounted.
    assert not (home / ".local/state/claude-max/ledger.db").exists()


@pytest.mark.parametrize(
    ("text", "arguments", "code", "why"),
    [
        ("no json", (), 1, "JSON"),
        ('{"model": "sonnet", "messages": [{"role": "nobody", "content": "x"}]}', (), 1, "messages"),
        ('{"model": "sonnet", "messages": []}', ("--api", "telegram"), 2, "--api telegram"),
        (None, (), 2, "cannot be read"),
    ],
)
def test_what_cannot_be_explained(
    home: Path, tmp_path: Path, text: str | None, arguments: tuple[str, ...], code: int, why: str
) -> None:
    file = tmp_path / "request.json"
    if text is not None:
        file.write_text(text)
    ended = claude_max(home, "explain", str(file), *arguments)
    assert ended.code == code
    assert why in ended.err


def test_the_apis_that_a_shell_offers() -> None:
    assert tuple(dialect.name for dialect in DIALECTS) == APIS
