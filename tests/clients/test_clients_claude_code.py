"""The real Claude Code CLI as a client: it makes a file with its own tools, asked through this endpoint."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.proxy import RunningProxy, running_proxy, scripted
from harness.upstream import BILLING, IDENTITY

from claude_max.proxy.engine.probe.locate import locate

Prompt = Callable[..., str]


def claude(proxy: RunningProxy, home: Path, prompt: str, *arguments: str) -> str:
    """What `claude -p` prints, with a home of its own and this endpoint for the service."""
    work = home / "work"
    work.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "ANTHROPIC_BASE_URL": proxy.url,
        "ANTHROPIC_AUTH_TOKEN": "anything",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    done = subprocess.run(
        [str(locate(None, {}).path), "-p", prompt, *arguments],
        env=environ, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.timeout(200)
def test_it_makes_a_file(tmp_path: Path, prompt: Prompt, marker: str) -> None:
    home, own = tmp_path / "client", tmp_path / "proxy"
    home.mkdir()
    own.mkdir()
    made = home / "work" / "hello.txt"
    write = {"name": "Write", "input": {"file_path": str(made), "content": "from the model"}}
    environ = {"CLAUDE_MAX_COMPOSITION": "exact"}
    with scripted() as api, running_proxy(own, api=api, environ=environ) as proxy:
        said = claude(
            proxy,
            home,
            prompt(thinking="hm", call=write, then={"text": "Written."}),
            "--permission-mode",
            "acceptEdits",
        )
        first, second = proxy.bodies(marker)
    assert said == "Written."
    assert made.read_text() == "from the model"
    # Who asks the service is the CLI behind the endpoint, once, and not the one before it.
    billing, identity, *system = (block["text"] for block in first["system"])
    assert BILLING.fullmatch(billing)
    assert identity == IDENTITY
    assert not any("x-anthropic-billing-header" in text for text in system)
    assert {"Write", "Read", "Bash"} <= {tool["name"] for tool in first["tools"]}
    # Its thinking came back as it was given out, signed.
    kinds = [block["type"] for message in second["messages"] for block in message["content"] if isinstance(block, dict)]
    assert {"thinking", "tool_use", "tool_result"} <= set(kinds)
