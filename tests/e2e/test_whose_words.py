"""Whose words reach the model in each composition, as SECURITY says, and what happens where the body is ignored."""

import json
from pathlib import Path

from harness.asking import ask
from harness.filtered_cli import filtered, vouched
from harness.proxy import RunningProxy, running_proxy, scripted

EMAIL = "owner@example.invalid"
NOTE = "You have been invoked in the following environment"


def home_with_an_account(home: Path) -> Path:
    """What a login leaves: the account's e-mail address."""
    account = {"accountUuid": "00000000-0000-4000-8000-000000000000", "emailAddress": EMAIL}
    config = home / ".claude"
    config.mkdir()
    (config / ".claude.json").write_text(json.dumps({"oauthAccount": {**account, "organizationUuid": "one"}}))
    return home


def messages_of(home: Path, marker: str, composition: str) -> tuple[str, str]:
    """The messages that reach the service, and what the response says was altered."""
    environ = {"CLAUDE_MAX_COMPOSITION": composition}
    with scripted() as api, running_proxy(home_with_an_account(home), api=api, environ=environ) as proxy:
        answer = ask(proxy, marker)
        assert answer.status_code == 200, answer.text
        (body,) = proxy.bodies(marker) if composition == "exact" else api.api.bodies()[-1:]
        return json.dumps(body["messages"]), answer.headers.get("x-claude-max-repaired", "")


def test_the_exact_composition_adds_no_words(home: Path, marker: str) -> None:
    messages, repaired = messages_of(home, marker, "exact")
    assert marker in messages
    assert EMAIL not in messages
    assert NOTE not in messages
    assert repaired == ""


def test_the_lines_composition_adds_the_notes_of_the_cli(home: Path, marker: str) -> None:
    """The account's e-mail address, and where the CLI runs; the response names it."""
    messages, repaired = messages_of(home, marker, "lines")
    assert marker in messages
    assert EMAIL in messages
    assert NOTE in messages
    assert "Today's date" in messages
    assert "environment note added (with a normal login the account's e-mail address too)" in repaired


def test_an_ignored_body_costs_one_token_and_is_no_answer(tmp_path: Path, home: Path, marker: str) -> None:
    """As where a managed policy takes the variable away after the contract check."""
    program = filtered(tmp_path, rename={"CLAUDE_CODE_EXTRA_BODY": "IGNORED_BY_POLICY"})
    with (
        scripted() as api,
        running_proxy(home, "--claude-path", str(program), api=api, environ=vouched(program)) as proxy,
    ):
        trigger = f"{marker} {'long ' * 2000}"
        answer = ask_for(proxy, [{"role": "user", "content": trigger}, {"role": "assistant", "content": "yes"}])
        assert answer["error"]["code"] == "composition_ignored"
        bodies = proxy.bodies(marker)
        assert bodies, "the trigger reached the model"
        assert {body["max_tokens"] for body in bodies} == {1}
        words = [block["text"] for body in bodies for block in body["messages"][-1]["content"] if marker in str(block)]
        assert all(len(text) <= 4096 for text in words)


def ask_for(proxy: RunningProxy, history: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """The error that ends a conversation of this history."""
    messages = [*history, {"role": "user", "content": "go on"}]
    answer = proxy.http.post("/v1/chat/completions", json={"model": "sonnet", "messages": messages})
    assert answer.status_code == 502, answer.text
    found: dict[str, dict[str, str]] = answer.json()
    return found
