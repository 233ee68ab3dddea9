"""HTTP routes of the page: its files, its data, its sessions. The guard has already checked the request."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import orjson
from fastapi import APIRouter, Request, Response

from ..errors import BadRequest, Busy, InvalidKey
from ..events import JsonObject
from ..routes import health
from ..routes.guard import PAGE
from ..routes.services import Page
from ..routes.stream import ByteStream
from ..translate.common.frames import SSE
from ..translate.common.validation import parse_object
from .files import HEADERS, INDEX, File, page_files, served
from .live import Live
from .past import Past
from .sessions import SESSION_SECONDS, Sessions, cookie_name, tokens_of

KEEPALIVE_SECONDS = 15.0
# Seconds for which the doctor's findings are reused.
FINDINGS_SECONDS = 5.0
SESSION = f"{PAGE}session"


async def _nothing(_: str) -> JsonObject:
    return {}


@dataclass(frozen=True, slots=True)
class Around:
    """Data from the program around the server; each function gets the server's address as the browser has it.

    `clients` returns `{"clients": […]}`, the texts that set up other programs; `examine` the doctor's findings.
    """

    clients: Callable[[str], Awaitable[JsonObject]] = _nothing
    examine: Callable[[str], Awaitable[JsonObject]] = _nothing


@dataclass(slots=True)
class Findings:
    """The doctor's last findings. Concurrent requests share one run."""

    examine: Callable[[str], Awaitable[JsonObject]]
    found: JsonObject = field(default_factory=dict)
    _ended: float = float("-inf")
    _task: asyncio.Task[None] | None = None

    async def again(self, url: str, now: float) -> JsonObject:
        """New findings, unless the last are recent."""
        if self._task is None and time.monotonic() - self._ended > FINDINGS_SECONDS:
            self._task = asyncio.ensure_future(self._examine(url, now))
        if self._task is not None:
            # It continues for others if this client disconnects.
            await asyncio.shield(self._task)
        return self.found

    async def _examine(self, url: str, now: float) -> None:
        try:
            self.found = {**await self.examine(url), "at": now}
        finally:
            self._ended, self._task = time.monotonic(), None

    async def close(self) -> None:
        """Ends an examination."""
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def page(live: Live, past: Past, sessions: Sessions, findings: Findings, around: Around) -> Page:
    """All of the page."""
    made, files = APIRouter(include_in_schema=False), page_files()

    def in_session(headers: Mapping[str, str]) -> bool:
        return any(sessions.holds(token) for token in _tokens(headers))

    @made.head("/")
    @made.get("/")
    async def index(request: Request) -> Response:
        """The page for clients that accept HTML, ollama's line of text for all others."""
        if "text/html" not in request.headers.get("accept", ""):
            answer: Response = await health.root()
            answer.headers["vary"] = "Accept"
            return answer
        return served(files[INDEX], request.headers.get("if-none-match", ""))

    for name, file in files.items():
        if name != INDEX:
            made.add_api_route(f"{PAGE}{name}", _one(file), methods=["GET", "HEAD"])

    @made.get(SESSION)
    async def session(request: Request) -> Response:
        """Whether a key is needed, and whether this browser has a session."""
        return _json({"key": sessions.needed, "signed_in": in_session(request.headers)})

    @made.post(SESSION)
    async def sign_in(request: Request) -> Response:
        """Checks the key and starts a session. Raises InvalidKey, Busy."""
        body = parse_object(await request.body(), 4)
        key = body.get("key")
        if not isinstance(key, str):
            raise BadRequest("Send the key.", param="key")
        if not sessions.needed:
            # Any key will do, as everywhere: the form is of before a restart.
            return _json({"signed_in": True})
        if (seconds := sessions.wait()) > 0:
            raise Busy(f"Too many wrong keys. Try again in {math.ceil(seconds)} s.")
        token = sessions.sign_in(key.strip())
        if token is None:
            raise InvalidKey("The key is wrong.")
        answer = _json({"signed_in": True})
        answer.set_cookie(
            _cookie(request),
            token,
            max_age=round(SESSION_SECONDS),
            path="/",
            secure=_is_https(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    @made.delete(SESSION)
    async def sign_out(request: Request) -> Response:
        """Ends the session."""
        for token in _tokens(request.headers):
            sessions.sign_out(token)
        live.ask_again()
        answer = _json({"signed_in": False})
        answer.delete_cookie(_cookie(request), httponly=True, samesite="strict", path="/")
        return answer

    @made.get(f"{PAGE}state")
    async def state() -> Response:
        """The current state, once."""
        return _json(live.snapshot())

    @made.get(f"{PAGE}events")
    async def events(request: Request) -> Response:
        """The current state and every change, until the session ends."""
        by_session = in_session(request.headers)
        told = live.events(lambda: not by_session or in_session(request.headers))
        return ByteStream(told, SSE.media_type, lambda _: SSE.keep_alive, KEEPALIVE_SECONDS, {**HEADERS})

    @made.get(f"{PAGE}usage")
    async def usage() -> Response:
        """Sums of the ledger."""
        return _json(await past.usage())

    @made.get(f"{PAGE}requests")
    async def requests(request: Request) -> Response:
        """Requests of the ledger, the latest first, or before that of `before` (its time) and `id`."""
        return _json(await past.requests(_before(request.query_params)))

    @made.get(f"{PAGE}clients")
    async def clients(request: Request) -> Response:
        """The texts that set up other programs."""
        # Behind a proxy that speaks HTTPS only the browser knows the scheme.
        is_https = request.query_params.get("scheme") == "https"
        return _json(await around.clients(_url(request, "https" if is_https else "http")))

    @made.get(f"{PAGE}doctor")
    async def found() -> Response:
        """The doctor's last findings."""
        return _json(findings.found)

    @made.post(f"{PAGE}doctor")
    async def examine(request: Request) -> Response:
        """Runs the doctor, which takes some seconds."""
        return _json(await findings.again(_url(request), time.time()))

    opened = frozenset({SESSION, *(f"{PAGE}{name}" for name in files if name != INDEX)})
    return Page(made, opened, in_session)


def _one(file: File) -> Callable[[Request], Awaitable[Response]]:
    async def one(request: Request) -> Response:
        return served(file, request.headers.get("if-none-match", ""))

    return one


def _json(value: JsonObject) -> Response:
    return Response(
        orjson.dumps(value), headers={**HEADERS, "cache-control": "no-store"}, media_type="application/json"
    )


def _before(query: Mapping[str, str]) -> tuple[float, str] | None:
    try:
        return (float(query["before"]), query.get("id", "")) if "before" in query else None
    except ValueError:
        raise BadRequest("A time in unix seconds is expected.", param="before") from None


def _url(request: Request, scheme: str = "http") -> str:
    return f"{scheme}://{request.headers.get('host', '')}"


def _is_https(request: Request) -> bool:
    """Whether the browser came by HTTPS, to a proxy before this server."""
    return request.headers.get("origin", "").lower().startswith("https://")


def _cookie(request: Request) -> str:
    return cookie_name(request.headers.get("host", ""))


def _tokens(headers: Mapping[str, str]) -> list[str]:
    return tokens_of(headers.get("cookie", ""), headers.get("host", ""))
