"""`GET /health`: alive at once, and whether a request could be served. Spends no tokens."""

from typing import Any

from fastapi import APIRouter

from .services import Wired

router = APIRouter()


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def health(services: Wired) -> dict[str, Any]:
    """`status` is about this server; the rest about the CLI behind it."""
    return {"status": "ok", "provider": "claude-code-cli", "timestamp": int(services.now()), **services.ready()}
