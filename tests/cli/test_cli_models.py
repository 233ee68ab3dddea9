"""`claude-max models`: what the real CLI lists, and which names clients may use."""

from pathlib import Path

from harness.command import claude_max, stand_in
from harness.proxy import running_proxy, scripted


def test_what_the_cli_lists(home: Path) -> None:
    with scripted() as api:
        environ = {"ANTHROPIC_BASE_URL": api.url, "CLAUDE_MAX_ALIASES": '{"gpt-4o": "sonnet"}'}
        ended = claude_max(home, "models", "--json", environ=environ)
        people = claude_max(home, "models", environ={**environ, "COLUMNS": "20"})
        piped = claude_max(home, "models", environ=environ).out.splitlines()
    assert ended.code == 0, ended.err
    rows = {row["id"]: row for row in ended.json["models"]}
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
    ids = ended.json["ids"]
    assert ids["gpt-4o"] == ids["sonnet"] == ids["claude-sonnet-4"] == sonnet["resolves_to"]
    assert ids[sonnet["resolves_to"]] == sonnet["resolves_to"]
    assert api.api.bodies() == []
    assert people.code == 0
    for row in rows.values():
        if row["id"] != "default":
            assert any(line.endswith(row["description"]) and row["resolves_to"] in line for line in piped), row
    words = [word.strip(",") for line in piped[:-1] for word in line.split()]
    assert [name for name in ids if words.count(name) != 1] == []
    assert "gpt-4o" in people.out


def test_a_running_proxy_is_asked_first(home: Path) -> None:
    """Here a demo beside a terminal where nobody is signed in: the same list as the CLI behind it gives."""
    with scripted() as api:
        signed_in = claude_max(home, "models", "--json", environ={"ANTHROPIC_BASE_URL": api.url})
    with running_proxy(home, "--demo", api=None) as demo:
        environ = {"CLAUDE_CODE_OAUTH_TOKEN": None, "CLAUDE_MAX_PORT": demo.url.rpartition(":")[2]}
        models = claude_max(home, "models", "--json", environ=environ)
        usage = claude_max(home, "usage", environ=environ)
    assert models.code == 0, models.err
    assert models.json["ids"] == signed_in.json["ids"]
    rows, wanted = ({row["id"]: row for row in each.json["models"]} for each in (models, signed_in))
    assert rows == wanted
    assert usage.code == 4
    assert "is a demo and uses no plan." in usage.err


def test_signed_out(home: Path) -> None:
    with scripted() as api:
        environ = {"ANTHROPIC_BASE_URL": api.url, "CLAUDE_CODE_OAUTH_TOKEN": None}
        ended = claude_max(home, "models", "--json", environ=environ)
    assert ended.code == 4
    assert ended.json["error"]["exit_code"] == 4
    assert "claude auth login" in ended.json["error"]["message"]
    assert "claude auth login" in ended.err


def test_no_cli(home: Path) -> None:
    ended = claude_max(home, "models", environ={"CLAUDE_MAX_CLAUDE_PATH": str(home / "none")})
    assert (ended.code, ended.out) == (3, "")
    assert str(home / "none") in ended.err


def test_a_program_that_is_no_claude(home: Path) -> None:
    program = stand_in(home / "bin")
    ended = claude_max(home, "models", environ={"CLAUDE_MAX_CLAUDE_PATH": str(program)})
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
