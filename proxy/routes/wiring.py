"""Puts the dialects, the other endpoints, and the guard around them into an app."""

from collections.abc import Sequence
from functools import lru_cache

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp

from ..config import Settings
from ..translate.common.dialect import Dialect
from . import beside, endpoint, failures, guard, health, metrics, models, openapi, stored
from .addresses import Fit
from .origins import is_allowed
from .services import Page, Services


def install(
    app: FastAPI, services: Services, dialects: Sequence[Dialect], *, scripted: bool, page: Page | None = None
) -> None:
    """Makes `app` serve the dialects. `scripted` says that a stand-in answers, which every response then tells.

    `page` is the server's own, at `/` for browsers.
    """
    app.state.services = services
    # Routes are tried in their order: those of most requests first, and the page's `/` before the one of `health`.
    for dialect in dialects:
        app.include_router(endpoint.router(dialect))
        app.include_router(beside.router(dialect))
        if dialect.keeping is not None:
            app.include_router(stored.router(dialect, dialect.keeping))
    if page is not None:
        app.include_router(page.router)
    for made in (models.router(dialects), health.router, metrics.router(services.metrics)):
        app.include_router(made)
    failures.install(app, {path: why for dialect in dialects for path, why in dialect.absent.items()})
    counted = [dialect.counter.request for dialect in dialects if dialect.counter is not None]
    openapi.install(app, [*(dialect.request for dialect in dialects), *counted])
    settings = services.settings
    # A path with a trailing slash is served without a redirect (`addresses`): many clients do not follow a redirected
    # POST.
    app.router.redirect_slashes = False
    routes = tuple(app.router.routes)
    if settings.cors_origins:
        app.add_middleware(Cors, settings=settings)
    app.add_middleware(
        guard.Guard,
        settings=settings,
        new_id=services.new_id,
        scripted=scripted,
        dialects=tuple(dialects),
        fit=lru_cache(maxsize=512)(lambda method, path: _fit(routes, method, path)),
        accounts=services.accounts,
        page=page,
    )


class Cors(CORSMiddleware):
    """CORS for the configured origins, patterns among them.

    Chrome asks a page that was loaded from elsewhere also whether it may call into the private network; what may call
    at all may do that.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        methods = ["GET", "POST", "DELETE"]
        super().__init__(app, (), methods, ["*"], allow_private_network=True)
        self._settings = settings

    def is_allowed_origin(self, origin: str) -> bool:
        """Whether a page of this origin may read answers."""
        return is_allowed(origin, self._settings)


def _fit(routes: Sequence[BaseRoute], method: str, path: str) -> Fit:
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    found = {route.matches(scope)[0] for route in routes}
    return "served" if Match.FULL in found else "other method" if Match.PARTIAL in found else "absent"
