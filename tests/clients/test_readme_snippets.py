"""The README's examples of clients, as they stand there, against a running proxy."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from harness.proxy import RunningProxy

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def snippet(name: str, proxy: RunningProxy) -> str:
    """The block behind the marker, asking this proxy."""
    found = re.search(rf"<!-- run: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found is not None, name
    assert "http://localhost:3456" in found[1]
    return found[1].replace("http://localhost:3456", proxy.url)


def said(command: Sequence[str], environ: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["openai", "anthropic", "ollama"])
def test_python(proxy: RunningProxy, name: str) -> None:
    plain = {key: value for key, value in os.environ.items() if not key.endswith("_BASE_URL")}
    assert said([sys.executable, "-c", snippet(name, proxy)], plain).endswith("You said: Hello!")


def test_node(proxy: RunningProxy, node_modules: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "NODE_PATH": str(node_modules)}
    assert said(["node", "-e", snippet("node", proxy)], environ).endswith("You said: Hello!")
