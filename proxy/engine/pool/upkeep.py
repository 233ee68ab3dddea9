"""Looks after a pool while nobody asks: old, large and superfluous workers go, and all of them when the CLI changes.

The login is watched by the time of its file, which is never opened. Where there is no file (the macOS keychain), the
next 401 does the same.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import psutil

from ...errors import CliUnavailable
from ...events import JsonObject
from ..planning.steps import Feature
from ..process.channel import Unconfirmed
from ..wire.versions import Version, dotted, version_of
from .pool import Pool

log = logging.getLogger("claude_max.engine")

EVERY_SECONDS = 10.0
GLANCE_SECONDS = 1.0
# Examinations of a refused CLI lie at most 2 to this power looks apart: eighty seconds.
MOST_VAIN = 3
CHANGED = "The Claude Code CLI has changed on disk and cannot be used; the proxy's log and `claude-max doctor` say why."
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
        self,
        pool: Pool,
        program: Path,
        login: Path,
        recheck: Callable[[], Awaitable[tuple[Version, frozenset[Feature]]]],
    ) -> None:
        """`recheck` tells of a CLI that has changed its version and its features; raises CliUnavailable."""
        self._pool = pool
        self._program = program
        self._login = login
        self._recheck = recheck
        self._refusal: CliUnavailable | None = None
        self._examining = asyncio.Lock()
        self._examined = signature(program)
        self._stale = False
        self._vain = self._skips = 0
        # Until it is known from an examination of ours: that of the first process.
        self._version: Version | None = None
        self._login_seen = signature(login)

    async def run(self) -> None:
        """Looks every EVERY_SECONDS, and when the file of the CLI is another one than at a glance before."""
        since = 0.0
        while True:
            await asyncio.sleep(GLANCE_SECONDS)
            since += GLANCE_SECONDS
            if since < EVERY_SECONDS and signature(self._program) in (self._examined, None):
                continue
            since = 0.0
            try:
                await self.look()
            except Exception:
                # Whatever it was, the next look is another one.
                log.exception("a look after the workers failed")

    async def examine(self) -> None:
        """To be called before the CLI is run: examines it when it is another one than last time.

        Raises CliUnavailable when it may not be used. One that is not there may be about to be replaced: for that alone
        nothing is decided, and idle workers go on.
        """
        async with self._examining:
            while (seen := signature(self._program)) != self._examined or self._stale:
                if seen is None:
                    raise CliUnavailable(CHANGED)
                log.warning("the Claude Code CLI has changed on disk")
                await self._examine(seen)
            if self._refusal is not None:
                raise self._refusal.with_traceback(None)

    async def _examine(self, seen: Signature) -> None:
        try:
            self._version, features = await self._recheck()
        except CliUnavailable as error:
            log.warning("the Claude Code CLI cannot be used: %s", error.message)
            # The same one is tried again at longer and longer intervals: an examination takes a second of processor.
            self._vain = min(self._vain + 1, MOST_VAIN) if seen == self._examined else 0
            self._skips = 2**self._vain - 1
            self._refusal = CliUnavailable(CHANGED)
            self._pool.refuse(self._refusal)
        else:
            self._refusal = None
            self._pool.admit(features)
        self._examined, self._stale = seen, False
        self._pool.renew()

    def accept(self, cli_info: JsonObject) -> None:
        """Takes note of what a new process says of itself (its answer to `initialize`).

        Raises Unconfirmed where it is of another version than the CLI that was examined: the file of a wrapper (volta,
        mise, asdf) stays the same when the CLI behind it changes.
        """
        version = version_of(str(cli_info.get("claude_code_version")))
        if self._version is None:
            self._version = version
        elif version is not None and version != self._version:
            self._stale = True
            raise Unconfirmed(
                f"Claude Code is {dotted(version)} now, and was {dotted(self._version)} when it was examined"
            )

    async def look(self) -> None:
        """One look. What is refused, or not there, is tried again: it may have been bad luck."""
        async with self._examining:
            seen = signature(self._program)
            if seen != self._examined or (self._refusal is not None and not self._skips):
                await self._examine(seen)
            else:
                self._skips = max(0, self._skips - 1)
        before, self._login_seen = self._login_seen, signature(self._login)
        if self._login_seen != before:
            self._pool.renew()
        self._pool.trim(idle=IDLE_SECONDS, too_large=lambda pid: resident(pid) > LARGE_BYTES)
