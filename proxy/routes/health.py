"""`GET /health`: whether requests can be served; `GET /`: the server's name. Neither spends tokens."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from .services import Wired

router = APIRouter()
# ollama clients and the Claude Code CLI probe this path first.
WHO = "claude-max is running"


@router.head("/", include_in_schema=False)
@router.get("/", include_in_schema=False)
async def root() -> PlainTextResponse:
    """Names the server, in the form ollama uses."""
    return PlainTextResponse(WHO)


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def health(services: Wired) -> dict[str, Any]:
    """`status` is "ok" unless no request could be answered; the rest is about the CLI behind it."""
    known = services.ready()
    status = "not_signed_in" if known.get("signed_in") is False else "ok"
    return {"status": status, "provider": "claude-code-cli", "timestamp": int(services.now()), **known}
