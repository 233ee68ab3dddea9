"""`GET /v1/models` and `GET /v1/models/{id}`: what the CLI offers this login, and the names clients may use.

Two APIs have these paths. A client that sends a header of a dialect with a `catalog` gets that one's shape, every other
one OpenAI's.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request

from ..events import JsonObject
from ..translate.common.dialect import Dialect, RequestContext
from ..translate.common.endpoints import Catalog
from ..translate.common.models import ids, model_object, resolve, row_of
from .services import Wired, context_of

# The CLI reports no dates; OpenAI's `created` must be an integer.
CREATED = 0


def router(dialects: Sequence[Dialect]) -> APIRouter:
    """Both paths, in the shapes of `dialects`."""
    made = APIRouter()

    @made.head("/v1/models", include_in_schema=False)
    @made.get("/v1/models")
    async def list_models(request: Request, services: Wired) -> dict[str, Any]:
        """Every id a client may use."""
        catalog = _asked(request, dialects)
        if catalog is not None:
            return catalog.every(context_of(request, services))
        context = context_of(request, services)
        return {"object": "list", "data": [_shown(id, context) for id in ids(context.models, context.aliases)]}

    @made.head("/v1/models/{id:path}", include_in_schema=False)
    @made.get("/v1/models/{id:path}")
    async def get_model(request: Request, id: str, services: Wired) -> dict[str, Any]:
        """One model; 404 for a name that means nothing here."""
        catalog = _asked(request, dialects)
        if catalog is not None:
            return catalog.one(id, context_of(request, services))
        return _shown(id, context_of(request, services))

    return made


def _shown(id: str, context: RequestContext) -> JsonObject:
    """A model in OpenAI's shape, with what the CLI has said of it. Raises ModelNotFound."""
    return model_object(id, CREATED, row_of(resolve(id, context.models, context.aliases), context.models))


def _asked(request: Request, dialects: Sequence[Dialect]) -> Catalog | None:
    found = (
        each.catalog for each in dialects if each.catalog and any(name in request.headers for name in each.headers)
    )
    return next(found, None)
