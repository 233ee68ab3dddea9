"""What the tests of real clients share: prompts for the scripted model, and the Node SDK, installed once."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from harness.asking import directive
from harness.proxy import RunningProxy

NODE = Path(__file__).parent.parent / "node"


@pytest.fixture
def prompt(marker: str) -> Callable[..., str]:
    """Makes a prompt that holds the marker and says what the scripted model answers."""

    def made(**reply: Any) -> str:
        return f"{marker}\n{directive(**reply)}"

    return made


@pytest.fixture
def aborted(proxy: RunningProxy, marker: str) -> Callable[[], None]:
    """Waits until the marker's request upstream was abandoned before its end; fails when it was not."""

    def wait() -> None:
        assert proxy.api is not None
        exchanges = proxy.api.api.messages
        proxy.api.wait_until(lambda: any(e.aborted for e in exchanges() if marker in str(e.body)), 10)

    return wait


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The packages of tests/node/package.json, in the user's cache folder; installed where that very list is new."""
    if not (shutil.which("node") and shutil.which("npm")):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("node and npm are needed for the openai Node SDK")
    wanted = (NODE / "package.json").read_bytes()
    cache = platformdirs.user_cache_path("claude-max-tests")
    home = cache / f"node-{hashlib.sha256(wanted).hexdigest()[:16]}"
    if not home.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            fresh = Path(folder) / "new"
            fresh.mkdir()
            (fresh / "package.json").write_bytes(wanted)
            install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
            subprocess.run(install, cwd=fresh, check=True, capture_output=True, timeout=100)
            if not home.exists():  # else another test process was faster
                fresh.rename(home)
    return home / "node_modules"
