"""Installs clients once, each in a folder of its own in the user's cache, and keeps what was found out."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import platformdirs
import psutil
import pytest
from certified.programs import PROGRAMS, Program
from harness.command import claude_max
from harness.machine import eventually
from harness.proxy import RunningProxy, running_proxy, scripted

from claude_max.proxy.engine.probe.locate import locate

OUTCOMES = Path(__file__).parent / "outcomes.json"
# For clients that need a newer one than the machine has.
NODE = "24.21.0"
RUN_SECONDS = 100


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """A proxy with a scripted service behind its CLI."""
    with scripted() as api, running_proxy(tmp_path_factory.mktemp("home"), "--workers", "3", api=api) as proxy:
        yield proxy


@dataclass(frozen=True)
class Answer:
    """What a client said, and its exit code; -9 where it was ended because that was enough."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def all(self) -> str:
        return f"{self.stdout}\n{self.stderr}"


@dataclass
class SetUp:
    """A client that is installed and was set up by `connect`, with a home and a folder to work in of its own."""

    program: Program
    version: str
    folder: Path
    environ: dict[str, str]

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def ask(
        self, text: str, *options: str, enough: Callable[[], bool] = lambda: False, through: Sequence[str] = ()
    ) -> Answer:
        """One run, to its end, or until it is `enough`. Fails where neither comes. `through` is what starts it."""
        first, *arguments = self.program.command
        found = shutil.which(first, path=self.environ["PATH"])
        assert found, f"{first} was not installed"
        words = () if self.program.on_stdin or self.program.prompt_file else (text,)
        if self.program.prompt_file:
            (self.work / self.program.prompt_file).write_text(text)
        given, out, err = (self.folder / name for name in ("in.txt", "out.txt", "err.txt"))
        given.write_text(text if self.program.on_stdin else "")
        with given.open("rb") as stdin, out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [*(through or (found,)), *arguments, *options, *words, *self.program.behind],
                cwd=self.work,
                env=self.environ,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                eventually(lambda: process.poll() is not None or enough(), RUN_SECONDS, said=out.read_text)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return Answer(process.returncode, out.read_text(errors="replace"), err.read_text(errors="replace"))


@pytest.fixture(scope="session", params=PROGRAMS, ids=lambda program: program.name)
def client(
    request: pytest.FixtureRequest, running: RunningProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SetUp]:
    """Installs it, and has `claude-max connect` set it up."""
    program: Program = request.param
    folder = tmp_path_factory.mktemp(program.name)
    (folder / "work").mkdir()
    places, version = installed(program)
    environ = {
        "PATH": os.pathsep.join([*map(str, places), os.environ["PATH"]]),
        "HOME": str(folder),
        "TERM": "dumb",
        "NO_COLOR": "1",
        **program.environ,
    }
    for name, text in program.files.items():
        (folder / "work" / name).write_text(text)
    moved = {"CLAUDE_MAX_PORT": running.url.rpartition(":")[2], "CLAUDE_CONFIG_DIR": None}
    done = claude_max(folder, "connect", program.name, "--yes", environ={**environ, **moved}, cwd=folder / "work")
    assert done.code == 0, done.err + done.out
    yield SetUp(program, version, folder, environ)
    end_daemons(folder)


def end_daemons(home: Path) -> None:
    """Some clients leave a process behind that outlives their own: it is known by its home folder."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("HOME") == str(home):
                process.kill()


def installed(program: Program) -> tuple[list[Path], str]:
    """Where its commands are, and its version."""
    if program.kind == "here":
        cli = locate(None, {})
        home = platformdirs.user_cache_path("claude-max-tests") / "certified" / "claude"
        home.mkdir(parents=True, exist_ok=True)
        link = home / "claude"
        link.unlink(missing_ok=True)
        link.symlink_to(cli.path)
        return [home], cli.version_text
    if program.kind == "pypi":
        return [_pypi(program) / "bin"], program.version
    node = [_npm("node", NODE) / "node_modules" / "node" / "bin"] if program.node else []
    place = _npm(program.package, program.version, node) / "node_modules" / ".bin"
    return [*node, place], program.called or program.version


def _npm(package: str, version: str, path: list[Path] | None = None) -> Path:
    home = _folder(package, version)
    if not (home / "node_modules").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text("{}")
        environ = {**os.environ, "PATH": os.pathsep.join([*map(str, path or ()), os.environ["PATH"]])}
        for command in (
            ["install", "--no-package-lock", "--no-audit", "--no-fund", f"{package}@{version}"],
            ["rebuild"],
        ):
            subprocess.run(["npm", *command], cwd=home, check=True, capture_output=True, timeout=600, env=environ)
    return home


def _pypi(program: Program) -> Path:
    home = _folder(program.package, program.version)
    if not (home / "bin").exists():
        subprocess.run(["uv", "venv", "--quiet", str(home)], check=True, timeout=100)
        wanted = f"{program.package}{program.extra}=={program.version}"
        # Not with our own pins.
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--no-config", "--python", str(home), wanted, *program.beside],
            check=True,
            timeout=900,
        )
    return home


def _folder(package: str, version: str) -> Path:
    plain = package.replace("/", "_").replace("@", "_")
    return platformdirs.user_cache_path("claude-max-tests") / "certified" / f"{plain}-{version}"


@pytest.fixture
def found_out(client: SetUp) -> Callable[[str, str], None]:
    """Keeps the outcome of one scenario."""
    return partial(keep, client.program, client.version)


def keep(program: Program, version: str, what: str, outcome: str) -> None:
    """Notes an outcome; what was found out of another version is forgotten."""
    known = json.loads(OUTCOMES.read_text(encoding="utf-8"))
    one = known.get(program.name, {})
    if one.get("version") != version:
        one = {"works": {}}
    one |= {"version": version, "date": f"{datetime.now(UTC):%Y-%m-%d}", "note": program.note}
    one["works"][what] = outcome
    known[program.name] = one
    OUTCOMES.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
