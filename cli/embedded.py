"""Runs a whole proxy inside another command, in that command's event loop, on a free port, for the length of a block.

No signal handling and no output: both belong to the command around it.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import uvicorn
from pydantic import SecretStr

from claude_max.proxy.app import create_app, usable_cli
from claude_max.proxy.config import Settings
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.scripted import ScriptedAPI
from claude_max.proxy.server import listen

from .upstream import upstream

# The command has closed its connections by then; this is only for one that hangs.
GRACE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Embedded:
    """Its address, and the key it requires: other users of this machine could find the port too."""

    url: str
    key: str


class _Server(uvicorn.Server):
    """uvicorn's server, without signal handlers, with an event for when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextlib.asynccontextmanager
async def embedded(
    settings: Settings, *, demo: bool, workers: int = 1, api: ScriptedAPI | None = None
) -> AsyncIterator[Embedded]:
    """Runs the proxy with this number of claude processes; none is left after the block.

    Raises CliUnavailable. `api` is the scripted service of a demo, if it should not be a new one.
    """
    # Log lines would mix with the answer; failures reach the client as errors anyway.
    for name in ("claude_max", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    cli = locate(settings.claude_path, os.environ)
    usable = await usable_cli(settings, cli)
    key = secrets.token_urlsafe()
    own = settings.model_copy(
        update={"host": "127.0.0.1", "port": 0, "workers": workers, "warm_workers": 0, "api_key": SecretStr(key)}
    )
    async with upstream(demo, api) as source:
        sockets = listen(own.host, 0)
        config = uvicorn.Config(
            create_app(own, usable, source),
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets))
        up = asyncio.create_task(server.up.wait())
        try:
            await asyncio.wait({serving, up}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield Embedded(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", key)
        finally:
            up.cancel()
            server.should_exit = True
            await asyncio.shield(serving)
