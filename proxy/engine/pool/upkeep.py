"""Maintains a pool: ends old, large and surplus workers, and all of them when the CLI or its login changes.

The login is watched by its file's modification time; the file is never opened. Where there is no file (the macOS
keychain), the next 401 has the same effect.
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
# A refused CLI is examined again after at most 2 to this power checks: eighty seconds.
MOST_VAIN = 3
CHANGED = "The Claude Code CLI has changed on disk and cannot be used; the proxy's log and `claude-max doctor` say why."
# Above what a process normally takes (`config.WORKER_MB`).
LARGE_BYTES = 450 * 1024 * 1024
# How long surplus workers stay idle.
IDLE_SECONDS = 600.0

Signature = tuple[int, int] | None


def signature(file: Path) -> Signature:
    """Size and modification time of a file, None where it does not exist."""
    try:
        # Follows links; a loop of them counts as missing.
        stat = file.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def login_file(environ: Mapping[str, str]) -> Path:
    """Where the CLI keeps its login on Linux and Windows."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    return Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude") / ".credentials.json"


def resident(pid: int) -> int:
    """Resident memory of a process in bytes, 0 when it has ended, or no file is to be had to look."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except (psutil.Error, OSError):
        return 0


class Upkeep:
    """The maintenance task. Runs until it is cancelled."""

    def __init__(
        self,
        pool: Pool,
        program: Path,
        login: Path,
        recheck: Callable[[], Awaitable[tuple[Version, frozenset[Feature]]]],
    ) -> None:
        """`recheck` examines a changed CLI: its version and features. Raises CliUnavailable."""
        self._pool = pool
        self._program = program
        self._login = login
        self._recheck = recheck
        self._refusal: CliUnavailable | None = None
        self._examining = asyncio.Lock()
        self._examined = signature(program)
        self._stale = False
        self._vain = self._skips = 0
        # Before the first examination: the version of the first process.
        self._version: Version | None = None
        self._login_seen = signature(login)

    async def run(self) -> None:
        """Checks every EVERY_SECONDS, and earlier when the CLI's file has changed."""
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
                # The next check may work.
                log.exception("maintenance of the workers failed")

    async def examine(self) -> None:
        """Call before the CLI is run: examines it where it has changed.

        Raises CliUnavailable where it must not be used. A missing file may be about to be replaced, so it changes
        nothing for idle workers.
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
            # The same CLI is examined again at growing intervals: an examination takes a second of CPU time.
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
        """Checks the version in a new process's reply to `initialize`.

        Raises Unconfirmed where it differs from the examined CLI's: the file of a wrapper (volta, mise, asdf) stays the
        same when the CLI behind it changes.
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
        """One check. A refused or missing CLI is examined again, since the failure may have been temporary."""
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
