"""`claude-max start` and `stop`: the proxy in the background, without a service. Its log goes to a file.

`stop` only ends a process that `start` started: a pid that another program has reused is left alone.
"""

import contextlib
import json as jsonlib
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import psutil
from platformdirs import user_state_path
from rich.console import RenderableType
from rich.text import Text

from .output import Exit, Result, fail, render

# The first start runs the contract check, which takes some seconds on a busy machine.
START_SECONDS = 60.0
# Longer than the server's drain timeout, so that running answers can finish.
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05
LAST_LINES = 15
_URL = re.compile(r"^export OPENAI_BASE_URL=(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Started(Result):
    """A running server, and the path of its log."""

    url: str
    pid: int
    log: Path

    def view(self) -> Iterable[RenderableType]:
        """Its address, and how to stop it."""
        yield Text(self.url, "bold")
        yield Text(f"Process {self.pid}, log {self.log}")
        yield Text("`claude-max status` shows whether it can answer, `claude-max stop` ends it.")


@dataclass(frozen=True, slots=True)
class Stopped(Result):
    """`pid` is the process that ended, None if none was running."""

    pid: int | None

    def view(self) -> Iterable[RenderableType]:
        """One line."""
        said = "`claude-max start` has no server running." if self.pid is None else f"Stopped process {self.pid}."
        yield Text(said)


def start(arguments: Sequence[str], *, json: bool) -> NoReturn:
    """Starts `claude-max serve` with these arguments, and waits until it answers. Exits as `serve` did."""
    running = _running()
    if running is not None:
        fail(f"Process {running.pid} is already running: `claude-max stop` stops it.", Exit.FAILED, json=json)
    log = log_file()
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        log.touch(mode=0o600)
        # To append, so that `purge` can empty it under the server.
        with log.open("ab") as file:
            process = subprocess.Popen(
                [*program(), "serve", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                # Keeps running when the terminal closes or gets a Ctrl-C.
                start_new_session=True,
            )
    except OSError as error:
        fail(f"{error.filename or log}: {error.strerror}.", Exit.FAILED, json=json)
    render(lambda: _answering(process, log, json=json), json=json, doing="Starting…")


def stop(*, json: bool) -> NoReturn:
    """Stops the server that `start` started, and waits until it has ended. Exits FAILED if it does not end."""

    def end() -> Stopped:
        process = _running()
        if process is None:
            return Stopped(None)
        try:
            process.terminate()
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            fail(f"Process {process.pid} did not end within {STOP_SECONDS:.0f} s.", Exit.FAILED, json=json)
        except psutil.NoSuchProcess:
            pass
        _record().unlink(missing_ok=True)
        return Stopped(process.pid)

    render(end, json=json, doing="Stopping…")


def _answering(process: "subprocess.Popen[bytes]", log: Path, *, json: bool) -> Started:
    known = {"pid": process.pid, "started": psutil.Process(process.pid).create_time()}
    _record().touch(mode=0o600)
    _record().write_text(jsonlib.dumps(known), encoding="utf-8")
    deadline = time.monotonic() + START_SECONDS
    while True:
        code = process.poll()
        said = log.read_text("utf-8", "replace")
        if code is not None:
            _record().unlink(missing_ok=True)
            last = "\n".join(said.splitlines()[-LAST_LINES:])
            fail(f"The server ended:\n{last}", _exit(code), json=json)
        if found := _URL.search(said):
            _record().write_text(jsonlib.dumps({**known, "url": found[1]}), encoding="utf-8")
            return Started(found[1], process.pid, log)
        if time.monotonic() > deadline:
            process.terminate()
            fail(f"The server did not start within {START_SECONDS:.0f} s; its log is {log}.", Exit.FAILED, json=json)
        time.sleep(POLL_SECONDS)


def _exit(code: int) -> Exit:
    return Exit(code) if code in set(Exit) and code != 0 else Exit.FAILED


def _record() -> Path:
    return user_state_path("claude-max") / "server.json"


def log_file() -> Path:
    """The path of the log of a server that `start` starts."""
    return user_state_path("claude-max") / "server.log"


def running() -> tuple[int, str] | None:
    """The process of the server that `start` started, and its address without a path; None if none is running."""
    process = _running()
    return None if process is None else (process.pid, str(_said().get("url", "")).removesuffix("/v1"))


def _said() -> dict[str, Any]:
    try:
        said = jsonlib.loads(_record().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _running() -> psutil.Process | None:
    """The server that `start` started, found by pid and start time; None if it has ended."""
    with contextlib.suppress(ValueError, KeyError, TypeError, psutil.Error):
        said = _said()
        process = psutil.Process(int(said["pid"]))
        same = abs(process.create_time() - float(said["started"])) < 1
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def program() -> list[str]:
    """The command that runs this program, as a module because the script may not be on PATH."""
    return [sys.executable, "-m", "claude_max.cli.entry"]
