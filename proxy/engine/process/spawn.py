"""One running `claude`: bytes to its stdin, lines from its stdout. The only file that spawns workers.

Knows nothing of turns. Every wait for an exit has a time limit and is shielded from cancellation. The whole process
group is ended, not only the process.
"""

import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import CliCrashed, CliUnavailable, Overloaded
from ...events import JsonObject
from ..wire.ndjson import LineReader, Malformed, encode
from .reaper import REAPER

# Closing stdin lets an idle CLI remove its session file and go: 40 ms measured; a loaded machine may take longer.
EXIT_SECONDS = 2.0
# SIGTERM: 20 ms measured. A CLI that ignores it is killed.
TERMINATE_SECONDS = 1.0
CHUNK = 256 * 1024
STDERR_TAIL = 4096
# Errors of a machine that lacks a resource for now; a later start may work.
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)


class ClaudeProcess:
    """A child process. Made by `spawn`; `close` may be called any number of times."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self._stderr = b""
        self._drain = asyncio.create_task(self._read_stderr())
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(
        cls, program: Path, arguments: Sequence[str], environ: Mapping[str, str], cwd: Path
    ) -> "ClaudeProcess":
        """Starts the program in its own process group. Raises CliUnavailable or Overloaded when it cannot."""
        group: dict[str, Any] = {} if sys.platform == "win32" else {"start_new_session": True}
        pipe = asyncio.subprocess.PIPE
        try:
            child = await asyncio.create_subprocess_exec(
                program, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environ), cwd=cwd, **group
            )
        except OSError as error:
            why = error.strerror or error
            if error.errno in EXHAUSTED:
                raise Overloaded(f"This machine has no room for another claude process now ({why}).") from None
            raise CliUnavailable(
                f"The Claude Code CLI could not be started ({why}). `claude-max doctor` says more."
            ) from None
        REAPER.hold(child.pid)
        return cls(child)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def closing(self) -> bool:
        """Whether it is being ended, or was."""
        return self._closing is not None

    @property
    def alive(self) -> bool:
        """Whether it has not ended and is not being ended."""
        return self._child.returncode is None and self._closing is None

    async def send(self, *lines: JsonObject | bytes) -> None:
        """Writes whole lines; bytes are lines already. Raises CliCrashed when the process is gone."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.writelines(line if isinstance(line, bytes) else encode(line) for line in lines)
            await self._child.stdin.drain()
        except (ConnectionError, RuntimeError):
            raise self.crashed() from None

    def post(self, *lines: JsonObject) -> None:
        """Writes whole lines without waiting for room: the task that reads stdout must never wait for stdin."""
        assert self._child.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._child.stdin.write(b"".join(encode(line) for line in lines))

    async def lines(self) -> AsyncIterator[JsonObject]:
        """Every line until the process closes stdout. Raises CliCrashed when one is not a JSON object or is cut."""
        assert self._child.stdout is not None
        reader = LineReader()
        try:
            while chunk := await self._child.stdout.read(CHUNK):
                for line in reader.feed(chunk):
                    yield line
        except Malformed as error:
            raise CliCrashed(f"The Claude Code CLI wrote {error}.") from None
        if reader.pending:
            raise CliCrashed("The Claude Code CLI ended in the middle of a line.")

    async def output(self) -> bytes:
        """Everything it writes, with nothing on its stdin: for commands that answer and end."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        return await self._child.stdout.read()

    async def ended(self) -> None:
        """Waits for the exit code of a process that closed its stdout, bounded."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TERMINATE_SECONDS):
                await self._child.wait()

    def crashed(self) -> CliCrashed:
        """What to say of a process that is gone, with the last of its stderr in the log only."""
        code = self._child.returncode
        how = (
            "ended" if code is None else f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        )
        return CliCrashed(f"The Claude Code CLI {how} before the answer was complete.")

    @property
    def stderr_tail(self) -> str:
        """The last 4 KiB of stderr, for logs; never for clients."""
        return self._stderr.decode(errors="replace").strip()

    async def close(self) -> None:
        """Ends the process and waits for it: closes stdin, then SIGTERM, then SIGKILL, each wait bounded."""
        await asyncio.shield(self.begin_close())

    def begin_close(self) -> "asyncio.Task[None]":
        """The same in the background."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        return self._closing

    async def _close(self) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        for seconds, kill in ((EXIT_SECONDS, False), (TERMINATE_SECONDS, True)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._child.wait()
                break
            self._signal(kill)
        await self._child.wait()
        # Whatever the CLI itself had started goes with it.
        self._signal(True)
        REAPER.release(self._child.pid)
        await asyncio.wait({self._drain}, timeout=TERMINATE_SECONDS)
        self._drain.cancel()

    def _signal(self, kill: bool) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._child.kill()
            else:
                os.killpg(self._child.pid, signal.SIGKILL if kill else signal.SIGTERM)
                if not kill:
                    # A stopped process would never hear of it.
                    os.killpg(self._child.pid, signal.SIGCONT)

    async def _read_stderr(self) -> None:
        assert self._child.stderr is not None
        while chunk := await self._child.stderr.read(CHUNK):
            self._stderr = (self._stderr + chunk)[-STDERR_TAIL:]
