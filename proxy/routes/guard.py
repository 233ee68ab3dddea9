"""Who may call, and how much they may send. `refusal` is pure; `Guard` applies it around the whole app.

A web page in the user's browser can reach a server on loopback. Three checks keep it out: `Host` must name this machine
(DNS rebinding), `Origin` must be absent, ours or allowed (scripts), and JSON endpoints need `application/json` (forms
cannot send it without the browser asking first). A dialect whose clients do not say so is excused from the last, where
no browser asks: browsers send `Origin` with every POST.

What the server's own page reads is for that page alone, whatever other origins may call: neither `Origin` nor
`Sec-Fetch-Site` may name another one. Its session replaces the key there, and for requests of its playground.
"""

import asyncio
import hmac
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import errors
from ..config import Settings
from ..receipts import NO_TAB, on
from ..translate.common.dialect import Dialect, errors_at
from ..translate.common.openai_errors import OPENAI_ERRORS
from . import receipt_headers
from .accounts import Accounts
from .addresses import Fit, meant
from .endpoint import IGNORED, REPAIRED
from .failures import from_exception, response
from .journal import Entry, client_of
from .origins import LOCAL_NAMES, is_allowed, is_local_address, is_same
from .services import Page

OPEN_PATHS = frozenset({"/", "/health"})
# Paths that this server's page loads and reads.
PAGE = "/page/"
# The path that its playground uses. Browsers would also send the session cookie with requests of other pages on this
# machine, since `SameSite` ignores ports, so the cookie is only accepted with our own `Origin`.
PLAYGROUND = "/v1/chat/completions"
# The content type of `curl -d`, which ollama's documentation uses for JSON, and none.
UNTYPED = frozenset({"", "application/x-www-form-urlencoded"})
# Response headers that a page of an allowed origin may read.
EXPOSED = ", ".join((IGNORED, REPAIRED, *receipt_headers.NAMES, "retry-after", "x-should-retry"))
_HOST = re.compile(r"^(\[[^\]]+\]|[^:\[\]]+)(?::\d+)?$")


def host_name(value: str) -> str | None:
    """The name in a `Host` header or an origin's authority, lower case, without port and brackets; None for none."""
    found = _HOST.match(value.strip().lower())
    return found[1].strip("[]").rstrip(".") if found else None


def head_size(scope: Scope) -> int:
    """Bytes of a request's head. uvicorn's own limit lets pass what comes in one piece."""
    target = len(scope.get("raw_path", b"")) + len(scope.get("query_string", b""))
    return target + sum(len(name) + len(b": \r\n") + len(value) for name, value in scope["headers"])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes.

    `untyped` says that clients of this path post JSON without saying so; no page in a browser may. `is_served` says
    that there is such a path at all. `local` is the address that the connection came to. `is_open` says that no key is
    needed, `in_session` that the request carries a session of the page.
    """

    untyped: bool = False
    is_served: bool = True
    local: str | None = None
    is_open: bool = False
    in_session: bool = False


def refusal(
    method: str, path: str, headers: Mapping[str, str], settings: Settings, place: Place = Place()
) -> errors.ProxyError | None:
    """Why a request is refused before its body is read, None when it is not. Header names are lower case."""
    host = host_name(headers.get("host", ""))
    own = {host_name(name) or name for name in (settings.host, *settings.allowed_hosts)}
    if host is None or not (host in LOCAL_NAMES | own or is_local_address(host, place.local)):
        return errors.Forbidden(
            f"The Host header names {host or 'nothing'!r}, which is not this machine.",
            hint="If you meant this, start with --allowed-host NAME.",
        )
    origin, is_page = headers.get("origin"), path.startswith(PAGE)
    if is_page and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return errors.Forbidden("Only this server's own page may ask this.")
    if origin is not None and not is_same(origin, headers) and (is_page or not is_allowed(origin, settings)):
        return errors.Forbidden(
            f"Requests from the web origin {origin!r} are not allowed.",
            hint="The page is for this server's own origin alone; a proxy before it must pass Host on."
            if is_page
            else "If you meant this, start with --cors-origin ORIGIN.",
        )
    is_open = place.is_open or path in OPEN_PATHS or (place.in_session and _takes_session(path, headers))
    if settings.api_key is not None and not is_open and method != "OPTIONS":
        key = settings.api_key.get_secret_value()
        if not key or not hmac.compare_digest(_sent(_key(headers)), key.encode()):
            azure = "api-key" in headers
            hint = "It came as `api-key`, which is Azure's header; send `Authorization: Bearer KEY`." if azure else ""
            return errors.InvalidKey("The API key is missing or wrong.", hint=hint)
    if method in ("POST", "PUT", "PATCH") and place.is_served:
        return _body_refused(headers, settings, place)
    return None


def _is_spared(path: str) -> bool:
    """Whether a path is answered however many requests are in flight: that is when one looks."""
    return path in OPEN_PATHS or path.startswith(PAGE)


def _takes_session(path: str, headers: Mapping[str, str]) -> bool:
    return path.startswith(PAGE) or (path == PLAYGROUND and is_same(headers.get("origin", ""), headers))


def _key(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return (token.strip() if scheme.lower() == "bearer" else "") or headers.get("x-api-key", "")


def _body_refused(headers: Mapping[str, str], settings: Settings, place: Place) -> errors.ProxyError | None:
    kinds = {kind.partition(";")[0].strip().lower() for kind in headers.get("content-type", "").split(",")}
    is_program = "origin" not in headers and "sec-fetch-site" not in headers
    if kinds != {"application/json"} and not (place.untyped and is_program and kinds <= UNTYPED):
        found = ", ".join(map(repr, sorted(kinds - {""}))) or "without a type"
        return errors.UnsupportedMediaType(f"Send the body as application/json, not {found}.")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > settings.body_limit:
        return too_large(settings)
    return None


def header_map(sent: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name. One that is sent twice has both values (RFC 9110, 5.3), where they differ."""
    found: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for name, value in sent:
        found[name.lower()].append(value)
    return {
        name.decode("latin-1"): b", ".join(dict.fromkeys(values)).decode("latin-1") for name, values in found.items()
    }


