"""Whether a request could be served: is the CLI signed in? Each new process says so; later the CLI is asked.

A query takes 0.2 s of CPU time and no tokens, and runs in the background; no request waits for it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from .engine.probe.queries import login, plan_of, signed_in
from .errors import CliCrashed
from .events import JsonObject

log = logging.getLogger("claude_max")

FRESH_SECONDS = 30.0
# After the start, how long the first process has to say it, before the CLI is asked.
FIRST_SECONDS = 5.0


class Login:
    """The CLI's login, as of the last query or the newest process."""

    def __init__(self, program: Path, environ: Mapping[str, str]) -> None:
        self._program = program
        self._environ = environ
        self._heard = time.monotonic() - FRESH_SECONDS + FIRST_SECONDS
        self._asking: asyncio.Task[None] | None = None
        self.signed_in: bool | None = None
        # Whether the latest query said no.
        self._denied = False
        # The subscription as the CLI names it ("pro", "max"); None if there is none, or it is not known.
        self.plan: str | None = None

    def look(self) -> bool | None:
        """The cached state, None if not known yet; starts a new query if it is old."""
        if time.monotonic() - self._heard > FRESH_SECONDS and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask())
        return self.signed_in

    def told(self, cli_info: JsonObject) -> None:
        """Takes over what a new process says in its reply to `initialize`.

        It knows of a login, not whether that is still good: where the CLI itself says that nobody is signed in, a
        process does not contradict it.
        """
        is_in = signed_in(cli_info)
        if is_in and self._denied:
            return
        self._note(is_in)
        self.plan = plan_of(cli_info)
        self._heard = time.monotonic()

    async def close(self) -> None:
        """Stops asking."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking

    def _note(self, signed_in: bool) -> None:
        if not signed_in and self.signed_in is not False:
            lost = "is no longer" if self.signed_in else "is not"
            log.error("Claude Code %s signed in: every request will fail. Run `claude-max login`.", lost)
        elif signed_in and self.signed_in is False:
            log.info("Claude Code is signed in again.")
        self.signed_in = signed_in

    async def _ask(self) -> None:
        try:
            said = await login(self._program, self._environ)
            self._denied = said["loggedIn"] is not True
            self._note(not self._denied)
            plan = said.get("subscriptionType")
            self.plan = plan if isinstance(plan, str) else None
        except (CliCrashed, OSError):
            # An OSError is local: no space for the query's folder, or no file handle left.
            self.signed_in = None
        self._heard = time.monotonic()
