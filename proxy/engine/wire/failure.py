"""Maps the CLI's error messages to our errors. Pure.

Measured on Claude Code 2.1.330 with CLAUDE_CODE_MAX_RETRIES=0. The text of an error ("Not logged in · Please run
/login") is never an answer; it becomes the message of the error.
"""

import re

from ... import errors
from ...events import JsonObject
from ...plan import WINDOWS, when

# What the CLI says of a request of its own after the model's answer began, when its address has been taken away.
INVALID_URL = "Invalid URL"
SIGN_IN = "Sign in with `claude-max login`, which runs `claude auth login`, then try again."

_API_ERROR = re.compile(r"(^|\. )API Error: (?:\d{3} )?")
# "Third-party apps now draw from your extra usage" and "Usage credits are required for long context requests": what a
# plan does not cover. Other sentences of the service hold the words "third-party" too.
_EXTRA_USAGE = re.compile(r"extra usage|usage credits?\b", re.IGNORECASE)
_REQUIRED = re.compile(r"\brequires?d?\b", re.IGNORECASE)
_SIGN_IN_AGAIN = re.compile(r"log ?in\b|revoked|expired", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"(?:prompt|input|conversation) is too long|context (?:window|length|limit)"
    r"|exceeds? the (?:model's )?maximum (?:context|number of (?:input )?tokens)",
    re.IGNORECASE,
)


def from_result(
    result: JsonObject, notice: JsonObject | None, limit: JsonObject | None, now: float, *, begun: bool = False
) -> errors.ProxyError:
    """The error of a turn that ended in a `result` without an answer, or without the end of one that has `begun`.

    `notice` is the CLI's `assistant` line for the error, `limit` the latest `rate_limit_info`, `now` unix seconds.
    """
    status = result.get("api_error_status")
    kind = (notice or {}).get("error")
    text = _text(result, notice)
    reason = str(result.get("terminal_reason") or "")
    if begun and INVALID_URL in text:
        # After a whole block the CLI (2.1.332) does not tell how the answer ended, and asks the model to resume.
        return errors.UpstreamFault("The service's answer broke off: the connection was cut, or the service failed.")
    # As a 429 only where it asks for something; a plan's limit that is reached mentions extra usage as a way out.
    if _EXTRA_USAGE.search(text) and (status != 429 or _REQUIRED.search(text)):
        return errors.ExtraUsageRequired(text)
    # No status: the CLI counted itself and sent no request.
    if reason == "prompt_too_long" or (status in (None, 400, 413) and _TOO_LONG.search(text)):
        return errors.ContextTooLong(
            f"The conversation does not fit the model's context window: {text}", param="messages"
        )
    if status == 429 or kind == "rate_limit":
        return rate_limited(text, limit, now)
    # The CLI calls every 403 a failure to authenticate; most say what this account may not, signed in or not.
    if status == 403 and not _SIGN_IN_AGAIN.search(text):
        return errors.PermissionDenied(f"The service refuses this account: {text}")
    if status in (401, 403) or kind == "authentication_failed":
        return errors.NotSignedIn(f"The Claude Code CLI is not signed in ({text}). {SIGN_IN}")
    if status == 402 or kind == "billing_error":
        return errors.ExtraUsageRequired(text)
    if status == 404:
        return errors.ModelNotFound(f"The service does not know this model: {text}", param="model")
    if status == 413:
        return errors.TooLarge(f"The service refused the request: {text}")
    if status in (400, 422) or kind == "invalid_request":
        return errors.BadRequest(f"The service refused the request: {text}")
    if status == 529:
        return _brief(errors.Overloaded(f"The service is overloaded: {text}"))
    if result.get("is_error") is False:
        # What the CLI took for an answer is the beginning of one, or its own.
        return errors.UpstreamFault("The turn ended without a whole answer.")
    if isinstance(status, int):
        return _brief(errors.UpstreamFault(f"The service failed with status {status}: {text}"))
    # A connection that the other side closed; a process that stands ready meets that each time after a pause.
    return _brief(errors.UpstreamFault(f"The service gave no answer: {text or reason or 'no reason given'}"))


def rate_limited(text: str, limit: JsonObject | None, now: float) -> errors.RateLimited:
    """The 429, with the window and the time of its reset where the CLI told them (`resetsAt`, unix seconds)."""
    info = limit or {}
    window = WINDOWS.get(str(info.get("rateLimitType")), "")
    resets = info.get("resetsAt") if info.get("status") in (None, "rejected") else None
    if not isinstance(resets, int | float) or resets <= now:
        return errors.RateLimited(text or "The service's rate limit is reached.")
    moment = when(resets)
    if not moment:
        # Not a time that anybody could wait for.
        return errors.RateLimited(text or "The service's rate limit is reached.")
    reset = f"resets at {moment} ({_span(resets - now)} from now)"
    if not window:
        return errors.RateLimited(
            f"{text or 'The service is limiting requests'}. It {reset}.", retry_after=resets - now
        )
    return errors.RateLimited(f"Your plan's {window} is reached. It {reset}. {text}".strip(), retry_after=resets - now)


def _brief(error: errors.ProxyError) -> errors.ProxyError:
    error.brief = True
    return error


def _text(result: JsonObject, notice: JsonObject | None) -> str:
    texts: list[str] = []
    if isinstance(result.get("result"), str):
        texts.append(result["result"])
    if notice is not None:
        blocks = notice.get("message", {}).get("content") or []
        texts.extend(b["text"] for b in blocks if isinstance(b, dict) and isinstance(b.get("text"), str))
    texts.extend(e for e in result.get("errors") or [] if isinstance(e, str))
    found = next((text for text in texts if text.strip()), "")
    return _API_ERROR.sub(r"\1", found).strip()


def _span(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {rest} min" if hours else f"{minutes} min"
