"""Errors that only this API has, in OpenAI's words. Pure."""

from collections.abc import Mapping

from ...errors import BadRequest, Kind, ProxyError
from ...events import JsonObject
from ..common.dialect import ErrorForm
from ..common.openai_errors import error_object


class PreviousNotFound(BadRequest):
    """`previous_response_id` names nothing that is kept: 400, code `previous_response_not_found`."""

    def __init__(self, id: str, hint: str = "") -> None:
        super().__init__(f"Previous response with id '{id}' not found.", hint=hint, param="previous_response_id")


# The `code` in the `error` of a failed response (`ResponseError` of the OpenAI API reference), and the ones that Codex
# handles (codex-api/src/sse/responses.rs): a context that is too long ends its turn, the others are tried again.
CODES: Mapping[Kind, str] = {
    "invalid_request": "invalid_prompt",
    "context_too_long": "context_length_exceeded",
    "rate_limited": "rate_limit_exceeded",
    "busy": "rate_limit_exceeded",
}


def failed_with(error: ProxyError) -> JsonObject:
    """The `error` of a response that failed in the middle."""
    return {"code": CODES.get(error.kind, "server_error"), "message": error.message}


def _body(error: ProxyError, request_id: str) -> JsonObject:
    body = error_object(error, request_id)
    if isinstance(error, PreviousNotFound):
        body["error"]["code"] = "previous_response_not_found"
    return body


ERRORS = ErrorForm(_body)
