"""What the tests of real clients share: prompts for the scripted model, and clients from npm, installed once."""

import gc
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
    """The packages of tests/node/package.json."""
    return packages(NODE)


@pytest.fixture(scope="session")
def codex() -> Path:
    """The Codex CLI of tests/node/codex/package.json: a native program of some 400 MB, in a folder of its own."""
    return packages(NODE / "codex") / ".bin" / "codex"


class Node:
    """A process that runs the scripts in tests/node, which loads the libraries that they use once."""

    def __init__(self, node_modules: Path) -> None:
        self.process = subprocess.Popen(
            ["node", str(NODE / "run.cjs")],
            env={"PATH": os.environ["PATH"], "NODE_PATH": str(node_modules), "AI_SDK_LOG_WARNINGS": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> Any:
        """What a behaviour of a script printed. An exception in it ends the process; pytest shows its stderr."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        printed = self.process.stdout.readline()
        assert printed, f"Node ended with {self.process.wait(10)}"
        return json.loads(printed)

    def close(self) -> None:
        """Ends it."""
        with self.process:
            self.process.terminate()


@pytest.fixture(scope="session")
def node(node_modules: Path) -> Iterator[Callable[[], Node]]:
    """The process, or a new one where the last has ended."""
    with ExitStack() as stack:
        made: list[Node] = []

        def running() -> Node:
            if not made or made[-1].process.poll() is not None:
                made.append(Node(node_modules))
                stack.callback(made[-1].close)
            return made[-1]

        yield running


@pytest.fixture
def ran(proxy: RunningProxy, node: Callable[[], Node]) -> Callable[..., Any]:
    """Runs one behaviour of a script in tests/node; what it printed."""

    def run(script: str, behaviour: str, text: str) -> Any:
        return node().run(script, behaviour, proxy.url, text)

    return run


@pytest.fixture(autouse=True)
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile: it would be looked for again and again while a large library is imported."""
    gc.disable()
    yield
    gc.enable()


def packages(folder: Path, *options: str) -> Path:
    """The packages of a folder's package.json, in the user's cache folder; installed where that very list is new."""
    if not (shutil.which("node") and shutil.which("npm")):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("node and npm are needed for clients in JavaScript")
    wanted = (folder / "package.json").read_bytes()
    cache = platformdirs.user_cache_path("claude-max-tests")
    home = cache / f"node-{hashlib.sha256(wanted).hexdigest()[:16]}"
    if not home.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            fresh = Path(made) / "new"
            fresh.mkdir()
            (fresh / "package.json").write_bytes(wanted)
            install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", *options]
            subprocess.run(install, cwd=fresh, check=True, capture_output=True, timeout=300)
            if not home.exists():  # else another test process was faster
                fresh.rename(home)
    return home / "node_modules"
