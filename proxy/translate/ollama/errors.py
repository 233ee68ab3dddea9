"""Failures in ollama's form: `{"error": "…"}`, also as the last line of a stream that fails. Pure."""

from ...errors import ProxyError
from ...events import JsonObject
from ..common.dialect import ErrorForm


def error_object(error: ProxyError, request_id: str = "") -> JsonObject:
    """The error object; the request's id is in the header `x-request-id`."""
    return {"error": error.message}


OLLAMA_ERRORS = ErrorForm(error_object)
