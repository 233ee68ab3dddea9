"""A real client, set up by the command: `llm` answers through the proxy, and was restored afterwards."""

import os
import sys
from pathlib import Path

import pytest
from harness.asking import directive
from harness.command import Ended, claude_max, run
from harness.proxy import RunningProxy

MINE = "# mine\n- model_id: other\n  model_name: other\n  api_base: http://127.0.0.1:9/v1\n"


# The process that has loaded `llm` is that of its other tests.
pytestmark = pytest.mark.xdist_group("llm")


def llm(folder: Path, *arguments: str) -> Ended:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LLM_USER_PATH": str(folder)}
    return run(arguments, environ, command="llm")


def test_set_up_asked_and_taken_back(home: Path, proxy: RunningProxy, marker: str) -> None:
    folder = home / "llm"
    folder.mkdir()
    (folder / "extra-openai-models.yaml").write_text(MINE)
    environ = {"LLM_USER_PATH": str(folder), "CLAUDE_MAX_PORT": proxy.url.rpartition(":")[2]}
    done = claude_max(home, "connect", "llm", "--yes", "--model", "opus", environ=environ)
    assert done.code == 0, done.err
    answer = llm(folder, "-m", "claude-max", f"{marker}\n{directive(text='Good day')}")
    assert answer.out.strip() == "Good day", answer.err
    assert "opus" in proxy.bodies(marker)[0]["model"]
    assert "other" in llm(folder, "models").out
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
