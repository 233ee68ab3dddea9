"""The FastAPI app and its lifespan: the only place where the proxy's parts are wired together."""

import asyncio
import atexit
import contextlib
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from platformdirs import user_cache_path, user_state_path

from .config import Settings
from .engine.planning.roster import PoolLimits
from .engine.planning.steps import Feature
from .engine.planning.want import BASE_URL, Composition
from .engine.pool.engine import Composer, Engine
from .engine.pool.pool import Pool
from .engine.pool.upkeep import Upkeep, login_file
from .engine.probe.contract import ContractResult
from .engine.probe.contract_store import verified
from .engine.probe.counting import TokenCounter
from .engine.probe.defaults import ModelDefaults
from .engine.probe.fallback import UsableCli, usable
from .engine.probe.locate import Cli, check
from .engine.process.channel import Timeouts
from .engine.process.worker import Worker
from .engine.wire.command import environment
from .engine.wire.models import models_of
from .engine.wire.versions import Version
from .events import CacheMark, JsonObject, Model
from .plan import Window
from .readiness import Login
from .records import Row
from .routes import wiring
from .routes.accounts import Accounts, Sink
from .routes.metrics import Metrics
from .routes.services import Services
from .routes.traces import Traces
from .store.keeper import Keeper
from .store.ledger import Sample
from .store.ledger_writer import LedgerWriter
from .store.responses import Limits
from .translate import chat, completions, messages, ollama, responses
from .translate.common.dialect import Dialect
from .translate.common.models import lost_aliases
from .web.live import Live
from .web.past import Past, row_json
from .web.routes import Around, Findings, page
from .web.sessions import Sessions
from .web.state import Sources, state

