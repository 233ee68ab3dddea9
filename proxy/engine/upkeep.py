"""Looks after a pool while nobody asks: old, large and superfluous workers go, and all of them when the CLI changes.

The login is watched by the time of its file, which is never opened. Where there is no file (the macOS keychain), the
next 401 does the same.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import psutil

from ..errors import CliUnavailable
from .plan import Feature
from .pool import Pool

log = logging.getLogger("claude_max.engine")

EVERY_SECONDS = 10.0
# A process begins at 155 MB and was seen at 339 MB after 200 turns with tools.
LARGE_BYTES = 450 * 1024 * 1024
# How long more workers than are kept warm may stand idle.
IDLE_SECONDS = 600.0

Signature = tuple[tuple[int, int] | None, ...]


def signature(*files: Path) -> Signature:
    """Size and time of each file, None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for file in files:
        try:
            # With links followed: a circle of them is as good as nothing.
            stat = file.stat()
            found.append((stat.st_size, stat.st_mtime_ns))
        except OSError:
            found.append(None)
    return tuple(found)


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
        self._refused = False
        self._seen = (signature(program), signature(login))

    async def run(self) -> None:
        """Looks, every EVERY_SECONDS."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.look()
            except Exception:
                # Whatever it was, the next look is another one.
                log.exception("the look after the workers failed")

    async def look(self) -> None:
        """One look."""
        seen = (signature(self._program), signature(self._login))
        before, self._seen = self._seen, seen
        if seen[0] != before[0] or self._refused:
            log.info("the Claude Code CLI has changed on disk")
            try:
                self._pool.admit(await self._recheck())
                self._refused = False
            except CliUnavailable as error:
                self._pool.refuse(error)
                self._refused = True
        if seen != before:
            self._pool.renew()
        self._pool.trim(idle=IDLE_SECONDS, too_large=lambda pid: resident(pid) > LARGE_BYTES)
