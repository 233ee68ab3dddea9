"""`claude-max models`: what the real CLI lists, and which names clients may use."""

from pathlib import Path
from typing import Any

import pytest
from harness.command import claude_max, stand_in
from harness.proxy import RunningProxy, running_proxy, scripted

# Where no proxy runs that would be asked first, as one may on the usual port.
ALONE = {"CLAUDE_MAX_PORT": "1"}
ALIASES = {"CLAUDE_MAX_ALIASES": '{"gpt-4o": "sonnet"}'}


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What it says in JSON without a proxy, having asked no model."""
    with scripted() as api:
        environ = {**ALONE, **ALIASES, "ANTHROPIC_BASE_URL": api.url}
        ended = claude_max(tmp_path_factory.mktemp("home"), "models", "--json", environ=environ)
    assert ended.code == 0, ended.err
    assert api.api.bodies() == []
    return ended.json


def test_what_the_cli_lists(listed: Any, proxy: RunningProxy, home: Path) -> None:
    """For people, too; a proxy lists the same."""
    environ = {**ALIASES, "CLAUDE_MAX_PORT": proxy.url.rpartition(":")[2]}
    people = claude_max(home, "models", environ={**environ, "COLUMNS": "20"})
    piped = claude_max(home, "models", environ=environ).out.splitlines()
    rows = {row["id"]: row for row in listed["models"]}
    assert {"default", "sonnet", "opus", "haiku"} <= rows.keys()
    sonnet = rows["sonnet"]
    assert sonnet["resolves_to"].startswith("claude-sonnet-")
    assert "high" in sonnet["efforts"]
    assert sonnet["description"]
    assert rows["default"]["default"] is True
    resolved = rows["default"]["resolves_to"]
    assert [row["id"] for row in rows.values() if row["default"]] == [
        row["id"] for row in rows.values() if row["resolves_to"] == resolved
    ]
    ids = listed["ids"]
    assert ids["gpt-4o"] == ids["sonnet"] == ids["claude-sonnet-4"] == sonnet["resolves_to"]
    assert ids[sonnet["resolves_to"]] == sonnet["resolves_to"]
    assert people.code == 0
    for row in rows.values():
        if row["id"] != "default":
            assert any(line.endswith(row["description"]) and row["resolves_to"] in line for line in piped), row
    words = [word.strip(",") for line in piped[:-1] for word in line.split()]
    assert [name for name in ids if words.count(name) != 1] == []
    assert "gpt-4o" in people.out


def test_a_running_proxy_is_asked_first(listed: Any, home: Path) -> None:
    """Here a demo beside a terminal where nobody is signed in: the same list as the CLI behind it gives."""
    with running_proxy(home, "--demo", api=None) as demo:
        port = demo.url.rpartition(":")[2]
        environ = {**ALIASES, "CLAUDE_CODE_OAUTH_TOKEN": None, "CLAUDE_MAX_PORT": port}
        models = claude_max(home, "models", "--json", environ=environ)
        usage = claude_max(home, "usage", environ=environ)
    assert models.code == 0, models.err
    assert models.json["ids"] == listed["ids"]
    rows, wanted = ({row["id"]: row for row in each["models"]} for each in (models.json, listed))
    assert rows == wanted
    assert usage.code == 4
    assert "is a demo and uses no plan." in usage.err


def test_signed_out(home: Path) -> None:
    with scripted() as api:
        environ = {**ALONE, "ANTHROPIC_BASE_URL": api.url, "CLAUDE_CODE_OAUTH_TOKEN": None}
        ended = claude_max(home, "models", "--json", environ=environ)
    assert ended.code == 4
    assert ended.json["error"]["exit_code"] == 4
    assert "claude auth login" in ended.json["error"]["message"]
    assert "claude auth login" in ended.err


def test_no_cli(home: Path) -> None:
    ended = claude_max(home, "models", environ={**ALONE, "CLAUDE_MAX_CLAUDE_PATH": str(home / "none")})
    assert (ended.code, ended.out) == (3, "")
    assert str(home / "none") in ended.err


def test_a_program_that_is_no_claude(home: Path) -> None:
    program = stand_in(home / "bin")
    ended = claude_max(home, "models", environ={**ALONE, "CLAUDE_MAX_CLAUDE_PATH": str(program)})
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
