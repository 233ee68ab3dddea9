"""uvicorn around a ScriptedAPI: in the running loop, or in a thread of its own for code without one.

Starting and stopping only. Nothing global is touched: no signal handlers, no logging setup; stopping is bounded even
with streams open.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .response import CLOSE
from .server import ScriptedAPI

# Longer than any test or CLI waits between two requests: a keep-alive connection closed just as the next request is
# written would look like a network failure.
_KEEP_ALIVE = 300
# Seconds uvicorn waits at shutdown. Open answers are dropped first, so only a client that reads nothing uses them.
_GRACE = 1
_START = 10.0  # seconds for the thread to start; it takes some milliseconds
_STOP = 10.0  # seconds for the thread to end, above _GRACE by far

_log = logging.getLogger(__name__)
_log.setLevel(logging.CRITICAL)


class _Protocol(H11Protocol):
    """uvicorn's, with its own logger: a connection that the script cuts is not an error of the host program."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _log
        self.access_log = False


class _Server(uvicorn.Server):
    """uvicorn's, without signal handlers, telling when it is up, and stopped by an event instead of a polled flag."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        await self.stop.wait()


@contextlib.asynccontextmanager
async def serve_scripted(api: ScriptedAPI, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `api` in the running loop; yields its base URL, as `http://127.0.0.1:41234`. Port 0 picks a free one.

    Raises OSError when the port is taken. Leaving it drops the answers that are under way, within about a second.
    """
    listening = _bound(host, port)
    config = uvicorn.Config(
        _closable(api.app),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=None,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    name = f"[{host}]" if ":" in host else host
    try:
        await server.up.wait()
        yield f"http://{name}:{listening.getsockname()[1]}"
    finally:
        api.hang_up()
        server.stop.set()
        await asyncio.shield(serving)


def _closable(app: ASGIApp) -> ASGIApp:
    """`app`, able to close the connection of a request instead of answering it, which ASGI does not offer."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            cycle = getattr(receive, "__self__")  # noqa: B009 - uvicorn's RequestResponseCycle, which ASGI hides
            scope.setdefault("extensions", {})[CLOSE] = cycle.transport.close
        await app(scope, receive, send)

    return asked


def _bound(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio sets TCP_NODELAY only where it is; without it every event waits 40 ms for
    # the acknowledgement of the one before.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


@dataclass(frozen=True)
class ScriptedServer:
    """A ScriptedAPI served from a thread: its base URL, and itself."""

    url: str
    api: ScriptedAPI

    def wait_for(self, n: int, timeout: float = 10.0) -> None:
        """Block until `n` message requests have arrived; TimeoutError after `timeout` seconds."""
        self.wait_until(lambda: self.api.arrived >= n, timeout)

    def wait_until(self, predicate: Callable[[], bool], timeout: float = 10.0) -> None:
        """Block until `predicate()` holds (see ScriptedAPI.wait_until); TimeoutError after `timeout` seconds."""
        self.api.wait_until_blocking(predicate, timeout)


@contextlib.contextmanager
def scripted_in_thread(api: ScriptedAPI, host: str = "127.0.0.1", port: int = 0) -> Iterator[ScriptedServer]:
    """Serve `api` from a thread of its own, for code without an event loop; as serve_scripted in all else."""
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with serve_scripted(api, host, port) as url:
            ready.set_result((url, asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as why:
            if ready.done():
                raise
            ready.set_exception(why)

    thread = threading.Thread(target=run, name="scripted-api", daemon=True)
    thread.start()
    url, loop, stop = ready.result(_START)
    try:
        yield ScriptedServer(url, api)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_STOP)
