"""Shell completions: the committed files are what the program would write, and a real shell completes with them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.command import claude_max
from harness.proxy import installed

from claude_max.cli import completion

COMMITTED = Path(__file__).parents[2] / "completions"


@pytest.mark.parametrize("name", completion.FILES)
def test_committed_files_are_current(name: str, tmp_path: Path) -> None:
    completion.main(tmp_path)
    assert (COMMITTED / name).read_text() == (tmp_path / name).read_text(), "uv run python -m claude_max.cli.completion"


def test_nothing_else_is_committed() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == completion.FILES.keys()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("claude-max doct", "doctor"), ("claude-max config s", "show"), ("claude-max doctor --list", "--list-checks")],
)
def test_bash_completes(words: str, wanted: str) -> None:
    bash = shutil.which("bash")
    assert bash
    ask = f"""
        source '{COMMITTED / "claude-max.bash"}'
        COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _claude_max_completion claude-max
        echo "${{COMPREPLY[@]}}"
    """
    path = f"{Path(installed()).parent}{os.pathsep}{os.environ['PATH']}"
    said = subprocess.run([bash, "--norc", "-c", ask], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert said.stdout.split() == [wanted]


def test_install_completion(home: Path) -> None:
    # The shell is the one that runs the program; the second command keeps bash from replacing itself.
    done = subprocess.run(
        ["bash", "--norc", "-c", f"'{installed()}' --install-completion; true"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    script = home / ".bash_completions" / "claude-max.sh"
    assert script.read_text().strip() == completion.script("bash").strip(), done.stdout + done.stderr
    assert str(script) in (home / ".bashrc").read_text()


def test_show_completion_is_data(home: Path) -> None:
    ended = claude_max(home, "--show-completion", "bash")
    assert ended.err == ""
