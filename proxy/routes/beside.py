"""The other endpoints of a dialect: token counts, and views that need no model."""

from fastapi import APIRouter, Request, Response

from ..events import JsonObject
from ..json_text import dumps
from ..translate.common.dialect import Dialect, Keeping
from ..translate.common.endpoints import Counter, View
from .endpoint import parsed
from .openapi import described
from .services import Wired, context_of
from .stream import while_connected


def router(dialect: Dialect) -> APIRouter:
    """The dialect's counter and its views."""
    made = APIRouter()
    if dialect.counter is not None:
        _count(made, dialect.counter, dialect.keeping)
    for view in dialect.views:
        _show(made, view)
    return made


def _count(made: APIRouter, counter: Counter, keeping: Keeping | None) -> None:
    wanted = None if keeping is None else keeping.wanted

    async def count(request: Request, services: Wired) -> Response:
        turn = await parsed(request, services, counter.to_turn, wanted)
        return _json(counter.answer(await while_connected(request, services.count(turn))))

    made.add_api_route(
        counter.path,
        count,
        methods=["POST"],
        description=counter.description,
        openapi_extra=described(counter.request),
    )


def _show(made: APIRouter, view: View) -> None:
    async def show(request: Request, services: Wired) -> Response:
        if view.method == "GET":
            return _json(view.answer({}, context_of(request, services)))
        return _json(await parsed(request, services, view.answer))

    made.add_api_route(view.path, show, methods=[view.method], description=view.description)
    if view.method == "GET":
        made.add_api_route(view.path, show, methods=["HEAD"], include_in_schema=False)


def _json(value: JsonObject) -> Response:
    return Response(dumps(value), media_type="application/json")