log = logging.getLogger("claude_max")
VERSION = version("claude-max-toolkit")
# The APIs that are served: a new dialect is one folder in `translate` and one more name here.
DIALECTS: tuple[Dialect, ...] = (
    chat.DIALECT,
    completions.DIALECT,
    responses.DIALECT,
    responses.COMPACT,
    messages.DIALECT,
    *ollama.DIALECTS,
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """The service that the CLI uses: the CLI's environment, and whether the service is scripted."""

    environ: Mapping[str, str]
    scripted: bool = False


async def contract_of(cli: Cli, composition: Composition) -> ContractResult:
    """The capabilities of this CLI, checked once and remembered. Raises CliUnavailable for an unsafe one."""
    return await verified(cli, user_cache_path("claude-max") / "contracts.json", VERSION, os.environ, composition)


async def usable_cli(settings: Settings, cli: Cli) -> UsableCli:
    """The CLI to use if `cli` was found: it, or the bundled one if it fails the check. Raises CliUnavailable."""
    verify = partial(contract_of, composition=settings.composition)
    return await usable(cli, verify, os.environ, is_explicit=settings.claude_path is not None)


def create_app(settings: Settings, usable: UsableCli, source: Upstream, around: Around = Around()) -> FastAPI:  # noqa: B008 - frozen
    """The whole proxy.

    Its workers start and end with the app's lifespan. `usable` is the result of `usable_cli`, `around` what the page
    shows about the machine. `app.state.drain` refuses new requests and waits for running answers. `app.state.live` has
    the open pages; close them before the server waits for its connections.
    """
    cli, contract = usable.cli, usable.contract
    environ = environment(source.environ, allow_api_key=settings.allow_anthropic_api_key)
    cwd = working_directory()

    timeouts = Timeouts(silence=settings.timeout, start=settings.start_timeout)

    async def launch() -> Worker:
        await upkeep.examine()
        return await Worker.spawn(cli.path, environ, cwd, timeouts, accept)

    lost: set[str] = set()
    models: tuple[Model, ...] = ()

    def accept(cli_info: JsonObject) -> None:
        nonlocal models
        upkeep.accept(cli_info)
        login.told(cli_info)
        # The CLI's models are known only now.
        models = models_of(cli_info) or models
        for name, target in lost_aliases(models, settings.aliases).items():
            if name not in lost:
                lost.add(name)
                log.warning("the alias %s points to %r, which is not a model", name, target)

    limits = PoolLimits(workers=settings.workers, warm=settings.warm_workers, queue=settings.queue_size)
    pool = Pool(launch, limits, contract.features)

    def offered() -> tuple[Model, ...]:
        return models

    defaults = ModelDefaults(cli.path, environ.get("PATH", os.defpath), contract, offered)

    async def recheck() -> tuple[Version, frozenset[Feature]]:
        # With the folder and variables of a worker: a wrapper may choose the version by them.
        found = await asyncio.to_thread(check, cli.path, cli.source, environ, cwd)
        result = await contract_of(found, settings.composition)
        defaults.replace(result)
        return found.version, result.features

    def system_ttl() -> CacheMark:
        # The CLI's own marks are short once extra usage has begun.
        is_long = defaults.contract.cache_ttl == "1h" and not pool.rate_limit.get("isUsingOverage")
        return "1h" if is_long else "5m"

    def cache_ttl() -> CacheMark:
        # The service refuses a one-hour mark after a shorter one.
        return "1h" if settings.cache_ttl == "1h" and system_ttl() == "1h" else "5m"

    composer = Composer(
        defaults.of,
        settings.composition,
        environ.get(BASE_URL, ""),
        cache_ttl=cache_ttl,
        system_ttl=system_ttl,
        cli_version=lambda: str(pool.cli_info.get("claude_code_version")),
    )
    upkeep = Upkeep(pool, cli.path, login_file(environ), recheck)
    counter = TokenCounter(launch, pool.is_outdated, environ.get(BASE_URL, ""))
    login = Login(cli.path, environ)
    keep = Limits(settings.responses_keep_days * 24 * 3600, settings.responses_keep_mb * 1_000_000)
    kept = user_state_path("claude-max")
    store = Keeper(kept / "responses.db", keep, time.time)
    # Answers of a demo cost nothing.
    ledger_days = 0 if source.scripted else settings.ledger_keep_days
    ledger = LedgerWriter(kept / "ledger.db", ledger_days * 24 * 3600, time.time, time.monotonic)
    metrics = Metrics()
    traces = Traces.configured(environ=os.environ)
    past = Past(kept / "ledger.db" if ledger_days > 0 else None)
    live = Live(lambda: state(sources), time.time)
    sinks: list[Sink] = [
        recorded(ledger, time.time),
        metrics.observe,
        lambda row, _, __: live.finished(lambda: row_json(row)),
    ]
    if traces is not None:
        sinks.append(traces.observe)
    accounts = Accounts(settings.overage, tuple(sinks))
    accounts.on_change = live.poke

    def ready() -> dict[str, object]:
        signed_in = login.look()
        return {
            "version": VERSION,
            # The version of the running process: the program may have been replaced since the start.
            "cli_version": str(pool.cli_info.get("claude_code_version") or cli.version_text),
            "cli_source": cli.source,
            **({"cli_notice": usable.notice} if usable.notice else {}),
            "signed_in": signed_in,
            "ready": pool.ready and signed_in is True,
            "scripted": source.scripted,
        }

    async def drain(seconds: float) -> None:
        # Otherwise waiting requests would reach the pool after it has been closed.
        defaults.stop()
        await pool.drain(seconds)

    sources = Sources(
        health=ready,
        plan=lambda: login.plan,
        models=offered,
        pool=pool,
        accounts=accounts,
        past=past,
        since=time.time(),
        pid=os.getpid(),
        now=time.time,
    )
    key = settings.api_key.get_secret_value() if settings.api_key is not None else None
    findings = Findings(around.examine)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool.start()
        looking = asyncio.create_task(upkeep.run())
        try:
            yield
        finally:
            looking.cancel()
            # A contract check in progress ends its process and removes its folder first.
            closing = (each.close() for each in (login, counter, defaults, pool, store, past, findings))
            await asyncio.gather(asyncio.wait({looking}), *closing)
            # All calls have settled by now.
            await ledger.close()
            if traces is not None:
                await traces.close()

    app = FastAPI(title="claude-max", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.drain, app.state.live = drain, live
    services = Services(
        engine=Engine(pool, composer),
        settings=settings,
        models=offered,
        ready=ready,
        new_id=new_id,
        now=time.time,
        count=counter.count,
        store=store,
        accounts=accounts,
        metrics=metrics,
    )
    shown = page(live, past, Sessions(key, time.monotonic), findings, around)
    wiring.install(app, services, DIALECTS, scripted=source.scripted, page=shown)
    return app


def recorded(ledger: LedgerWriter, now: Callable[[], float]) -> Sink:
    """Writes a finished request into the ledger."""

    def sink(row: Row, windows: tuple[Window, ...], _: Mapping[str, str]) -> None:
        at = now()
        told = ((each.name, each.used, each.resets) for each in windows)
        ledger.put(row, tuple(Sample(name, at, used, resets) for name, used, resets in told if used and resets))

    return sink


def new_id() -> str:
    """A random id of 24 hexadecimal digits."""
    return uuid.uuid4().hex[:24]


def working_directory() -> Path:
    """An empty, private folder for the CLI to run in.

    It is the same every time, because the CLI's note to the model contains its name: another name would change the
    prompt and miss the prompt cache. If it cannot be used, a new one.
    """
    home = user_cache_path("claude-max") / "empty"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(home.iterdir()):
            return home
    except OSError as error:
        log.warning("no cache folder (%s): each start begins with a cold prompt cache", error.strerror)
    made = tempfile.mkdtemp(prefix="claude-max-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)
