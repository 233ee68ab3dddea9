"""Every failure a client can meet, each with its HTTP status, OpenAI `type` and `code`, and what to do about it.

One base class, one subclass a meaning. Nothing here knows HTTP frameworks or processes: `routes` renders these,
`translate` and `engine` raise them. Statuses and codes follow the OpenAI API reference ("Error codes"); where OpenAI
has no such failure the code says plainly what happened.
"""

from typing import Any, ClassVar

# Characters of a message. Some hold the client's own words, of which there may be megabytes.
LONGEST = 2000


def shortened(text: str, most: int) -> str:
    """`text` without its middle, where it has more than `most` characters."""
    return text if len(text) <= most else f"{text[: most - most // 4]} … {text[-most // 4 :]}"


class ProxyError(Exception):
    """A failure with a meaning. `str(error)` is the sentence the client's user reads.

    `retry_after` is in seconds. `should_retry` False tells SDKs (header `x-should-retry`) that a retry cannot help.
    `brief` says that the fault is likely over a moment later, so the proxy itself asks once more.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str | None] = None
    should_retry: bool | None = None
    brief: bool = False

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        self.message = shortened(message, LONGEST)
        super().__init__(self.message)
        self.param = None if param is None else shortened(param, LONGEST // 10)
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The OpenAI error object, all four keys always present."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

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

    status, type, code = 400, "invalid_request_error", "invalid_value"


class ContextTooLong(BadRequest):
    """The conversation does not fit the model's context window."""

    code = "context_length_exceeded"


class NotSignedIn(ProxyError):
    """The Claude Code CLI has no valid login."""

    status, type, code = 401, "authentication_error", "not_signed_in"
    should_retry = False


class InvalidKey(ProxyError):
    """The bearer key is missing or is not the configured one."""

    status, type, code = 401, "invalid_request_error", "invalid_api_key"


class ExtraUsageRequired(ProxyError):
    """The service says that this kind of use is billed apart from the plan; its own words are the message."""

    status, type, code = 402, "billing_error", "extra_usage_required"
    should_retry = False


class PermissionDenied(ProxyError):
    """The service does not let this account do it; its own words are the message."""

    status, type, code = 403, "permission_error", "permission_denied"
    should_retry = False


class Forbidden(ProxyError):
    """The request comes from where it may not (another Host or Origin)."""

    status, type, code = 403, "invalid_request_error", "forbidden"


class NotFound(ProxyError):
    """No such path."""

    status, type, code = 404, "invalid_request_error", "not_found"


class ModelNotFound(NotFound):
    """No such model."""

    code = "model_not_found"


class MethodNotAllowed(ProxyError):
    """The path exists, the method does not."""

    status, type, code = 405, "invalid_request_error", "method_not_allowed"


class RequestTimeout(ProxyError):
    """The request's body did not arrive in time."""

    status, type, code = 408, "invalid_request_error", "request_timeout"


class TooLarge(ProxyError):
    """The request's body is over the limit."""

    status, type, code = 413, "invalid_request_error", "request_too_large"


class UnsupportedMediaType(ProxyError):
    """The request's body is not `application/json`."""

    status, type, code = 415, "invalid_request_error", "unsupported_media_type"


class HeadTooLarge(ProxyError):
    """The request's head is over the limit."""

    status, type, code = 431, "invalid_request_error", "request_head_too_large"


class RateLimited(ProxyError):
    """The plan's limit is reached; `retry_after` is the time to the window's real reset when the CLI tells it."""

    status, type, code = 429, "rate_limit_error", "rate_limit_exceeded"

    # An SDK that sleeps for hours looks hung: past this many seconds the person should decide, not a retry loop.
    PATIENCE: ClassVar[float] = 60.0

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, param=param, retry_after=retry_after)
        if retry_after is not None and retry_after > self.PATIENCE:
            self.should_retry = False


class Busy(ProxyError):
    """All workers are taken and the queue is full, or too many requests are in flight."""

    status, type, code = 429, "rate_limit_error", "server_busy"

    RETRY_SECONDS: ClassVar[float] = 2.0

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=self.RETRY_SECONDS)


class ServerFault(ProxyError):
    """A fault of this program itself."""

    status, type, code = 500, "server_error", "internal_error"


class CliCrashed(ProxyError):
    """The claude process died or spoke nonsense in the middle of a turn."""

    status, type, code = 502, "server_error", "cli_crashed"


class UpstreamFault(ProxyError):
    """The service behind the CLI failed or cut its answer short."""

    status, type, code = 502, "server_error", "upstream_error"


class CompositionIgnored(ProxyError):
    """The CLI asked the model something else than the client's request; what came back is not an answer to it."""

    status, type, code = 502, "server_error", "composition_ignored"


class CliUnavailable(ProxyError):
    """No usable Claude Code CLI: missing, too old, or refused by the contract check."""

    status, type, code = 503, "server_error", "cli_unavailable"
    should_retry = False


class CliTooOld(CliUnavailable):
    """There is one, and an update would do."""


class Overloaded(ProxyError):
    """The service, or this machine, is overloaded; trying again a little later may help."""

    status, type, code = 503, "server_error", "overloaded"


class ShuttingDown(ProxyError):
    """The proxy is stopping; the next one to start can answer."""

    status, type, code = 503, "server_error", "shutting_down"


class TimedOut(ProxyError):
    """The model did not answer within the configured time."""

    status, type, code = 504, "server_error", "timeout"
