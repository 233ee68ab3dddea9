"""`GET /v1/models` and `GET /v1/models/{id}`: what the CLI offers this login, and the names clients may use."""

from typing import Any

from fastapi import APIRouter

from ..translate.common.models import ids, model_object, resolve
from .services import Wired

router = APIRouter()

# The CLI says no dates; OpenAI's `created` must be an integer.
CREATED = 0


@router.get("/v1/models")
async def list_models(services: Wired) -> dict[str, Any]:
    """Every id a client may use."""
    found = ids(services.models(), services.settings.aliases)
    return {"object": "list", "data": [model_object(id, CREATED) for id in found]}


@router.get("/v1/models/{id:path}")
async def get_model(id: str, services: Wired) -> dict[str, Any]:
    """One model; 404 `model_not_found` for a name that means nothing here."""
    resolve(id, services.models(), services.settings.aliases)
    return model_object(id, CREATED)
