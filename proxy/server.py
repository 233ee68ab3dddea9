"""The HTTP server around the app: sockets, timeouts for slow clients, and an orderly shutdown.

uvicorn does the serving; this file adds what it lacks. Does not depend on routes or engine; it only calls a drain
function before connections are closed.
"""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Iterator
from types import FrameType
from typing import Any, ClassVar

import h11
import orjson
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

from .config import LOCALHOST, Settings
from .errors import BadRequest
from .translate.common.openai_errors import error_object

log = logging.getLogger("claude_max.http")

# After the drain: time for the last error events to reach their clients before connections are cut.
LAST_WORDS_SECONDS = 1
# A drain that takes longer is logged.
QUICK_SECONDS = 0.2
# Send buffer of a connection, in bytes. The kernel's default grows to megabytes, and until it is full a client that
# reads slowly looks the same as one that does not read.
SEND_BUFFER = 128 * 1024
# Bytes of the next request that are buffered while one is answered.
AHEAD = 64 * 1024
# Seconds that an idle connection stays open: more than clients keep one for the next request (Java 30, Node 60). A
# connection that closes under a request costs them the request.
IDLE_SECONDS = 75
# Seconds within which a write to a disconnected client fails; most clients are on this machine.
GONE_SECONDS = 0.05
# Open files; macOS takes no higher number (OPEN_MAX).
MOST_FILES = 10_240


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, closing connections whose client takes too long.

    A head arrives in one piece; a client that takes longer is half-open or dribbles. An answer fits into the buffers of
    the connection, or is read; a client that leaves them full has stopped reading, or reads a byte at a time.
    """

    head_timeout: ClassVar[float]
    write_timeout: ClassVar[float]
    _head: asyncio.TimerHandle | None = None
    _full: asyncio.TimerHandle | None = None
    _half_closed: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Starts the head timer: a client that connects and sends nothing is closed too."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Starts the head timer at a request's first byte, and cancels it when the head is complete."""
        if self._head is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_head()
        before = self.cycle
        super().data_received(data)
        if self.cycle is not None and self.cycle is not before and _has_two_lengths(self.cycle.scope["headers"]):
            # An intermediary may use the other header, and read the rest as another request (RFC 9112, 6.3).
            self.cycle.keep_alive = False
            self.cycle.scope["headers"] = [*self.cycle.scope["headers"], CLOSE_HEADER]
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        if self.conn.their_state is h11.DONE and len(self.conn.trailing_data[0]) < AHEAD:
            # uvicorn stops reading if data follows a request; a disconnect would then not be noticed.
            self.flow.resume_reading()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keeps the connection open for the answer if the request is complete: the client may only have closed its
        sending side.

        A disconnected client looks the same until something is written to it, so an interim response is sent, which
        HTTP/1.1 clients skip. Once an answer has begun, an EOF is a disconnect.
        """
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.response_started or cycle.response_complete:
            return None
        if cycle.scope["http_version"] == "1.1":
            interim = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self.transport.write(self.conn.send(interim) or b"")
        self._look_after_half(GONE_SECONDS)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancels the timers."""
        self._forget()
        if self._half_closed is not None:
            self._half_closed.cancel()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Starts the stall timer: the write buffer is full."""
        super().pause_writing()
        if self._full is None:
            self._expect_reading()

    def resume_writing(self) -> None:
        """Cancels the stall timer: the write buffer has drained."""
        super().resume_writing()
        if self._full is not None:
            self._full.cancel()
            self._full = None

    def on_response_complete(self) -> None:
        """From now until the next request's first byte uvicorn's keep-alive timer runs."""
        self._forget()
        super().on_response_complete()
        if self._half_closed is not None:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answers invalid HTTP with an error; once an answer has begun, only closes the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            error = BadRequest("Invalid HTTP request, or its head is too large (setting head_limit).")
            content = orjson.dumps(error_object(error))
            headers = {"content-type": "application/json", "content-length": str(len(content)), "connection": "close"}
            answer = h11.Response(status_code=error.status, headers=list(headers.items()), reason=b"Bad Request")
            for event in (answer, h11.Data(data=content), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Not logged: Java's client asks for HTTP/2 in every request and works without it."""

    def _expect_reading(self) -> None:
        self._full = self.loop.call_later(self.write_timeout, self._look, self.transport.get_write_buffer_size())

    def _look(self, before: int) -> None:
        """Disconnects a client that has read nothing; one that reads slowly stays connected."""
        if self.transport.get_write_buffer_size() < before:
            self._expect_reading()
            return
        # A normal close would keep megabytes buffered in the kernel until they are read.
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
        self.transport.abort()

    def _look_after_half(self, seconds: float) -> None:
        """Closes a connection whose client has disconnected, which reading would not show."""

        def look() -> None:
            sock = self.transport.get_extra_info("socket")
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.transport.abort()
            else:
                self._look_after_half(1)

        self._half_closed = self.loop.call_later(seconds, look)

    def _expect_head(self) -> None:
        self._head = self.loop.call_later(self.head_timeout, self.transport.close)

    def _forget(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


def _has_two_lengths(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return {b"content-length", b"transfer-encoding"} <= {name.lower() for name, _ in headers}


class LoopErrors:
    """Logs asyncio's own failures. A file limit that is reached is logged once a minute, not 2,048 times a second."""

    _silent_until = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop's exception handler."""
        if "out of system resource" not in str(context.get("message")):
            loop.default_exception_handler(context)
        elif loop.time() >= self._silent_until:
            self._silent_until = loop.time() + 60
            log.error("cannot accept new connections yet: %s", context.get("exception"))


class Server(uvicorn.Server):
    """uvicorn, with a drain: running answers may finish before connections are closed."""

    def __init__(self, app: FastAPI, settings: Settings, drain: Callable[[bool], Awaitable[None]]) -> None:
        """`drain` waits for running answers to end; with a true argument it ends them at once."""
        timeouts = {"head_timeout": settings.head_timeout, "write_timeout": settings.write_timeout}
        config = uvicorn.Config(
            app,
            http=type("Protocol", (PatientProtocol,), timeouts),
            ws="none",
            log_level=None,
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=settings.head_limit,
            timeout_graceful_shutdown=LAST_WORDS_SECONDS + 1,
            timeout_keep_alive=IDLE_SECONDS,
        )
        super().__init__(config)
        self._finish_answers = drain
        self._drain_seconds = settings.drain_timeout
        self._hurry = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening."""
        asyncio.get_running_loop().set_exception_handler(LoopErrors())
        await super().startup(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handles uvicorn's signals, and SIGHUP of a closed terminal unless it is ignored (`nohup`)."""
        hangup = getattr(signal, "SIGHUP", None)
        before = None if hangup is None else signal.getsignal(hangup)
        with super().capture_signals():
            if hangup is None or before is signal.SIG_IGN:
                yield
                return
            signal.signal(hangup, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(hangup, before)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal, of either kind, lets answers finish; a second one does not wait for them.

        Unlike in uvicorn, the signal is not raised again at the end: a requested stop is not a failure, and the caller
        exits normally.
        """
        if self.should_exit:
            asyncio.get_running_loop().call_soon_threadsafe(self._hurry.set)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, lets running answers end, then closes."""
        for server in self.servers:
            server.close()
        draining = asyncio.ensure_future(self._finish_answers(False))
        hurry = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait({draining, hurry}, timeout=QUICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not draining.done() and not hurry.done():
            log.warning("Stopping: running answers get %g s. Ctrl-C again ends them at once.", self._drain_seconds)
        await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not draining.done():
            draining.cancel()
            await self._finish_answers(True)
        cut = asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, self._cut)
        await super().shutdown(sockets)
        cut.cancel()

    def _cut(self) -> None:
        """Closes connections whose clients still send or do not read. uvicorn would log a traceback for each."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()


def allow_connections() -> None:
    """Raises the soft limit of open files to MOST_FILES if allowed: macOS has 256, and each connection needs one."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets for the address; the default also listens on ::1, if the machine has it, so that `localhost` works.

    Raises OSError when the port is taken.
    """
    hosts = ["127.0.0.1", "::1"] if host in LOCALHOST else [host]
    sockets: list[socket.socket] = []
    try:
        for name in hosts:
            family = socket.AF_INET6 if ":" in name else socket.AF_INET
            try:
                sockets.append(_bound(family, name, port))
            except OSError as error:
                # Missing IPv6 is fine; a port in use on IPv6 is not.
                if not sockets or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
            port = sockets[0].getsockname()[1]
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # Without the explicit protocol asyncio does not disable Nagle's algorithm: 40 ms more on each reused connection.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # Only allows a restart to bind the port at once; two servers still cannot share it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        sock.bind((host, port))
        sock.listen(2048)
    except OSError:
        sock.close()
        raise
    return sock
