"""The commands as a person runs them: what they print, what they ask, and with which exit code they end."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.command import claude_max
from harness.forked import installed
from harness.proxy import RunningProxy, home_environment
from harness.terminal import shell

PORT = {"CLAUDE_MAX_PORT": "4321"}


def test_the_list_says_what_is_here_and_set_up(home: Path) -> None:
    (home / ".codex").mkdir()
    clients = {each["name"]: each for each in claude_max(home, "connect", "--json").json["clients"]}
    assert (clients["codex"]["found"], clients["codex"]["set_up"]) == (True, False)
    assert clients["codex"]["files"] == [str(home / ".codex" / "config.toml")]
    assert clients["n8n"]["files"] == []
    assert claude_max(home, "connect", "codex", "--yes").code == 0
    shown = claude_max(home, "connect").out
    assert next(line for line in shown.splitlines() if line.startswith("codex ")).split()[1:3] == ["found", "yes"]
    # For another port it is not.
    moved = claude_max(home, "connect", "--json", environ=PORT).json["clients"]
    assert [each["set_up"] for each in moved if each["name"] == "codex"] == [False]


def test_the_list_fits_40_columns(home: Path) -> None:
    """Every name stands whole at the beginning of a line, with its file below it."""
    (home / ".codex").mkdir()
    shown = claude_max(home, "connect", environ={"COLUMNS": "40"}).out.splitlines()
    names = [each["name"] for each in claude_max(home, "connect", "--json").json["clients"]]
    assert [line for line in shown if line.partition(":")[0] in names] == ["codex: found", *names[1:]]
    assert max(len(line) for line in shown if not line.startswith("`")) <= 40


def test_programs_of_the_tests_are_not_a_persons_clients(home: Path, tmp_path: Path) -> None:
    """`uv run` puts those of the development environment on PATH."""
    beside = Path(installed()).parent
    assert (beside / "llm").exists()
    theirs = tmp_path / "aider"
    theirs.touch(mode=0o755)
    environ = {"PATH": os.pathsep.join([str(beside), str(tmp_path)])}
    clients = claude_max(home, "connect", "--json", environ=environ).json["clients"]
    assert [each["name"] for each in clients if each["found"]] == ["aider"]


def test_nothing_is_written_unasked(home: Path) -> None:
    ended = claude_max(home, "connect", "codex")
    assert (ended.code, ended.out) == (2, "")
    assert "Add --yes, or --dry-run to preview" in ended.err
    looked = claude_max(home, "connect", "codex", "--dry-run", "--model", "opus")
    assert looked.code == 0
    assert '+model = "opus"' in looked.out
    assert not (home / ".codex").exists()
    wrong = claude_max(home, "connect", "nonsense", "--json")
    assert (wrong.code, wrong.json["error"]["exit_code"]) == (2, 2)


def test_it_asks_at_a_terminal(home: Path) -> None:
    with shell(home_environment(home), installed(), "connect", "codex") as terminal:
        assert '+model = "sonnet"' in terminal.see("Set up Codex CLI? [y/N]")
        terminal.type("n\r")
        terminal.see("Nothing was written.")
        assert terminal.leaves() == 1
    assert not (home / ".codex").exists()
    with shell(home_environment(home), installed(), "connect", "codex") as terminal:
        terminal.see("[y/N]")
        terminal.type("y\r")
        terminal.see("Wrote ")
        assert terminal.leaves() == 0
    assert (home / ".codex" / "config.toml").exists()


def test_json_of_both_commands(home: Path) -> None:
    done = claude_max(home, "connect", "codex", "--yes", "--json", environ=PORT).json
    assert (done["schema"], done["client"], done["outcome"]) == (1, "codex", "written")
    assert "+base_url" in done["files"][0]["diff"]
    assert "http://127.0.0.1:4321/v1" in (home / ".codex" / "config.toml").read_text()
    back = claude_max(home, "disconnect", "codex", "--yes", "--json").json
    assert (back["outcome"], back["files"][0]["outcome"]) == ("removed", "removed")
    assert not (home / ".codex").exists()


def test_a_refused_file_is_one_line_and_the_lines_to_paste(home: Path) -> None:
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text("model = ")
    ended = claude_max(home, "connect", "codex", "--yes")
    assert ended.code == 1
    first, head, *lines = ended.out.splitlines()
    assert first.startswith(f"{home}/.codex/config.toml cannot be read as TOML (")
    assert head == "The lines:"
    assert 'model_provider = "claudemax"' in lines


def test_the_key_is_written_and_not_shown(home: Path) -> None:
    environ = {"CLAUDE_MAX_API_KEY": "very-secret"}
    looked = claude_max(home, "connect", "codex", "--dry-run", environ=environ)
    done = claude_max(home, "connect", "codex", "--yes", "--json", environ=environ)
    assert "very-secret" not in f"{looked.out}{looked.err}{done.out}{done.err}"
    assert "Bearer very-secret" in (home / ".codex" / "config.toml").read_text()


def test_a_port_that_changes_is_refused(home: Path) -> None:
    ended = claude_max(home, "connect", "codex", "--yes", environ={"CLAUDE_MAX_PORT": "0"})
    assert ended.code == 2
    assert "claude-max config set port 3456" in ended.err


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("bash", ["bash", "-c"]),
        ("zsh", ["zsh", "-fc"]),
        ("fish", ["fish", "-N", "-c"]),
        ("powershell", ["pwsh", "-NoProfile", "-Command"]),
    ],
)
def test_what_env_prints_is_what_a_shell_reads(home: Path, name: str, command: list[str]) -> None:
    key = 'it\'s \\ $HOME "x"'
    environ = {"CLAUDE_MAX_API_KEY": key}
    said = claude_max(home, "env", "--shell", name, environ=environ)
    assert "ANTHROPIC" not in said.out
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    script = f"{said.out}\nprintenv OPENAI_API_KEY OPENAI_BASE_URL"
    done = subprocess.run(
        [*command, script], capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"]}
    )
    assert done.stdout.splitlines() == [key, "http://127.0.0.1:3456/v1"]


def test_env_takes_the_shell_that_is_used(home: Path) -> None:
    assert claude_max(home, "env", environ={"SHELL": "/usr/bin/fish"}).out.startswith("set -gx OPENAI_BASE_URL ")
    assert claude_max(home, "env", environ={"SHELL": None}).out.startswith("export OPENAI_BASE_URL=")
    wrong = claude_max(home, "env", "--shell", "tcsh")
    assert wrong.code == 2
    assert "Available: bash, zsh, fish, powershell" in wrong.err


CLIENT = """#!{python}
import json, os, sys, urllib.request
base = os.environ["OPENAI_API_BASE"]
headers = {{"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}}
request = urllib.request.Request(base + "/models", headers=headers)
listed = json.load(urllib.request.urlopen(request))
print(json.dumps({{"arguments": sys.argv[1:], "models": len(listed["data"]), "base": base}}))
sys.exit(7)
"""


def _client(home: Path) -> dict[str, str | None]:
    """A stand-in for aider, alone on PATH."""
    program = home / "bin" / "aider"
    program.parent.mkdir()
    program.write_text(CLIENT.format(python=sys.executable))
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def test_launch_with_a_proxy_of_its_own(home: Path) -> None:
    """The client gets variables and arguments, and its exit code is the command's; no file is written."""
    environ = _client(home)
    ended = claude_max(home, "launch", "aider", "--demo", "--model", "opus", "--", "--message", "x", environ=environ)
    assert ended.code == 7, ended.err
    said = json.loads(ended.out)
    assert said["arguments"] == ["--model", "openai/opus", "--weak-model", "openai/haiku", "--message", "x"]
    assert said["models"] > 0
    assert not (home / ".aider.conf.yml").exists()


def test_launch_with_the_proxy_that_runs(home: Path, proxy: RunningProxy) -> None:
    environ = {**_client(home), "CLAUDE_MAX_PORT": proxy.url.rpartition(":")[2]}
    ended = claude_max(home, "launch", "aider", environ=environ)
    assert ended.code == 7, ended.err
    assert json.loads(ended.out)["base"].endswith(f":{environ['CLAUDE_MAX_PORT']}/v1")


@pytest.mark.parametrize(("name", "says"), [("zed", "claude-max connect zed"), ("goose", "goose is not on PATH")])
def test_launch_of_what_cannot_be_launched(home: Path, name: str, says: str) -> None:
    ended = claude_max(home, "launch", name)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
