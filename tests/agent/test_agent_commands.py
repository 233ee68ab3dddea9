"""The commands as they are typed, the machine's own programs stood in for: output, exit codes, what is refused."""

import json
import os
import socket
from pathlib import Path

import pytest
from harness import command
from harness.command import Ended
from harness.forked import installed
from harness.stand_ins import StandIns

ABSENT = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\nMainPID=0\n"


def run(stand_ins: StandIns, *words: str, **environ: str) -> Ended:
    # Else a checkout below /tmp would, rightly, be refused as passing.
    return command.run(words, {**stand_ins.environ, "TMPDIR": str(stand_ins.folder), **environ})


@pytest.fixture
def linux(stand_ins: StandIns) -> StandIns:
    if os.uname().sysname != "Linux":
        pytest.skip("systemctl is only asked on Linux")
    stand_ins.answer({"systemctl --user show": [(0, ABSENT)]})
    return stand_ins


def unit(linux: StandIns) -> Path:
    return linux.home / ".config/systemd/user/claude-max.service"


def test_a_dry_run_shows_the_file_and_the_commands_and_changes_nothing(linux: StandIns) -> None:
    done = run(linux, "install-agent", "--dry-run", "--port", "4001", CLAUDE_CODE_OAUTH_TOKEN="secret-word")
    assert done.code == 0, done.err
    assert f'ExecStart="{installed()}" "serve" "--port" "4001"' in done.out
    assert "$ systemctl --user enable --now claude-max.service" in done.out
    assert "claude-max login" in done.out
    assert "secret-word" not in done.out
    assert not unit(linux).exists()
    assert linux.changes("show") == []


def test_the_folder_of_claude_comes_first_in_its_path(linux: StandIns) -> None:
    claude = linux.home / "my tools/claude"
    claude.parent.mkdir()
    claude.write_text("#!/bin/sh\necho '2.1.330 (Claude Code)'\n")
    claude.chmod(0o755)
    done = run(linux, "install-agent", "--dry-run", "--json", "--claude-path", str(claude))
    content = json.loads(done.out)["content"]
    assert f'"--claude-path" "{claude}"' in content
    assert f'Environment="PATH={claude.parent}:' in content


def test_a_port_in_use_is_told_before_anything_is_changed(linux: StandIns) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(linux, "install-agent", "--port", port, "--json")
    assert done.code == 5
    assert f"listening on port {port}: stop it, or choose another" in json.loads(done.out)["error"]["message"]
    assert linux.changes("show") == []


def test_no_claude_is_told_with_its_own_code(linux: StandIns) -> None:
    done = run(linux, "install-agent", "--claude-path", "/not/there", "--dry-run")
    assert (done.code, done.out) == (3, "")
    assert "There is no Claude Code CLI at /not/there" in done.err


def test_a_wrong_setting_is_a_usage_error(linux: StandIns) -> None:
    done = run(linux, "install-agent", "--dry-run", CLAUDE_MAX_PORT="many")
    assert done.code == 2
    assert "CLAUDE_MAX_PORT" in done.err


@pytest.mark.parametrize("words", [("logs",), ("restart",)])
def test_what_is_not_installed_cannot_be_asked(linux: StandIns, words: tuple[str, ...]) -> None:
    done = run(linux, "service", *words)
    assert done.code == 1
    assert "The service is not installed: `claude-max install-agent`" in done.err


def test_status_of_nothing(linux: StandIns) -> None:
    done = run(linux, "service", "status", CLAUDE_MAX_PORT="1")
    assert done.code == 1
    assert "✗ installed  no" in done.out
    assert "Install it: claude-max install-agent" in done.out


@pytest.fixture
def installed_there(linux: StandIns) -> Path:
    """A unit that would run this program, ended by a signal, and a configuration file that is broken."""
    unit(linux).parent.mkdir(parents=True)
    unit(linux).write_text(f'[Service]\nExecStart="{installed()}" "serve"\n')
    killed = "ExecMainCode=2\nExecMainStatus=15\nExecMainExitTimestampMonotonic=9\n"
    linux.answer({"systemctl --user show": [(0, ABSENT + killed)]})
    config = linux.home / ".config/claude-max/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("port = [")
    return config


def test_a_broken_configuration_is_a_line_of_the_status(linux: StandIns, installed_there: Path) -> None:
    done = run(linux, "service", "status")
    assert (done.code, done.err) == (1, "")
    assert "✗ process    not running, ended by signal SIGTERM\n" in done.out
    assert f"✗ settings   {installed_there} is not valid TOML" in done.out
    assert "answers" not in done.out


def test_with_a_broken_configuration_nothing_is_restarted(linux: StandIns, installed_there: Path) -> None:
    done = run(linux, "service", "restart")
    assert (done.code, done.out) == (2, "")
    assert f"Not restarted, because it would not start: {installed_there} is not valid TOML" in done.err
    assert linux.changes("show", "show-environment") == []


def test_a_broken_configuration_does_not_keep_the_service(linux: StandIns, installed_there: Path) -> None:
    done = run(linux, "uninstall-agent")
    assert (done.code, done.err) == (0, "")
    assert not unit(linux).exists()
    assert installed_there.exists()


def test_uninstalling_names_what_it_leaves(linux: StandIns, installed_there: Path) -> None:
    token = installed_there.with_name("service.env")
    token.write_text("CLAUDE_CODE_OAUTH_TOKEN=secret-word\n")
    drop_ins = unit(linux).with_name("claude-max.service.d")
    drop_ins.mkdir()
    done = run(linux, "uninstall-agent")
    assert f"Left in place: {token} (may contain a token: remove it if nothing else needs it)" in done.out
    assert f"Left in place: {drop_ins} (your own changes to the unit)" in done.out
    assert f"Left in place: {installed_there} (the settings)" in done.out
    assert "secret-word" not in done.out
    assert token.exists()


def test_logs_go_where_they_are_read(linux: StandIns) -> None:
    unit(linux).parent.mkdir(parents=True)
    unit(linux).write_text("[Service]\n")
    linux.answer({"systemctl --user show": [(0, ABSENT)], "journalctl": [(0, "its last line\n")]})
    done = run(linux, "service", "logs", "-n", "3", "--follow")
    assert (done.code, done.out) == (0, "its last line\n")
    assert linux.calls[-1] == "journalctl --user-unit claude-max.service -n 3 --no-pager --follow"


def test_without_a_service_manager_the_way_by_hand_is_told(linux: StandIns) -> None:
    linux.answer({"systemctl": [(1, "Failed to connect to bus: No medium found")]})
    done = run(linux, "install-agent")
    assert (done.code, done.out) == (1, "")
    assert "claude-max serve" in done.err


def test_without_a_service_manager_a_dry_run_shows_the_file_all_the_same(linux: StandIns) -> None:
    linux.answer({"systemctl": [(1, "Failed to connect to bus: No medium found")]})
    done = run(linux, "install-agent", "--dry-run", "--json")
    assert done.code == 0
    assert "Failed to connect to bus: No medium found" in done.err
    shown = json.loads(done.out)
    assert f'ExecStart="{installed()}" "serve"' in shown["content"]
    assert shown["commands"][1:] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now claude-max.service",
    ]
    assert run(linux, "uninstall-agent", "--dry-run").code == 0
