"""Endpoints for stored answers of a dialect: read and delete, below each of its paths."""

from fastapi import APIRouter, Request

from ..events import JsonObject
from ..records import Record
from ..translate.common.dialect import Dialect, Keeping
from .services import Services, Wired


def router(dialect: Dialect, keeping: Keeping) -> APIRouter:
    """`GET` and `DELETE` of `{path}/{id}`, `GET …/input_items`, `POST …/cancel`."""
    made = APIRouter()

    async def found(services: Services, id: str) -> Record:
        record = None if services.store is None else await services.store.get(id)
        if record is None:
            raise keeping.missing(id)
        return record

    async def get(id: str, services: Wired) -> JsonObject:
        return keeping.found(await found(services, id))

    async def delete(id: str, services: Wired) -> JsonObject:
        if services.store is None or not await services.store.delete(id):
            raise keeping.missing(id)
        return keeping.deleted(id)

    async def items(id: str, request: Request, services: Wired) -> JsonObject:
        return keeping.items(await found(services, id), request.query_params)

    async def cancel(id: str, services: Wired) -> JsonObject:
        return keeping.cancelled(await found(services, id))

    for path in dialect.paths:
        one = f"{path}/{{id}}"
        made.add_api_route(one, get, methods=["GET"], name=f"get_{dialect.name}")
        made.add_api_route(one, delete, methods=["DELETE"], name=f"delete_{dialect.name}")
        made.add_api_route(f"{one}/input_items", items, methods=["GET"], name=f"items_of_{dialect.name}")
        made.add_api_route(f"{one}/cancel", cancel, methods=["POST"], name=f"cancel_{dialect.name}")
    return made