def _sent(value: str) -> bytes:
    """A header's bytes as they came; frameworks read them as Latin-1."""
    return value.encode("latin-1", "replace")


def too_large(settings: Settings) -> errors.TooLarge:
    """The 413, with the limit and how to raise it."""
    return errors.TooLarge(f"The request body is over {settings.body_limit} bytes (setting body_limit).")


class Guard:
    """Refuses requests, limits the body as it arrives, puts the request's id on every response, and logs it.

    Errors have the form of the path's dialect, else OpenAI's.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        new_id: Callable[[], str],
        scripted: bool,
        dialects: Sequence[Dialect] = (),
        fit: Callable[[str, str], Fit] = lambda method, path: "served",
        accounts: Accounts | None = None,
        page: Page | None = None,
    ) -> None:
        """`fit` tells how a method and a path fit the app's routes; `page` is the server's own."""
        self._app = app
        self._settings = settings
        self._new_id = new_id
        self._scripted = scripted
        self._dialects = dialects
        self._endpoints = [path for dialect in dialects for path in dialect.paths]
        self._fit = fit
        self._accounts = accounts or Accounts()
        self._page = page
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": meant(scope["method"], scope["path"], self._endpoints, self._fit)}
        headers = header_map(scope["headers"])
        request_id = f"req_{self._new_id()}"
        entry = Entry(request_id, scope["method"], quote(scope["path"]), client=client_of(headers))
        form = errors_at(scope["path"], headers, self._dialects, OPENAI_ERRORS)
        scope.setdefault("state", {}).update(journal=entry, errors=form)
        asks = scope["method"] == "POST"
        dialect = next((each.name for each in self._dialects if asks and scope["path"] in each.paths), None)
        tab = self._accounts.begin(entry, headers, dialect) if dialect is not None else None
        scope["state"]["tab"] = tab

        begun = False

        async def named(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun, entry.status = True, message["status"]
                found = MutableHeaders(scope=message)
                found[form.request_id_header] = request_id
                entry.take(found)
                if is_allowed(headers.get("origin", ""), self._settings):
                    # Also on refusals and errors: otherwise the browser hides them from the page.
                    found["access-control-allow-origin"] = headers["origin"]
                    found["access-control-expose-headers"] = f"{form.request_id_header}, {EXPOSED}"
                    found["vary"] = "Origin"
                if self._scripted:
                    found["x-claude-max-scripted"] = "true"
            await send(message)

        refused = self._refused(scope, headers)
        counted = not _is_spared(scope["path"])
        self._running += counted
        try:
            if refused is not None:
                await response(refused, form, request_id)(scope, receive, named)
            else:
                with on(tab or NO_TAB):
                    await self._app(scope, self._limited(receive), named)
        except Exception as error:
            if begun:
                raise
            # Here and not in an outer layer, where the connection would be closed after the answer.
            await response(from_exception(error), form, request_id)(scope, receive, named)
        finally:
            self._running -= counted
            entry.write()
            if tab is not None:
                self._accounts.end(tab)

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> errors.ProxyError | None:
        """Before the body is read: that is what the memory would go to."""
        if head_size(scope) > self._settings.head_limit:
            limit = f"{self._settings.head_limit} bytes (setting head_limit)"
            return errors.HeadTooLarge(f"The request's head is over {limit}.")
        path = scope["path"]
        untyped = any(
            each.untyped and (path in each.paths or path.startswith(each.prefixes)) for each in self._dialects
        )
        is_served = self._fit(scope["method"], path) != "absent"
        place = Place(
            untyped,
            is_served,
            (scope.get("server") or (None,))[0],
            is_open=self._page is not None and path in self._page.open,
            in_session=self._page is not None and self._page.in_session(headers),
        )
        refused = refusal(scope["method"], path, headers, self._settings, place)
        if refused is None and not _is_spared(path) and self._running >= self._settings.requests_limit:
            return errors.Busy(f"Too many requests in flight: {self._running} (setting requests_limit).")
        return refused

    def _limited(self, receive: Receive) -> Receive:
        """`receive`, raising TooLarge or RequestTimeout while the body arrives."""
        size, whole = 0, False
        deadline = asyncio.get_running_loop().time() + self._settings.body_timeout

        async def limited() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise errors.RequestTimeout(
                    f"The request body did not arrive within {self._settings.body_timeout:g} seconds "
                    "(setting body_timeout)."
                ) from None
            size += len(message.get("body", b""))
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            if size > self._settings.body_limit:
                raise too_large(self._settings)
            return message

        return limited
