"""Looks after a pool while nobody asks: old, large and superfluous workers go, and all of them when the CLI changes.

The login is watched by the time of its file, which is never opened. Where there is no file (the macOS keychain), the
next 401 does the same.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import psutil

from ..errors import CliUnavailable
from ..events import JsonObject
from .channel import Doubt
from .plan import Feature
from .pool import Pool

log = logging.getLogger("claude_max.engine")

EVERY_SECONDS = 10.0
# More than a process was seen to take (`config.WORKER_MB`).
LARGE_BYTES = 450 * 1024 * 1024
# How long more workers than are kept warm may stand idle.
IDLE_SECONDS = 600.0

Signature = tuple[int, int] | None


def signature(file: Path) -> Signature:
    """Size and time of a file, None for one that is not there."""
    try:
        # With links followed: a circle of them is as good as nothing.
        stat = file.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def login_file(environ: Mapping[str, str]) -> Path:
    """Where the CLI keeps its login on Linux and Windows."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    return Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude") / ".credentials.json"


def resident(pid: int) -> int:
    """Memory of a process in bytes, 0 when it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


class Upkeep:
    """Runs until it is cancelled."""

    def __init__(
        self, pool: Pool, program: Path, login: Path, recheck: Callable[[], Awaitable[frozenset[Feature]]]
    ) -> None:
        """`recheck` examines a CLI that has changed on disk; raises CliUnavailable when it may not be used."""
        self._pool = pool
        self._program = program
        self._login = login
        self._recheck = recheck
        self._refusal: CliUnavailable | None = None
        self._examining = asyncio.Lock()
        self._examined = signature(program)
        self._stale = False
        self._version: object = None
        self._login_seen = signature(login)

    async def run(self) -> None:
        """Looks, every EVERY_SECONDS."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.look()
            except Exception:
                # Whatever it was, the next look is another one.
                log.exception("the look after the workers failed")

    async def examine(self, *, again: bool = False) -> None:
        """Examines the CLI on disk when it is another one than last time, or `again`; to be called before it is run.

        Raises CliUnavailable when it may not be used.
        """
        async with self._examining:
            seen = signature(self._program)
            if seen != self._examined or self._stale or again:
                level = logging.DEBUG if again else logging.WARNING
                log.log(level, "the Claude Code CLI has changed on disk")
                try:
                    self._pool.admit(await self._recheck())
                    self._refusal = None
                except CliUnavailable as error:
                    log.log(level, "it cannot be used: %s", error.message)
                    self._refusal = CliUnavailable(
                        "The Claude Code CLI has changed on disk and cannot be used; the proxy's log and "
                        "`claude-max doctor` say why."
                    )
                    self._pool.refuse(self._refusal)
                self._examined, self._stale, self._version = seen, False, None
                self._pool.renew()
            if self._refusal is not None:
                raise self._refusal.with_traceback(None)

    def accept(self, about: JsonObject) -> None:
        """Takes note of what a new process says of itself (its answer to `initialize`).

        Raises Doubt where it is of another version than the first one after the examination: the file of a wrapper
        (volta, mise, asdf) stays the same when the CLI behind it changes.
        """
        version = about.get("claude_code_version")
        if self._version is None:
            self._version = version
        elif version != self._version:
            self._stale = True
            raise Doubt(f"Claude Code is {version} now, and was {self._version} when it was examined")

    async def look(self) -> None:
        """One look. What was refused by bad luck is examined once more."""
        with contextlib.suppress(CliUnavailable):
            await self.examine(again=self._refusal is not None)
        before, self._login_seen = self._login_seen, signature(self._login)
        if self._login_seen != before:
            self._pool.renew()
        self._pool.trim(idle=IDLE_SECONDS, too_large=lambda pid: resident(pid) > LARGE_BYTES)
