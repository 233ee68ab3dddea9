"""`claude-max doctor` as it is installed: its words, its JSON, its exit codes."""

import socket
from pathlib import Path

from harness.command import claude_max, stand_in
from harness.machine import free_port
from harness.proxy import RunningProxy, running_proxy, scripted

NAMES = [
    *("python", "cli", "shadows", "managed", "login", "start", "environment", "network", "config", "aliases", "port"),
    *("contract", "folders", "memory", "clients"),
]


def test_all_checks_in_order(home: Path) -> None:
    ended = claude_max(
        home,
        "doctor",
        "--json",
        environ={"CLAUDE_MAX_PORT": str(free_port()), "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
    )
    assert ended.code == 0, ended.out
    assert ended.json["ok"] is True
    assert [row["name"] for row in ended.json["findings"] if not row["name"].startswith("service")] == NAMES
    assert ended.err == ""


def test_signed_out_has_its_own_code(home: Path) -> None:
    ended = claude_max(home, "doctor", "--check", "login", environ={"CLAUDE_CODE_OAUTH_TOKEN": None})
    assert ended.code == 4
    assert "not signed in" in ended.out
    assert "claude-max login" in ended.out
    assert ended.err == ""


def test_an_old_cli_has_its_own_code(home: Path) -> None:
    old = stand_in(home / "bin", "2.1.100 (Claude Code)")
    ended = claude_max(home, "doctor", "--json", "--check", "cli", environ={"CLAUDE_MAX_CLAUDE_PATH": str(old)})
    assert ended.code == 3
    assert "2.1.100" in ended.json["findings"][0]["summary"]
    assert ended.json["findings"][0]["fix"] == [f"{old} update", "unset CLAUDE_MAX_CLAUDE_PATH"]


def test_a_taken_port_fails(home: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        # Nobody accepts: it takes the bounded wait for an answer to see that it is not ours.
        ended = claude_max(home, "doctor", "--json", "--check", "port", environ={"CLAUDE_MAX_PORT": str(port)})
    assert ended.code == 5
    assert f"Port {port} is in use by" in ended.json["findings"][0]["summary"]


def test_live_tells_what_the_proxy_says(home: Path) -> None:
    """Here nobody is signed in behind it."""
    with running_proxy(home, environ={"CLAUDE_CODE_OAUTH_TOKEN": ""}, ready=False) as signed_out:
        port = signed_out.url.rpartition(":")[2]
        environ = {"CLAUDE_CODE_OAUTH_TOKEN": None, "CLAUDE_MAX_PORT": port}
        ended = claude_max(home, "doctor", "--check", "port", "--live", "--json", environ=environ)
    port_finding, live = ended.json["findings"]
    assert (port_finding["status"], port_finding["fix"][0]) == ("warning", "claude-max login")
    assert live["summary"] == "The request ended with status 401"
    assert "claude auth login" in live["detail"]


def test_live_goes_through_the_running_proxy(home: Path, proxy: RunningProxy) -> None:
    port = proxy.url.rsplit(":", 1)[1]
    ended = claude_max(home, "doctor", "--check", "port", "--live", "--json", environ={"CLAUDE_MAX_PORT": port})
    assert ended.code == 0, ended.out
    healthy, live = ended.json["findings"]
    assert "is healthy" in healthy["summary"]
    assert live["summary"].startswith("claude-haiku-")
    assert proxy.bodies("Answer with the one word: ok")


def test_a_broken_configuration_is_a_finding_and_not_the_end(home: Path) -> None:
    file = home / "config.toml"
    file.write_text("port = true\nnothing = 1")
    ended = claude_max(home, "doctor", "--json", "--check", "config", "--check", "memory",
                       environ={"CLAUDE_MAX_CONFIG": str(file)})  # fmt: skip
    assert ended.code == 2
    assert [row["status"] for row in ended.json["findings"]] == ["failed", "ok"]


def test_what_serve_refuses_is_not_fine(home: Path) -> None:
    environ = {"CLAUDE_MAX_HOST": "0.0.0.0"}
    found = claude_max(home, "doctor", "--json", "--check", "config", environ=environ)
    refused = claude_max(home, "serve", environ=environ)
    assert (found.code, refused.code) == (2, 2)
    assert found.json["findings"][0]["summary"] in refused.err


def test_a_mistake_in_a_variable_is_mended_there(home: Path) -> None:
    ended = claude_max(home, "doctor", "--json", "--check", "config", environ={"CLAUDE_MAX_PORT": "abc"})
    assert ended.json["findings"][0]["fix"] == ["unset CLAUDE_MAX_PORT"]


def test_checks_are_listed_and_chosen(home: Path) -> None:
    listed = claude_max(home, "doctor", "--list-checks", "--json").json["checks"]
    names = [check["name"] for check in listed]
    assert [name for name in names if not name.startswith("service")] == [*NAMES, "live"]
    assert all(check["about"].endswith(".") for check in listed)
    twice = claude_max(home, "doctor", "--json", *["--check", "memory"] * 2).json["findings"]
    assert [finding["name"] for finding in twice] == ["memory"]
    ended = claude_max(home, "doctor", "--check", "nothing")
    assert (ended.code, ended.out) == (2, "")
    assert "service-environment" in ended.err


def test_a_report_for_an_issue(home: Path) -> None:
    environ = {"CLAUDE_MAX_API_KEY": "sesame-word", "CLAUDE_MAX_TIMEOUT": "7"}
    ended = claude_max(home, "doctor", "--report", "--check", "python", "--check", "folders", environ=environ)
    assert ended.code == 0
    assert ended.out.startswith("### claude-max doctor report\n\n- claude-max ")
    assert "timeout = 7.0, api_key (set)" in ended.out
    assert "| folders | ok |" in ended.out
    assert "sesame-word" not in ended.out
    assert str(home) not in ended.out


def test_a_narrow_terminal_and_an_old_one(home: Path) -> None:
    environ = {"COLUMNS": "20", "PYTHONIOENCODING": "ascii", "CLAUDE_CODE_OAUTH_TOKEN": None}
    ended = claude_max(home, "doctor", "--check", "python", "--check", "login", environ=environ)
    assert ended.code == 4
    # Commands are never broken: they are there to be copied.
    assert any(line.strip().endswith("claude-max login") for line in ended.out.splitlines())


def test_scripted_is_told(home: Path) -> None:
    with scripted() as api:
        ended = claude_max(home, "doctor", "--check", "environment", environ={"ANTHROPIC_BASE_URL": api.url})
    assert ended.code == 0
    assert api.url in ended.out
    assert "unset ANTHROPIC_BASE_URL" in ended.out
