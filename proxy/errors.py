"""Every failure a client can get: its kind, its HTTP status, a sentence, and what to do about it.

One base class, one subclass per meaning. `translate` and `engine` raise them. Each API dialect has its own wire format
for errors (`translate/common/dialect.py`); nothing here depends on a dialect, HTTP framework or process.
"""

import re
from typing import ClassVar, Literal

# Maximum characters of a message. Some quote the client's input, which may be megabytes.
LONGEST = 2000

# C0 and C1 controls, and the characters that change the direction of text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Kind = Literal[
    "invalid_request",
    "context_too_long",
    "not_signed_in",
    "invalid_key",
    "extra_usage_required",
    "permission_denied",
    "forbidden",
    "not_found",
    "model_not_found",
    "method_not_allowed",
    "request_timeout",
    "too_large",
    "unsupported_media_type",
    "head_too_large",
    "rate_limited",
    "busy",
    "internal",
    "cli_crashed",
    "upstream_failed",
    "composition_ignored",
    "cli_unavailable",
    "overloaded",
    "shutting_down",
    "timed_out",
]


def shortened(text: str, most: int) -> str:
    """`text` without its middle, if it has more than `most` characters."""
    return text if len(text) <= most else f"{text[: most - most // 4]} … {text[-most // 4 :]}"


def harmless(text: str) -> str:
    """`text` with terminal control characters escaped: parts of it come from clients, models or programs. Line breaks
    and tabs are kept.
    """
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class ProxyError(Exception):
    """A failure with a meaning.

    `kind` is its name, the same in every dialect. `sentence` says what happened, `hint` what to do about it (empty for
    none); `message`, and `str(error)`, is both. `param` is the path of the field it is about: as the client's dialect
    names it where `translate` raises the error, the Turn's field where the engine does. `retry_after` is in seconds.
    `should_retry` False tells SDKs (header `x-should-retry`) that a retry cannot help. `brief` says that the fault is
    likely over a moment later, so the proxy itself asks once more.
    """

    kind: ClassVar[Kind] = "internal"
    status: ClassVar[int] = 500
    should_retry: bool | None = None
    brief: bool = False

    def __init__(
        self, sentence: str, *, hint: str = "", param: str | None = None, retry_after: float | None = None
    ) -> None:
        self.hint = hint
        self.reword(sentence)
        self.param = None if param is None else harmless(shortened(param, LONGEST // 10))
        self.retry_after = retry_after

    def reword(self, sentence: str) -> None:
        """Replaces the sentence; the hint stays."""
        self.sentence = harmless(shortened(sentence, LONGEST))
        self.message = f"{self.sentence} {self.hint}" if self.hint else self.sentence
        self.args = (self.message,)

    def headers(self) -> dict[str, str]:
        """Headers that tell a client when, and whether, to try again (`Retry-After` in whole seconds, rounded up)."""
        headers: dict[str, str] = {}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(1, -int(-self.retry_after // 1)))
        if self.should_retry is not None:
            headers["x-should-retry"] = "true" if self.should_retry else "false"
        return headers


class BadRequest(ProxyError):
    """The request itself is wrong; `param` names the field."""

    kind: ClassVar[Kind] = "invalid_request"
    status = 400


class ContextTooLong(BadRequest):
    """The conversation does not fit the model's context window."""

    kind = "context_too_long"


class NotSignedIn(ProxyError):
    """The Claude Code CLI has no valid login."""

    kind, status = "not_signed_in", 401
    should_retry = False


class InvalidKey(ProxyError):
    """The bearer key is missing or is not the configured one."""

    kind, status = "invalid_key", 401


class ExtraUsageRequired(ProxyError):
    """The service bills this kind of use separately from the plan; the message is the service's own."""

    kind, status = "extra_usage_required", 402
    should_retry = False


class PermissionDenied(ProxyError):
    """The service does not allow this for the account; the message is the service's own."""

    kind, status = "permission_denied", 403
    should_retry = False


class Forbidden(ProxyError):
    """The request comes from a Host or Origin that is not allowed."""

    kind, status = "forbidden", 403


class NotFound(ProxyError):
    """No such path."""

    kind: ClassVar[Kind] = "not_found"
    status = 404


class ModelNotFound(NotFound):
    """No such model."""

    kind = "model_not_found"


class MethodNotAllowed(ProxyError):
    """The path exists, the method does not."""

    kind, status = "method_not_allowed", 405


class NoWebSocket(MethodNotAllowed):
    """A WebSocket was requested. The status makes clients that support both fall back to plain HTTP at once (Codex
    does).
    """

    status = 426


class RequestTimeout(ProxyError):
    """The request's body did not arrive in time."""

    kind, status = "request_timeout", 408


class TooLarge(ProxyError):
    """The request's body is over the limit."""

    kind, status = "too_large", 413


class UnsupportedMediaType(ProxyError):
    """The request's body is not `application/json`."""

    kind, status = "unsupported_media_type", 415


class HeadTooLarge(ProxyError):
    """The request's head is over the limit."""

    kind, status = "head_too_large", 431


class RateLimited(ProxyError):
    """The plan's limit is reached; `Retry-After` is the time until it resets, if the CLI reports it."""

    kind, status = "rate_limited", 429

    # An SDK that sleeps for hours looks hung: above this many seconds the user should decide, not a retry loop.
    PATIENCE: ClassVar[float] = 60.0

    def __init__(
        self, sentence: str, *, hint: str = "", param: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(sentence, hint=hint, param=param, retry_after=retry_after)
        if retry_after is not None and retry_after > self.PATIENCE:
            self.should_retry = False


class Busy(ProxyError):
    """All workers are busy and the queue is full, or too many requests are in flight."""

    kind, status = "busy", 429

    RETRY_SECONDS: ClassVar[float] = 2.0

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, retry_after=self.RETRY_SECONDS)


class ServerFault(ProxyError):
    """A bug in claude-max."""

    kind, status = "internal", 500


class CliCrashed(ProxyError):
    """The claude process died, or wrote something unreadable, in the middle of a turn."""

    kind, status = "cli_crashed", 502


class UpstreamFault(ProxyError):
    """The upstream service failed or cut its answer short."""

    kind, status = "upstream_failed", 502


class CompositionIgnored(ProxyError):
    """The CLI did not send the client's request, so the response is not an answer to it."""

    kind, status = "composition_ignored", 502


class CliUnavailable(ProxyError):
    """No usable Claude Code CLI: missing, too old, or refused by the contract check."""

    kind, status = "cli_unavailable", 503
    should_retry = False


class CliTooOld(CliUnavailable):
    """There is a CLI, and an update would fix it."""


class Overloaded(ProxyError):
    """The service or this machine is overloaded; retrying a little later may help."""

    kind, status = "overloaded", 503


class ShuttingDown(ProxyError):
    """The proxy is shutting down; retry once it has restarted."""

    kind, status = "shutting_down", 503


class TimedOut(ProxyError):
    """The model did not answer within the configured time."""

    kind, status = "timed_out", 504
