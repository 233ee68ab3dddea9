"""`claude-max login` is `claude auth login`, by the program that the proxy runs."""

from pathlib import Path

import pexpect
import psutil
import pytest
from harness.command import claude_max
from harness.forked import installed
from harness.proxy import home_environment


def recording(home: Path, code: int) -> Path:
    """A `claude` that notes what it was asked, and ends with this code."""
    program = home / "claude"
    program.write_text(
        f"""#!/bin/sh
        case $1 in --version) echo '2.1.330 (Claude Code)'; exit;; esac
        echo "$@" >> '{home}/asked'
        exit {code}
        """
    )
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 4)])
def test_the_program_in_use_is_asked(home: Path, code: int, ended: int) -> None:
    environ = {"CLAUDE_MAX_CLAUDE_PATH": str(recording(home, code))}
    for arguments in ((), ("--token",)):
        assert claude_max(home, "login", *arguments, environ=environ).code == ended
    assert (home / "asked").read_text().splitlines() == ["auth login", "setup-token"]


def test_without_a_program(home: Path) -> None:
    ended = claude_max(home, "login", environ={"CLAUDE_MAX_CLAUDE_PATH": "/nowhere/claude"})
    assert (ended.code, ended.out) == (3, "")
    assert "/nowhere/claude" in ended.err


def test_the_real_program_asks_at_the_terminal_and_can_be_left(home: Path) -> None:
    environ = {name: value for name, value in home_environment(home).items() if name != "CLAUDE_CODE_OAUTH_TOKEN"}
    # So that no browser opens where there is one.
    terminal = pexpect.spawn(installed(), ["login"], env={**environ, "BROWSER": "true"}, encoding="utf-8", timeout=30)
    terminal.expect_exact("visit:")
    terminal.expect(r"https://\S+/oauth/authorize")
    started = psutil.Process(terminal.pid).children(recursive=True)
    assert started
    terminal.sendcontrol("c")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 4
    assert psutil.wait_procs(started, 5)[1] == []
    assert not list(home.rglob(".credentials.json"))
