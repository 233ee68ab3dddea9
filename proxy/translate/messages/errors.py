"""Errors of the Messages API. Pure.

`{"type": "error", "error": {"type", "message"}, "request_id"}`, the id in the header `request-id` too; types and
statuses as the API documents them (platform.claude.com, "Errors"). That page has no 405, 408, 415, 431 and 502: those
keep their status, and have the type of their neighbours.
"""

import re
from collections.abc import Mapping

from ...errors import BadRequest, Kind, NotFound, ProxyError
from ...events import JsonObject
from ..common.dialect import ErrorForm
from ..common.frames import Frame

TYPES: Mapping[Kind, str] = {
    "invalid_request": "invalid_request_error",
    "context_too_long": "invalid_request_error",
    "not_signed_in": "authentication_error",
    "invalid_key": "authentication_error",
    "extra_usage_required": "billing_error",
    "permission_denied": "permission_error",
    "forbidden": "permission_error",
    "not_found": "not_found_error",
    "model_not_found": "not_found_error",
    "method_not_allowed": "invalid_request_error",
    "request_timeout": "invalid_request_error",
    "too_large": "request_too_large",
    "unsupported_media_type": "invalid_request_error",
    "head_too_large": "invalid_request_error",
    "rate_limited": "rate_limit_error",
    "busy": "rate_limit_error",
    "internal": "api_error",
    "cli_crashed": "api_error",
    "upstream_failed": "api_error",
    "composition_ignored": "api_error",
    "cli_unavailable": "api_error",
    "overloaded": "overloaded_error",
    "shutting_down": "overloaded_error",
    "timed_out": "timeout_error",
}
OVERLOADED = 529
_INDEX = re.compile(r"\[(\d+)\]")


class ThreadUnsupported(BadRequest):
    """A request to hold the conversation for the next one. The SDKs send it whole then, by the code in the details."""

    details: JsonObject = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}


class ThreadNotFound(NotFound):
    """A request that continues a conversation which is not stored."""

    details: JsonObject = {"error_code": "thread_not_found"}


def error_object(error: ProxyError, request_id: str = "") -> JsonObject:
    """The error object. It has no place for the field that an error is about: the message begins with it."""
    told: JsonObject = {"type": TYPES[error.kind], "message": _dotted(error)}
    if isinstance(error, ThreadUnsupported | ThreadNotFound):
        told["details"] = error.details
    return {"type": "error", "error": told, "request_id": request_id}


def status(error: ProxyError) -> int:
    """529 where the service is overloaded, as the API has it; else the error's own."""
    return OVERLOADED if error.kind == "overloaded" else error.status


def error_frame(error: ProxyError, request_id: str) -> Frame:
    """The event that ends a stream which fails."""
    return Frame(error_object(error, request_id), "error")


def _dotted(error: ProxyError) -> str:
    """The message, with the path of its field as the API writes it: `messages.0.content`."""
    param = error.param or ""
    return error.message.replace(param, _INDEX.sub(r".\1", param), 1) if "[" in param else error.message


ANTHROPIC_ERRORS = ErrorForm(error_object, status, "request-id")
