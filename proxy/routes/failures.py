"""Turns errors into responses in the client's dialect, with status and headers, never a traceback."""

import logging
from collections.abc import Mapping

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from .. import errors
from ..translate.common.dialect import ErrorForm
from .addresses import ABSENT, instead
from .journal import entry_of, failed

log = logging.getLogger("claude_max.http")


class ClientGone(Exception):
    """The client disconnected before the answer."""


def response(error: errors.ProxyError, form: ErrorForm, request_id: str) -> Response:
    """The HTTP response of an error."""
    failed(error)
    body = orjson.dumps(form.body(error, request_id))
    return Response(body, form.status(error), error.headers(), "application/json")


def from_exception(error: Exception) -> errors.ProxyError:
    """A ProxyError as it is; anything else is a fault of ours, told in the log and not to the client."""
    if not isinstance(error, errors.ProxyError):
        log.error("unexpected failure", exc_info=error)
        error = errors.ServerFault("The proxy failed unexpectedly; see its log.")
    failed(error)
    return error


def install(app: FastAPI, absent: Mapping[str, str]) -> None:
    """Makes `app` answer every failure in the form that the guard found for the request.

    `absent` says why endpoints of the dialects are not here, by the beginning of their paths.
    """
    reasons = {**ABSENT, **absent}

    def told(request: Request, error: errors.ProxyError) -> Response:
        return response(error, request.state.errors, entry_of(request).id)

    async def on_proxy_error(request: Request, error: Exception) -> Response:
        return told(request, from_exception(error))

    async def on_http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        where = f"{request.method} {request.url.path}"
        if status == 404:
            why = instead(request.url.path, reasons)
            return told(request, errors.NotFound(f"Unknown path: {where}.", hint=why))
        if status == 405 and "websocket" in request.headers.get("upgrade", "").lower():
            found = told(request, errors.NoWebSocket(f"{where} does not support WebSockets; use plain HTTP."))
            found.headers["upgrade"] = "HTTP/1.1"
            return found
        if status == 405:
            found = told(request, errors.MethodNotAllowed(f"{where} is not allowed."))
            found.headers.update(getattr(error, "headers", None) or {})
            return found
        return told(request, errors.BadRequest(str(getattr(error, "detail", error))))

    async def on_client_gone(_: Request, __: Exception) -> Response:
        # The client is gone; 499 is the status that web servers log for this.
        return Response(status_code=499)

    app.add_exception_handler(ClientGone, on_client_gone)
    app.add_exception_handler(ClientDisconnect, on_client_gone)
    app.add_exception_handler(errors.ProxyError, on_proxy_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_proxy_error)
