"""`claude-max check`: the CLI in use, one at a path, and the newest release, from a package index on loopback."""

import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from harness.command import claude_max, stand_in
from harness.filtered_cli import filtered
from harness.machine import free_port
from harness.package_index import package_index, wheel

from claude_max.cli import newest
from claude_max.cli.check import Capability, Checked
from claude_max.cli.output import Exit
from claude_max.proxy.engine.probe.contract import CAPABILITIES
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.errors import ServerFault

PACKAGE = "claude_agent_sdk"
BUNDLED = f"{PACKAGE}/_bundled/claude"


def environ_of(url: str) -> dict[str, str | None]:
    """uv with that index, and nothing that is set for this machine. `uv run` names its uv, which may be on no PATH."""
    path = os.pathsep.join([str(Path(os.environ.get("UV", "uv")).parent), os.environ["PATH"]])
    return {"PATH": path, "UV_DEFAULT_INDEX": url, "UV_NO_CONFIG": "1", "UV_CACHE_DIR": None, "UV_FIND_LINKS": None}


def test_the_newest_release_is_checked_and_deleted(tmp_path: Path, home: Path) -> None:
    """The real CLI, behind a script that is in the wheel and changes one kind of request: that of the last check."""
    spoilt = filtered(tmp_path, rename={"mcp_set_servers": "another_request"})
    script = f'#!/bin/sh\nexec {shlex.quote(str(spoilt))} "$@"\n'
    name, packed = wheel(PACKAGE, "9.9.9", "py3-none-any", {BUNDLED: script})
    temporary = home / "temporary"
    temporary.mkdir()
    with package_index({"claude-agent-sdk": {name: packed}}) as index:
        environ = {**environ_of(index.url), "TMPDIR": str(temporary)}
        done = claude_max(home, "check", "--newest", "--json", environ=environ)
    found = done.json
    assert (done.code, found["ok"]) == (1, False), done.out + done.err
    assert (found["version"], found["package"]) == (locate(None, {}).version_text, "9.9.9")
    assert (found["unsafe"], found["schema"]) == (None, 1)
    assert [each["name"] for each in found["capabilities"]] == list(CAPABILITIES)
    holds = {each["name"]: each["holds"] for each in found["capabilities"]}
    assert [name for name, it_does in holds.items() if not it_does] == ["tools"]
    assert all((each["why"] is None) is each["holds"] for each in found["capabilities"])
    assert list(temporary.iterdir()) == []
    assert not (home / ".cache/uv").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("/nowhere/claude",), 3, "There is no Claude Code CLI at /nowhere/claude."),
        (("/",), 3, "There is no Claude Code CLI at /."),
        (("true",), 3, "did not say its version (exit code 0)"),
        (("claude", "--newest"), 2, "Give a PATH or --newest, not both."),
    ],
)
def test_what_cannot_be_checked(home: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = claude_max(home, "check", *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_program_that_does_not_run(home: Path, tmp_path: Path) -> None:
    broken = stand_in(tmp_path)
    broken.write_bytes(b"\x7fELF is not all of it")
    done = claude_max(home, "check", str(broken), "--json")
    assert done.code == done.json["error"]["exit_code"] == 3
    assert "does not run" in done.json["error"]["message"]


OTHER = "py3-none-win_arm64" if sys.platform != "win32" else "py3-none-macosx_11_0_arm64"


@pytest.mark.parametrize(
    ("tag", "programs", "said"),
    [
        (OTHER, {BUNDLED: ""}, "has no wheel for this platform"),
        ("py3-none-any", {f"{PACKAGE}/__init__.py": ""}, "contains no Claude Code CLI"),
        (None, {}, "cannot be downloaded"),
    ],
)
def test_what_the_index_may_lack(home: Path, tag: str | None, programs: dict[str, str], said: str) -> None:
    files = dict([wheel(PACKAGE, "9.9.9", tag, programs)]) if tag else {}
    with package_index({"claude-agent-sdk": files}) as index:
        done = claude_max(home, "check", "--newest", environ=environ_of(index.url))
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_no_network(home: Path) -> None:
    environ = {**environ_of(f"http://127.0.0.1:{free_port()}/simple"), "UV_HTTP_RETRIES": "0"}
    done = claude_max(home, "check", "--newest", environ=environ)
    assert done.code == 1
    assert "claude-agent-sdk cannot be downloaded: the package index cannot be reached." in done.err
    assert "127.0.0.1" in done.err


def test_pip_where_there_is_no_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert newest._installer()[:4] == [sys.executable, "-m", "pip", "install"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ServerFault, match="Downloading needs uv or pip"):
        newest._installer()


def test_what_the_exit_code_says() -> None:
    def result(unsafe: str | None, holds: bool) -> Checked:
        one = Capability("rewind", "about", holds, None if holds else "why")
        return Checked("2.1.999", "/claude", "PATH", None, "2.1.332", unsafe, (one,))

    assert result(None, True).exit is Exit.FINE
    assert "tested with 2.1.332" in str(list(result(None, True).view())[-1])
    assert result(None, False).exit is Exit.FAILED
    assert str(list(result(None, False).view())[-1]) == "It can be used; claude-max runs without rewind"
    assert result("answers: nothing came", False).exit is Exit.NO_CLI
    assert "would refuse it: answers" in str(list(result("answers: nothing came", False).view())[-1])
