"""Whether a request could be served: is the CLI signed in? Asked of the CLI itself, cached, spending no tokens.

`claude auth status` prints JSON and exits 1 when signed out (Claude Code 2.1.330); it takes about 0.1 s, so it runs
beside the requests that want to know and never holds one up.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

import orjson

FRESH_SECONDS = 30.0
ASK_SECONDS = 10.0


class Login:
    """The CLI's login, as last heard."""

    def __init__(self, program: Path, environ: Mapping[str, str], cwd: Path) -> None:
        self._program = program
        self._environ = environ
        self._cwd = cwd
        self._heard = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self.signed_in: bool | None = None

    def look(self) -> bool | None:
        """What is known now, None for nothing yet; begins to ask again when that is old."""
        if time.monotonic() - self._heard > FRESH_SECONDS and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask())
        return self.signed_in

    async def close(self) -> None:
        """Stops asking."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking

    async def _ask(self) -> None:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            child = await asyncio.create_subprocess_exec(
                *(self._program, "auth", "status"),
                stdin=null,
                stdout=pipe,
                stderr=null,
                env=self._environ,
                cwd=self._cwd,
            )
        except OSError:
            self.signed_in = None
            return
        try:
            said, _ = await asyncio.wait_for(child.communicate(), ASK_SECONDS)
            self.signed_in = bool(orjson.loads(said)["loggedIn"])
            self._heard = time.monotonic()
        except (TimeoutError, orjson.JSONDecodeError, KeyError, TypeError):
            self.signed_in = None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
