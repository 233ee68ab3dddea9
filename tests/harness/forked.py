"""`claude-max` and `llm`, started in a process of their own: by a fork where that is the same, for a tenth of the CPU.

A fresh start imports 1,100 modules, 0.4 s of a core. A fork runs the same entry point, with arguments, environment,
folder, streams and a terminal of its own. The installed command itself is started where the interpreter's own start
depends on the environment, where there is no fork, and with CLAUDE_MAX_TESTS_FRESH set.
"""

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

SERVER = Path(__file__).with_name("forkserver.py")
# Read by Python itself while it starts.
AT_START = re.compile(r"(PYTHON|LC_)\w+|LANG")
# Python programs that change only what is looked up when it is used, so that it may be loaded before.
PROGRAMS = {str(SERVER.with_name(f"{name}.py")) for name in ("limited", "short_waits", "signal_itself", "small_limit")}
FORK_SECONDS = 60.0
# Read by `llm` and by openai while they are imported.
AT_IMPORT = {"LLM_LOAD_PLUGINS", "OPENAI_LOG"}
# What is loaded before each command is forked: these modules, and all that are in them.
LOADED = {"claude-max": ("claude_max.cli", "claude_max.proxy"), "llm": ("llm.cli", "openai.resources.chat")}
# With CLAUDE_MAX_TESTS_COVERAGE set, coverage measures what is forked, and not the tests: a tenth slower.
MEASURED = (
    str(Path(os.environ.get("COVERAGE_FILE", ".coverage")).absolute())
    if "CLAUDE_MAX_TESTS_COVERAGE" in os.environ
    else ""
)
FRESH = "CLAUDE_MAX_TESTS_FRESH" in os.environ or not hasattr(os, "fork")


class Process(Protocol):
    """What tests use of `subprocess.Popen[bytes]`."""

    pid: int
    returncode: int | None
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def installed(command: str = "claude-max") -> str:
    """A command of this environment."""
    found = shutil.which(command, path=str(Path(sys.executable).parent))
    assert found, f"{command} is not installed beside this Python"
    return found


def start(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    command: str = "claude-max",
    through: Sequence[str] = (),
    **streams: Any,
) -> Process:
    """Starts it, by the program `through` where there is one; `streams` and `cwd` are those of `subprocess.Popen`."""
    words = [installed(command), *arguments]
    if not can_fork(environ) or (through and PROGRAMS.isdisjoint(through)):
        return subprocess.Popen([*through, *words], env=dict(environ), **streams)
    return _server(command).start([*through[1:], *words], environ, **streams)


def at_terminal(arguments: Sequence[str], environ: Mapping[str, str], terminal: int) -> "Forked":
    """Forks one, with the descriptor `terminal` as its three streams and its controlling terminal."""
    command = [installed(), *arguments]
    return _server("claude-max").start(
        command, environ, stdin=terminal, stdout=terminal, stderr=terminal, terminal=True
    )


def can_fork(environ: Mapping[str, str]) -> bool:
    """Whether a fork is the same as a start with these variables."""
    return not (FRESH or any(AT_START.fullmatch(name) or name in AT_IMPORT for name in environ))


class Forked:
    """A process that a fork server has started; its streams are those that were asked for as pipes."""

    def __init__(self, pid: int, pipes: Sequence[IO[bytes] | None]) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = pipes
        self.returncode: int | None = None
        self._ended = threading.Event()

    def ended(self, code: int) -> None:
        """Called when it has ended and left no zombie."""
        self.returncode = code
        self._ended.set()

    def poll(self) -> int | None:
        """The exit code, None while it runs; a signal that ended it is negative."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit code. Raises TimeoutExpired."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.returncode is None:
            # The news of its end may be on the way.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """The program in forkserver.py, which loads these modules, and what it has started."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryDirectory() as home:
            self._program = subprocess.Popen(
                [sys.executable, SERVER, str(theirs.fileno()), *modules],
                env={"PATH": os.environ["PATH"], "HOME": home, "MEASURED": MEASURED},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._asking = threading.Lock()
        self._started: dict[int, Forked] = {}
        self._newest = threading.Semaphore(0)
        self._last: Forked | None = None
        self._pipes: list[IO[bytes] | None] = []
        threading.Thread(target=self._read, daemon=True).start()
        atexit.register(self.close)

    def start(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
        cwd: Path | None = None,
        terminal: bool = False,
    ) -> Forked:
        """Forks one, which runs the Python program `command`."""
        request = {
            "arguments": command,
            "environ": dict(environ),
            "cwd": str(cwd or Path.cwd()),
            "terminal": terminal,
        }
        with contextlib.ExitStack() as theirs, self._asking:
            opened = [_opened(each, number, theirs) for number, each in enumerate((stdin, stdout, stderr))]
            if stderr == subprocess.STDOUT:
                opened[2] = (opened[1][0], None)
            self._pipes = [pipe for _, pipe in opened]
            socket.send_fds(self._channel, [json.dumps(request).encode() + b"\n"], [given for given, _ in opened])
            assert self._newest.acquire(timeout=FORK_SECONDS), "the fork server does not answer"
            assert self._last is not None
            return self._last

    def _read(self) -> None:
        with self._channel.makefile("rb") as lines:
            for line in lines:
                said = json.loads(line)
                if said["code"] is not None:
                    self._started.pop(said["pid"]).ended(said["code"])
                    continue
                self._last = self._started[said["pid"]] = Forked(said["pid"], self._pipes)
                self._newest.release()

    def close(self) -> None:
        """Ends the program; what it has started goes on."""
        self._channel.shutdown(socket.SHUT_RDWR)
        self._program.wait(10)
        self._channel.close()


def _opened(stream: int | IO[bytes], number: int, theirs: contextlib.ExitStack) -> tuple[int, IO[bytes] | None]:
    """The descriptor that the process gets as `number`, and our end where that is a pipe."""
    if stream == subprocess.DEVNULL:
        return theirs.enter_context(Path(os.devnull).open("r+b")).fileno(), None
    if stream != subprocess.PIPE:
        return (stream if isinstance(stream, int) else stream.fileno()), None
    out, into = os.pipe()
    given, ours = (out, into) if number == 0 else (into, out)
    theirs.callback(os.close, given)
    return given, os.fdopen(ours, "wb" if number == 0 else "rb")


@cache
def _server(command: str) -> ForkServer:
    return ForkServer(LOADED[command])
