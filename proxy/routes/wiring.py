"""Puts the dialects, the other endpoints, and the guard around them into an app."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from ..translate.common.dialect import Dialect
from . import beside, endpoint, failures, guard, health, metrics, models, openapi, stored
from .services import Services


def install(app: FastAPI, services: Services, dialects: Sequence[Dialect], *, scripted: bool) -> None:
    """Makes `app` serve the dialects. `scripted` says that a stand-in answers, which every response then tells."""
    app.state.services = services
    for dialect in dialects:
        app.include_router(endpoint.router(dialect))
        app.include_router(beside.router(dialect))
        if dialect.keeping is not None:
            app.include_router(stored.router(dialect, dialect.keeping))
    for made in (models.router(dialects), health.router, metrics.router(services.metrics)):
        app.include_router(made)
    failures.install(app, {path: why for dialect in dialects for path, why in dialect.absent.items()})
    counted = [dialect.counter.request for dialect in dialects if dialect.counter is not None]
    openapi.install(app, [*(dialect.request for dialect in dialects), *counted])
    settings = services.settings
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
        )
    app.add_middleware(
        guard.Guard,
        settings=settings,
        new_id=services.new_id,
        scripted=scripted,
        dialects=tuple(dialects),
        accounts=services.accounts,
    )
