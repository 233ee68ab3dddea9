"""Shell completions: the committed files are what the program would write, and a real shell completes with them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pexpect
import pytest
from harness.forked import installed

from claude_max.cli import completion, values
from claude_max.proxy.config import Settings
from claude_max.proxy.doctor import CHECKS, LIVE, describe
from claude_max.proxy.translate.common.models import FAMILIES, resolve

COMMITTED = Path(__file__).parents[2] / "completions"


@pytest.mark.parametrize("name", completion.FILES)
def test_committed_files_are_current(name: str, tmp_path: Path) -> None:
    completion.main(tmp_path)
    assert (COMMITTED / name).read_text() == (tmp_path / name).read_text(), "uv run python -m claude_max.cli.completion"


def test_values_are_those_that_are_taken() -> None:
    assert tuple(describe(check)[0] for check in (*CHECKS, LIVE)) == values.CHECKS
    assert get_args(Settings.model_fields["log_level"].annotation) == values.LOG_LEVELS
    assert [resolve(name, (), {}) for name in values.models("")] == ["default", *FAMILIES, *FAMILIES]
    assert tuple(Settings.model_fields) == tuple(values.settings(""))
    assert values.efforts("m") == ["medium", "max"]


def test_values_are_offered_without_loading_much() -> None:
    """A shell asks at each Tab: no settings, no web server, no doctor."""
    asked = "from claude_max.cli import main, values; values.models(''), values.checks(''), values.efforts('')"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{asked}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pydantic", "fastapi", "httpx2", "psutil", "asyncio"} & set(loaded)


def test_nothing_else_is_committed() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == completion.FILES.keys()


WORDS = [
    ("claude-max doct", "doctor"),
    ("claude-max config sh", "show"),
    ("claude-max config set aliase", "aliases"),
    ("claude-max doctor --list", "--list-checks"),
    ("claude-max doctor --check mem", "memory"),
    ("claude-max chat --effort xh", "xhigh"),
    ("claude-max chat -m claude-h", "claude-haiku-4"),
    ("claude-max serve --log-level w", "warning"),
]


@pytest.mark.parametrize(("words", "wanted"), WORDS)
def test_bash_completes(words: str, wanted: str) -> None:
    ask = f"""
        source '{COMMITTED / "claude-max.bash"}'
        COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _claude_max_completion claude-max
        echo "${{COMPREPLY[@]}}"
    """
    said = subprocess.run(
        [shell("bash"), "--norc", "-c", ask], env=environ(), capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [wanted]


@pytest.mark.parametrize(("words", "wanted"), WORDS)
def test_fish_completes(words: str, wanted: str, home: Path) -> None:
    ask = f"source '{COMMITTED / 'claude-max.fish'}'; complete --do-complete '{words}'"
    said = subprocess.run(
        [shell("fish"), "--no-config", "-c", ask],
        env=environ() | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.partition("\t")[0] for line in said.stdout.splitlines()] == [wanted]


def test_zsh_completes(home: Path) -> None:
    """At a prompt, with Tab, more than once: the file is the body of a function that is loaded at the first."""
    zsh = pexpect.spawn(
        shell("zsh"),
        ["-f", "-i"],
        env=environ() | {"HOME": str(home), "TERM": "dumb", "PS1": "READY> "},
        encoding="utf-8",
        timeout=20,
    )
    zsh.expect_exact("READY> ")
    zsh.sendline(f"fpath=('{COMMITTED}' $fpath); autoload -Uz compinit; compinit -u -D; PS1=; echo 'S'TARTED")
    zsh.expect_exact("STARTED\r\n")
    for words, wanted in WORDS:
        zsh.send(f"{words}\t")
        # Completed, and a blank after it: what was typed is echoed, too.
        zsh.expect_exact(f"{wanted} ")
        zsh.sendcontrol("u")
    zsh.close(force=True)


def shell(name: str) -> str:
    """Where that shell is; the test is skipped where there is none, but in CI, which installs it."""
    found = shutil.which(name)
    if found is None:
        assert "CI" not in os.environ, f"CI needs {name}"
        pytest.skip(f"{name} is not installed")
    return found


def environ() -> dict[str, str]:
    """Where shells find the program."""
    return {"PATH": f"{Path(installed()).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("name", "script", "startup"),
    [("bash", ".bash_completions/claude-max.sh", ".bashrc"), ("zsh", ".zfunc/_claude-max", ".zshrc")],
)
def test_install_completion(home: Path, name: str, script: str, startup: str) -> None:
    done = within(name, "--install-completion", home)
    assert (home / script).read_text().strip() == completion.script(name).strip(), done.stdout + done.stderr
    assert script.partition("/")[0] in (home / startup).read_text()


def within(name: str, option: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """What the program says when that shell runs it."""
    # The shell is the one that runs the program; the second command keeps it from replacing itself.
    words = [shell(name), "-c", f"'{installed()}' {option}; true"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True)


def test_show_completion_is_data(home: Path) -> None:
    shown = within("bash", "--show-completion", home)
    assert (shown.stdout.strip(), shown.stderr) == (completion.script("bash").strip(), "")
