"""The servers that are compared, behind the same CLI, the same scripted service and the same environment.

npm     `claude-max-api-proxy`: a process for every request
pypi    `claude-code-openai`: a process for every conversation, kept for half an hour
ours    this checkout's `claude-max serve`
beside  that of another checkout, in its own environment

Peers are installed on first use, in a cache folder outside the tree, in the versions named here.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
import typer.main
from harness.machine import free_port
from harness.proxy import home_environment
from platformdirs import user_cache_path

from claude_max.cli.main import app
from claude_max.proxy.scripted import ScriptedServer

from .rows import BESIDE, NPM, OURS, PYPI
from .servers import Server, answering, serving

NPM_PACKAGE, NPM_VERSION = "claude-max-api-proxy", "1.0.0"
PYPI_PACKAGE, PYPI_VERSION = "claude-code-openai", "0.1.1"
# Without these the CLI would look for updates and report home, which has nothing to do with the server it serves.
# Ours sets them by itself; the others do not, and are not to be measured with that handicap.
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}


@dataclass(frozen=True)
class Peer:
    """One of them. `start(folder, api)` runs it in an empty folder; `version` has its name.

    `alone` asks for a fresh one before every measurement, for a server that keeps a process of each conversation.
    """

    name: str
    version: str
    start: Callable[[Path, ScriptedServer], AbstractContextManager[Server]]
    alone: bool = False


def bundled_claude() -> Path:
    """The CLI inside the claude-agent-sdk wheel, found without importing it."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    assert spec is not None, "claude-agent-sdk is not installed"
    assert spec.origin is not None
    return (Path(spec.origin).parent / "_bundled" / "claude").resolve()


def ours(claude: Path, options: Sequence[str] = (), checkout: Path | None = None) -> Peer:
    """`claude-max serve` of this checkout, or of another. Raises FileNotFoundError where that is not synced."""
    folder = Path(sys.executable).parent if checkout is None else checkout / ".venv" / "bin"
    program = folder / "claude-max"
    if not program.exists():
        raise FileNotFoundError(f"{program} is missing; run `uv sync` in {checkout}")
    tree = Path(__file__).parents[2] if checkout is None else checkout
    version = f"{_says(str(program), '--version')}, {_commit(tree)}"
    name = OURS if checkout is None else BESIDE
    return Peer(name, version, partial(_start_ours, name, str(program), claude, tuple(options)))


def _start_ours(
    name: str, program: str, claude: Path, options: Sequence[str], folder: Path, api: ScriptedServer
) -> AbstractContextManager[Server]:
    environment, port = {**_environment(folder, claude, api), "NO_COLOR": "1"}, free_port()
    environment["CLAUDE_MAX_PORT"] = str(port)
    make = _maker(
        name, port, claude, api, folder, environment, [(program, *path) for path in commands()], [program, "chat"]
    )
    serve = [program, "serve", "--port", str(port), "--claude-path", str(claude), *options]
    return serving(serve, make, environment, folder, _signed_in)


def _signed_in(response: httpx2.Response) -> bool:
    return response.status_code == 200 and bool(response.json().get("ready", True))


def commands() -> list[tuple[str, ...]]:
    """Every command of claude-max and every subcommand, as words."""

    def below(command: object, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        inner = getattr(command, "commands", {})
        return [path, *(each for name, child in inner.items() for each in below(child, (*path, name)))]

    return below(typer.main.get_command(app), ())


def npm(claude: Path) -> Peer:
    """Raises OSError or subprocess.CalledProcessError where it cannot be installed."""
    folder = user_cache_path("claude-max-bench") / f"{NPM_PACKAGE}-{NPM_VERSION}"
    package = folder / "node_modules" / NPM_PACKAGE
    if not package.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(["npm", "install", "--prefix", str(folder), *quiet, f"{NPM_PACKAGE}@{NPM_VERSION}"], check=True)
    node = shutil.which("node")
    if node is None:
        raise FileNotFoundError("node is not installed")
    installed = json.loads((package / "package.json").read_text("utf-8"))["version"]
    version = f"{NPM_PACKAGE} {installed}, Node {_says(node, '--version')}"
    script = package / "dist" / "server" / "standalone.js"
    return Peer(NPM, version, partial(_start_npm, [node, str(script)], claude))


def _start_npm(
    command: Sequence[str], claude: Path, folder: Path, api: ScriptedServer
) -> AbstractContextManager[Server]:
    environment, port = {**_environment(folder, claude, api), "NODE_ENV": "production"}, free_port()
    make = _maker(NPM, port, claude, api, folder, environment)
    return serving([*command, str(port)], make, environment, folder, answering)


def pypi(claude: Path) -> Peer:
    """Raises OSError or subprocess.CalledProcessError where it cannot be installed."""
    folder = user_cache_path("claude-max-bench") / f"{PYPI_PACKAGE}-{PYPI_VERSION}"
    program = folder / "bin" / "claudegate"
    if not program.exists():
        subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", str(folder), f"{PYPI_PACKAGE}=={PYPI_VERSION}"]
        # From there, since the pins of this checkout are not for it.
        subprocess.run(install, check=True, cwd=folder)
    version = f"{PYPI_PACKAGE} {_says(str(program), '--version').split()[-1]}"
    return Peer(PYPI, version, partial(_start_pypi, str(program), claude), alone=True)


def _start_pypi(program: str, claude: Path, folder: Path, api: ScriptedServer) -> AbstractContextManager[Server]:
    environment, port = {**_environment(folder, claude, api), "CLAUDEGATE_CLI_PATH": str(claude)}, free_port()
    make = _maker(PYPI, port, claude, api, folder, environment, [(program,), (program, "serve")])
    return serving([program, "serve", "--port", str(port), "--grace", "5"], make, environment, folder, answering)


def _maker(
    name: str,
    port: int,
    claude: Path,
    api: ScriptedServer,
    folder: Path,
    environment: dict[str, str],
    help_of: Sequence[Sequence[str]] = (),
    chat: Sequence[str] = (),
) -> Callable[[int], Server]:
    def make(pid: int) -> Server:
        return Server(name, f"http://127.0.0.1:{port}", pid, claude, api, folder, environment, help_of, chat)

    return make


def _environment(folder: Path, claude: Path, api: ScriptedServer) -> dict[str, str]:
    """A home of its own in `folder`; a peer that looks for `claude` on PATH finds the same one."""
    home, programs = folder / "home", folder / "bin"
    for each in (home, programs):
        each.mkdir()
    (programs / "claude").symlink_to(claude)
    environment = {**home_environment(home), **QUIET, "ANTHROPIC_BASE_URL": api.url}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    return environment


def _commit(tree: Path) -> str:
    try:
        return f"commit {_says('git', '-C', str(tree), 'describe', '--always', '--dirty')}"
    except (OSError, subprocess.CalledProcessError):
        return "of no known commit"


def _says(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
