"""Every row of what the CLI says of failures, as the error a client gets."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from claude_max.proxy import errors
from claude_max.proxy.engine.wire.failure import from_result, rate_limited

NOW = 1_800_000_000.0
SIGN_IN = "Not logged in · Please run /login"


def failed(text: str, status: int | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "result", "is_error": True, "api_error_status": status, "result": text, **more}


def noticed(error: str, text: str = "") -> dict[str, Any]:
    return {"type": "assistant", "error": error, "message": {"content": [{"type": "text", "text": text}]}}


ROWS: list[tuple[dict[str, Any], dict[str, Any] | None, type[errors.ProxyError], str]] = [
    (failed("API Error: Server is temporarily limiting requests", 429), None, errors.RateLimited, "Server is temp"),
    (failed("API Error: 529 Overloaded", 529), None, errors.Overloaded, "The service is overloaded: Overloaded"),
    (failed(SIGN_IN, 401), noticed("authentication_failed"), errors.NotSignedIn, SIGN_IN),
    (failed(SIGN_IN), noticed("authentication_failed"), errors.NotSignedIn, "`claude auth login`"),
    (failed("no", 403), noticed("authentication_failed"), errors.PermissionDenied, "refuses this account: no"),
    (failed("Failed to authenticate. API Error: 403 no", 403), None, errors.PermissionDenied, "authenticate. no"),
    (failed("Please log in again", 403), noticed("authentication_failed"), errors.NotSignedIn, "`claude auth login`"),
    (failed("Prompt is too long", 400, terminal_reason="prompt_too_long"), None, errors.ContextTooLong, "too long"),
    (failed("prompt is too long: 9 tokens > 8 maximum", 400), None, errors.ContextTooLong, "9 tokens"),
    (failed("input exceeds the maximum context window", 413), None, errors.ContextTooLong, "does not fit"),
    (failed("Prompt is too long"), noticed("invalid_request"), errors.ContextTooLong, "does not fit"),
    (failed("request too large", 413), None, errors.TooLarge, "request too large"),
    (failed("x", None, terminal_reason="prompt_too_long"), None, errors.ContextTooLong, "does not fit"),
    (failed("API Error: 400 stop_sequences: no", 400), noticed("invalid_request"), errors.BadRequest, "stop_seq"),
    (failed("bad"), noticed("invalid_request"), errors.BadRequest, "bad"),
    (failed("bad", 422), None, errors.BadRequest, "bad"),
    (failed("Third-party apps draw from your extra usage", 400), None, errors.ExtraUsageRequired, "Third-party"),
    (failed("Usage credits are required for long context", 429), None, errors.ExtraUsageRequired, "long context"),
    (failed("a third-party service refused it", 400), None, errors.BadRequest, "third-party"),
    (failed("messages: number of images exceeds the maximum of 100", 400), None, errors.BadRequest, "images"),
    (failed("exceeds the model's maximum context", 400), None, errors.ContextTooLong, "does not fit"),
    (failed("pay", 402), None, errors.ExtraUsageRequired, "pay"),
    (failed("pay"), noticed("billing_error"), errors.ExtraUsageRequired, "pay"),
    (failed("Out of extra usage", 429), None, errors.RateLimited, "Out of extra usage"),
    (failed("model: x", 404), None, errors.ModelNotFound, "model: x"),
    (failed("API Error: 500 boom", 500), noticed("server_error"), errors.UpstreamFault, "with status 500: boom"),
    (failed("limited"), noticed("rate_limit"), errors.RateLimited, "limited"),
    (failed("API Error: Connection refused"), None, errors.UpstreamFault, "no answer: Connection refused"),
    (failed("", None, terminal_reason="api_error"), None, errors.UpstreamFault, "no answer: api_error"),
    (failed(""), None, errors.UpstreamFault, "no reason given"),
    ({"type": "result"}, None, errors.UpstreamFault, "no reason given"),
    (failed("", 500), noticed("server_error", "from the notice"), errors.UpstreamFault, "from the notice"),
    ({"type": "result", "is_error": False, "result": "half"}, None, errors.UpstreamFault, "without a whole answer"),
    (failed(" ", 500, errors=["from the list"]), None, errors.UpstreamFault, "from the list"),
]


@pytest.mark.parametrize(("begun", "words"), [(True, "answer broke off"), (False, "no answer: Invalid URL")])
def test_a_request_of_the_clis_own_is_not_told_of(begun: bool, words: str) -> None:
    found = from_result(failed("API Error: Invalid URL"), None, None, NOW, begun=begun)
    assert type(found) is errors.UpstreamFault
    assert words in found.message


@pytest.mark.parametrize(("result", "notice", "kind", "words"), ROWS)
def test_rows(result: dict[str, Any], notice: dict[str, Any] | None, kind: type[errors.ProxyError], words: str) -> None:
    found = from_result(result, notice, None, NOW)
    assert type(found) is kind
    assert words in found.message
    assert "API Error" not in found.message


def test_a_status_that_is_known_keeps_its_field() -> None:
    assert from_result(failed("model: x", 404), None, None, NOW).param == "model"
    assert from_result(failed("prompt is too long", 400), None, None, NOW).param == "messages"


@pytest.fixture
def _east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An hour ahead of UTC: resets are told in local time."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1")
        time.tzset()
        yield
    time.tzset()


WINDOWS = [
    (
        "five_hour",
        3600,
        "Your plan's five-hour limit is reached. It resets at 2027-01-15 10:00 UTC+01:00 (",
    ),
    (
        "seven_day",
        3 * 86400,
        "Your plan's weekly limit is reached. It resets at 2027-01-18 09:00 UTC+01:00 (",
    ),
    (
        "seven_day_opus",
        90,
        "Your plan's weekly Opus limit is reached. It resets at 2027-01-15 09:01 UTC+01:00 (",
    ),
    ("overage", 10, "Your plan's extra usage limit is reached. It resets at 2027-01-15 09:00 UTC+01:00 ("),
]


@pytest.mark.usefixtures("_east")
@pytest.mark.parametrize(("window", "seconds", "words"), WINDOWS)
def test_the_window_and_its_reset_are_told(window: str, seconds: int, words: str) -> None:
    info = {"status": "rejected", "rateLimitType": window, "resetsAt": NOW + seconds}
    found = from_result(failed("API Error: why", 429), None, info, NOW)
    assert found.message.startswith(words)
    assert found.message.endswith("why")
    assert found.retry_after == seconds
    headers = found.headers()
    assert headers["retry-after"] == str(seconds)
    assert headers.get("x-should-retry") == (None if seconds <= 60 else "false")


@pytest.mark.parametrize(
    "info", [None, {}, {"resetsAt": None}, {"resetsAt": NOW - 1, "rateLimitType": "five_hour"}, {"resetsAt": "soon"}]
)
def test_without_a_reset_ahead_only_its_own_words_are_told(info: dict[str, Any] | None) -> None:
    found = rate_limited("why", info, NOW)
    assert (found.message, found.retry_after) == ("why", None)
    assert rate_limited("", info, NOW).message == "The service's rate limit is reached."


@pytest.mark.usefixtures("_east")
def test_an_unknown_window_claims_no_plan() -> None:
    found = rate_limited("why", {"rateLimitType": "new", "resetsAt": NOW + 60}, NOW)
    assert found.message == "why. It resets at 2027-01-15 09:01 UTC+01:00 (1 min from now)."


def test_a_window_that_is_not_rejected_is_not_blamed() -> None:
    info = {"status": "allowed", "rateLimitType": "five_hour", "resetsAt": NOW + 4 * 3600}
    found = rate_limited("Server is temporarily limiting requests (not your usage limit)", info, NOW)
    assert "Your plan's" not in found.message
    assert found.retry_after is None


@pytest.mark.parametrize("resets", [1e18, 1e300, float("inf")])
def test_an_absurd_reset_is_no_fault_of_ours(resets: float) -> None:
    found = rate_limited("limited", {"status": "rejected", "resetsAt": resets, "rateLimitType": "five_hour"}, NOW)
    assert (found.status, found.message, found.retry_after) == (429, "limited", None)
