"""Failures in OpenAI's form, for every dialect of OpenAI's and for paths that belong to no dialect. Pure.

`{"error": {"message", "type", "param", "code"}}`, all four keys always present (OpenAI API reference, "Error codes").
Where OpenAI has no such failure the code says what happened.
"""

from collections.abc import Mapping

from ...errors import Kind, ProxyError
from ...events import JsonObject
from .dialect import ErrorForm

# The `type` and the `code` of each kind.
TYPES: Mapping[Kind, tuple[str, str]] = {
    "invalid_request": ("invalid_request_error", "invalid_value"),
    "context_too_long": ("invalid_request_error", "context_length_exceeded"),
    "not_signed_in": ("authentication_error", "not_signed_in"),
    "invalid_key": ("invalid_request_error", "invalid_api_key"),
    "extra_usage_required": ("billing_error", "extra_usage_required"),
    "permission_denied": ("permission_error", "permission_denied"),
    "forbidden": ("invalid_request_error", "forbidden"),
    "not_found": ("invalid_request_error", "not_found"),
    "model_not_found": ("invalid_request_error", "model_not_found"),
    "method_not_allowed": ("invalid_request_error", "method_not_allowed"),
    "request_timeout": ("invalid_request_error", "request_timeout"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "unsupported_media_type": ("invalid_request_error", "unsupported_media_type"),
    "head_too_large": ("invalid_request_error", "request_head_too_large"),
    "rate_limited": ("rate_limit_error", "rate_limit_exceeded"),
    "busy": ("rate_limit_error", "server_busy"),
    "internal": ("server_error", "internal_error"),
    "cli_crashed": ("server_error", "cli_crashed"),
    "upstream_failed": ("server_error", "upstream_error"),
    "composition_ignored": ("server_error", "composition_ignored"),
    "cli_unavailable": ("server_error", "cli_unavailable"),
    "overloaded": ("server_error", "overloaded"),
    "shutting_down": ("server_error", "shutting_down"),
    "timed_out": ("server_error", "timeout"),
}


def error_object(error: ProxyError, request_id: str = "") -> JsonObject:
    """The error object; OpenAI's has no place for the request's id, which is in the header `x-request-id`."""
    kind, code = TYPES[error.kind]
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": code}}


OPENAI_ERRORS = ErrorForm(error_object)
