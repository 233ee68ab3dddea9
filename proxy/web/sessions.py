"""Access to the page if a key is set: the key is checked once, then a random token replaces it.

Tokens are kept in memory, as digests: a restart ends every session. Times are monotonic seconds, passed in by the
caller.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

# How long a session lasts, and the maximum number; the oldest is dropped first.
SESSION_SECONDS = 12 * 3600.0
MOST = 100
# Wrong keys that are allowed at once, and the delay before another one may be tried.
TRIES = 10
TRY_SECONDS = 6.0


class Sessions:
    """The sessions of one server. `key` is its key, None for none; then no session is needed."""

    def __init__(self, key: str | None, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        self._ends: dict[bytes, float] = {}
        self._tries = float(TRIES)
        self._tried = clock()

    @property
    def needed(self) -> bool:
        """Whether a key is set."""
        return self._key is not None

    def wait(self) -> float:
        """Seconds until a key may be tried, 0 for now."""
        now = self._clock()
        self._tries = min(float(TRIES), self._tries + (now - self._tried) / TRY_SECONDS)
        self._tried = now
        return 0.0 if self._tries >= 1 else (1 - self._tries) * TRY_SECONDS

    def sign_in(self, key: str) -> str | None:
        """The token of a new session; None for a wrong key. Ask `wait` before."""
        if self._key is None or not hmac.compare_digest(key.encode(), self._key.encode()):
            self._tries -= 1
            return None
        token = secrets.token_urlsafe(32)
        self._ends = {known: end for known, end in self._ends.items() if end > self._clock()}
        while len(self._ends) >= MOST:
            del self._ends[next(iter(self._ends))]
        self._ends[_digest(token)] = self._clock() + SESSION_SECONDS
        return token

    def sign_out(self, token: str) -> None:
        """Ends a session."""
        self._ends.pop(_digest(token), None)

    def holds(self, token: str) -> bool:
        """Whether the token belongs to a session. It is looked up by its digest, so timing reveals nothing about
        others.
        """
        return bool(token) and self._ends.get(_digest(token), float("-inf")) > self._clock()


def cookie_name(host: str) -> str:
    """The session's cookie on a server that is called by this `Host`: browsers share cookies between ports."""
    port = host.rpartition(":")[2]
    return f"claude_max_{port}" if port.isdigit() else "claude_max"


def tokens_of(cookies: str, host: str) -> list[str]:
    """The tokens in a `Cookie` header.

    Other servers of this machine put theirs beside it, under the same name too, and in any form: `http.cookies` gives
    up at the first that it does not understand.
    """
    pairs = (cookie.partition("=") for cookie in cookies.split(";"))
    return [value.strip() for name, _, value in pairs if name.strip() == cookie_name(host)]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
