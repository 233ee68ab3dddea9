"""Both servers, each in a process of its own, behind the same CLI, the same scripted API and the same environment."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
from harness.proxy import home_environment, running_proxy
from platformdirs import user_cache_path

from bench.client import claudes
from claude_max.proxy.scripted import ScriptedServer

SEED = "claude-max-api-proxy"
SEED_VERSION = "1.0.0"
# Without these the CLI would look for updates and report home, which has nothing to do with the server it serves.
# Ours sets them by itself; the seed does not, and is not to be measured with that handicap.
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
GONE_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server; `pid` is its process."""

    name: str
    url: str
    pid: int
    claude: Path

    def rest(self) -> None:
        """Returns when the last answer's aftermath is over: the seed's processes are gone, ours have settled."""
        time.sleep(0.1)
        deadline = time.monotonic() + 10
        while self.name == "seed" and claudes(self.pid, self.claude) and time.monotonic() < deadline:
            time.sleep(0.02)

    def end(self) -> float:
        """Sends SIGTERM; the seconds until the server and every process below it are gone."""
        server = psutil.Process(self.pid)
        family = [server, *server.children(recursive=True)]
        began = time.perf_counter()
        server.send_signal(signal.SIGTERM)
        while any(_runs(process) for process in family):
            if time.perf_counter() - began > GONE_SECONDS:
                break
            with contextlib.suppress(psutil.Error):
                family += [child for child in server.children(recursive=True) if child not in family]
            time.sleep(0.01)
        return time.perf_counter() - began


def bundled_claude() -> Path:
    """The CLI inside the claude-agent-sdk wheel, found without importing it."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    assert spec is not None, "claude-agent-sdk is not installed"
    assert spec.origin is not None
    return (Path(spec.origin).parent / "_bundled" / "claude").resolve()


def install_seed() -> Path:
    """The seed's server script, installed from npm on first use, outside the tree."""
    folder = user_cache_path("claude-max-bench") / f"seed-{SEED_VERSION}"
    script = folder / "node_modules" / SEED / "dist" / "server" / "standalone.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(["npm", "install", "--prefix", str(folder), *quiet, f"{SEED}@{SEED_VERSION}"], check=True)
    return script


@contextmanager
def ours(folder: Path, api: ScriptedServer, claude: Path, *arguments: str) -> Iterator[Server]:
    """The installed `claude-max serve`, ready to answer."""
    home = folder / "ours"
    home.mkdir()
    with running_proxy(home, "--claude-path", str(claude), *arguments, api=api) as proxy:
        yield Server("ours", proxy.url, proxy.process.pid, claude)


@contextmanager
def seed(folder: Path, api: ScriptedServer, claude: Path) -> Iterator[Server]:
    """The seed, ready to answer, in an empty folder; it starts the `claude` it finds on PATH."""
    script = install_seed()
    home, programs, empty = folder / "seed", folder / "bin", folder / "empty"
    for each in (home, programs, empty):
        each.mkdir()
    (programs / "claude").symlink_to(claude)
    environment = {**home_environment(home), **QUIET, "ANTHROPIC_BASE_URL": api.url, "NODE_ENV": "production"}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    port = _free_port()
    node = shutil.which("node")
    assert node is not None, "node is not installed"
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        [node, str(script), str(port)], env=environment, cwd=empty, stdin=quiet, stdout=quiet, stderr=quiet
    )
    try:
        _answers(f"http://127.0.0.1:{port}/health", process)
        yield Server("seed", f"http://127.0.0.1:{port}", process.pid, claude)
    finally:
        for child in claudes(process.pid, claude):
            with contextlib.suppress(psutil.Error):
                child.kill()
        process.kill()
        process.wait()


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(url, timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer")
