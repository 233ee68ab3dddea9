"""A real client, set up by the command: `llm` answers through the proxy, and was restored afterwards."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness.asking import directive
from harness.command import claude_max
from harness.proxy import RunningProxy

MINE = "# mine\n- model_id: other\n  model_name: other\n  api_base: http://127.0.0.1:9/v1\n"


def llm(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    found = shutil.which("llm", path=str(Path(sys.executable).parent))
    assert found, "llm is not installed beside this Python"
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LLM_USER_PATH": str(folder)}
    return subprocess.run(
        [found, *arguments], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def test_set_up_asked_and_taken_back(home: Path, proxy: RunningProxy, marker: str) -> None:
    folder = home / "llm"
    folder.mkdir()
    (folder / "extra-openai-models.yaml").write_text(MINE)
    environ = {"LLM_USER_PATH": str(folder), "CLAUDE_MAX_PORT": proxy.url.rpartition(":")[2]}
    done = claude_max(home, "connect", "llm", "--yes", "--model", "opus", environ=environ)
    assert done.code == 0, done.err
    answer = llm(folder, "-m", "claude-max", f"{marker}\n{directive(text='Good day')}")
    assert answer.stdout.strip() == "Good day", answer.stderr
    assert "opus" in proxy.bodies(marker)[0]["model"]
    assert "other" in llm(folder, "models").stdout
    assert claude_max(home, "disconnect", "llm", "--yes", environ=environ).code == 0
    assert (folder / "extra-openai-models.yaml").read_text() == MINE
    assert not (folder / "keys.json").exists()


def test_for_once(home: Path, proxy: RunningProxy, marker: str) -> None:
    environ = {"CLAUDE_MAX_PORT": proxy.url.rpartition(":")[2]}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    question = f"{marker}\n{directive(text='Good day')}"
    ended = claude_max(home, "launch", "llm", "--", question, environ={**environ, "PATH": path})
    assert (ended.code, ended.out.strip()) == (0, "Good day"), ended.err
    assert not (home / ".config" / "io.datasette.llm").exists()
