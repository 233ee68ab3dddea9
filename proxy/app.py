"""The FastAPI app and its life: the only place where the proxy's parts are wired together."""

import asyncio
import atexit
import contextlib
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from platformdirs import user_cache_path
from starlette.middleware.cors import CORSMiddleware

from .config import Settings
from .engine.channel import Patience
from .engine.command import environment
from .engine.contract_store import verified
from .engine.engine import Engine
from .engine.locate import Cli, Version, check
from .engine.plan import Feature
from .engine.pool import Bounds, Pool
from .engine.upkeep import Upkeep, login_file
from .engine.worker import Worker
from .readiness import Login
from .routes import chat, completions, failures, guard, health, models, openapi
from .routes.services import Services
from .translate.chat_schema import ChatRequest
from .translate.completions import CompletionRequest
from .translate.models import from_initialize

log = logging.getLogger("claude_max")
VERSION = version("claude-max-toolkit")


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the CLI sends what it is asked: its environment, and whether that is a scripted stand-in."""

    environ: Mapping[str, str]
    scripted: bool = False


async def contract_of(cli: Cli) -> frozenset[Feature]:
    """What may be relied on with this CLI, checked once and remembered. Raises CliUnavailable for an unsafe one."""
    return await verified(cli, user_cache_path("claude-max") / "contracts.json", VERSION, os.environ)


def create_app(settings: Settings, cli: Cli, features: frozenset[Feature], source: Upstream) -> FastAPI:
    """The whole proxy. Its workers start and end with the app's lifespan; `app.state.pool` is theirs.

    `features` are what `contract_of` found.
    """
    environ = environment(source.environ, allow_api_key=settings.allow_anthropic_api_key)
    cwd = working_directory()

    patience = Patience(silence=settings.timeout, start=settings.start_timeout)

    async def launch() -> Worker:
        await upkeep.examine()
        return await Worker.spawn(cli.path, environ, cwd, patience, upkeep.accept)

    bounds = Bounds(workers=settings.workers, warm=settings.warm_workers, queue=settings.queue_size)
    pool = Pool(launch, bounds, features)

    async def recheck() -> tuple[Version, frozenset[Feature]]:
        # As a worker is started: a wrapper may choose the version by folder or variables.
        found = await asyncio.to_thread(check, cli.path, cli.source, environ, cwd)
        return found.version, await contract_of(found)

    upkeep = Upkeep(pool, cli.path, login_file(environ), recheck)
    login = Login(cli.path, environ)

    def ready() -> dict[str, object]:
        signed_in = login.look()
        return {
            "version": VERSION,
            "cli_version": cli.version_text,
            "signed_in": signed_in,
            "ready": pool.ready and signed_in is True,
            "scripted": source.scripted,
        }

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool.start()
        login.look()
        looking = asyncio.create_task(upkeep.run())
        try:
            yield
        finally:
            looking.cancel()
            # An examination that it has begun ends its process and removes its folder first.
            await asyncio.gather(asyncio.wait({looking}), login.close(), pool.close())

    app = FastAPI(title="claude-max", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.pool = pool
    app.state.services = Services(
        engine=Engine(pool),
        settings=settings,
        models=lambda: from_initialize(pool.about),
        ready=ready,
        new_id=new_id,
        now=time.time,
    )
    for module in (chat, completions, models, health):
        app.include_router(module.router)
    failures.install(app)
    openapi.install(app, ChatRequest, CompletionRequest)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["GET", "POST"], allow_headers=["*"]
        )
    app.add_middleware(guard.Guard, settings=settings, new_id=new_id, scripted=source.scripted)
    return app


def new_id() -> str:
    """24 hexadecimal digits that no other object has."""
    return uuid.uuid4().hex[:24]


def working_directory() -> Path:
    """An empty folder of this user's own for the CLI to run in.

    The same one every time, because its name stands in the CLI's note to the model: another name is another prompt, and
    a cold prompt cache. Where it cannot be had, a new one.
    """
    home = user_cache_path("claude-max") / "empty"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(home.iterdir()):
            return home
    except OSError as error:
        log.warning("no cache folder (%s): each start will begin with a cold prompt cache", error.strerror)
    made = tempfile.mkdtemp(prefix="claude-max-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
