"""The wire of the scripted Messages API: requests in, recorded; answers out, as SSE or JSON.

What to answer is decided elsewhere (script.py, rules.py). Credentials that arrive are dropped, not stored.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import script
from .exchange import Exchange, Record
from .prompt_cache import CacheTotals, PromptCache
from .reply import Drop, Failure, Reply
from .response import ScriptedResponse, dumps, request_id
from .rules import refusal, unsupported
from .signing import signed

Answer = Callable[[dict[str, Any], int], Reply | Failure | Drop]
_SECRET = ("authorization", "x-api-key", "proxy-authorization", "cookie")
_KEEP = 1000  # exchanges kept: more than any test needs, few enough for a demo that runs for weeks
_NOT_JSON = Failure(400, "invalid_request_error", "The request body is not valid JSON")
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ScriptedAPI:
    """A Messages API whose every answer is `answer(body, number)`, after the rules of the real one.

    `refuse` names parameters no model takes (rules.unsupported has the syntax); `strict` names the rules that may be
    left out and are not (rules.ALL has them; None: rules.STRICT). Both may be changed between requests, and so may
    `cache`, the prompt cache.
    """

    def __init__(
        self,
        answer: Answer = script.answer,
        refuse: frozenset[str] = frozenset(),
        keep: int = _KEEP,
        strict: frozenset[str] | None = None,
        cache: PromptCache | None = None,
    ) -> None:
        self.answer = answer
        self.refuse = refuse
        self.strict = strict
        self.cache = cache or PromptCache()
        self._failed: dict[bytes, int] = {}
        self.app = Starlette(
            routes=[
                Route("/v1/messages", self._messages, methods=["POST"]),
                Route("/v1/messages/count_tokens", self._count, methods=["POST"]),
                Route("/", self._root, methods=["GET", "HEAD"]),
                Route("/{path:path}", self._nothing, methods=_METHODS),
            ]
        )
        self._record = Record(keep)

    @property
    def requests(self) -> deque[Exchange]:
        """What arrived, oldest first; bounded."""
        return self._record.exchanges

    @property
    def arrived(self) -> int:
        """How many POST /v1/messages arrived, ever."""
        return self._record.arrived

    def messages(self) -> list[Exchange]:
        """The exchanges of POST /v1/messages, oldest first."""
        return [exchange for exchange in tuple(self.requests) if exchange.number]

    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of POST /v1/messages, oldest first."""
        return [exchange.body for exchange in self.messages()]

    def cached(self, since: int = 0) -> CacheTotals:
        """What the messages behind number `since` had of the prompt cache, together."""
        uses = [exchange.cache for exchange in self.messages() if exchange.number > since and exchange.cache]
        return CacheTotals(
            len(uses), sum(use.total for use in uses), sum(use.read for use in uses), sum(use.repeated for use in uses)
        )

    async def wait_for(self, n: int, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the bound is the point
        """Return once `n` message requests have arrived since the start; TimeoutError after `timeout` seconds."""
        await self.wait_until(lambda: self.arrived >= n, timeout)

    async def wait_until(self, predicate: Callable[[], bool], timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Return once `predicate()` holds, looked at when a request arrives, begins to be answered, or ends."""
        await self._record.wait(predicate, timeout)

    def wait_until_blocking(self, predicate: Callable[[], bool], timeout: float = 10.0) -> None:
        """`wait_until` for code without an event loop."""
        self._record.wait_blocking(predicate, timeout)

    def hang_up(self) -> None:
        """Drop every answer that is under way. Call it in the server's own loop."""
        for task in self._record.writing:
            task.cancel()

    async def _messages(self, request: Request) -> Response:
        body, exchange = await self._note(request, counted=True)
        return ScriptedResponse(self._record, exchange, _NOT_JSON if body is None else self._answer(body, exchange))

    def _answer(self, body: dict[str, Any], exchange: Exchange) -> Reply | Failure | Drop:
        refused = refusal(body, self.strict, _betas(exchange)) or unsupported(body, self.refuse)
        if refused:
            exchange.refused = refused.message
            return refused
        answer = self.answer(body, exchange.number)
        if not isinstance(answer, Reply):
            return answer
        if answer.once and self._fails_again(body, answer.once.times):
            return answer.once.how
        exchange.cache = use = self.cache.use(body)
        if answer.usage.measured:
            total = answer.usage.input_tokens
            read, written = min(use.read, total), min(use.written, max(0, total - use.read))
            usage = replace(
                answer.usage,
                input_tokens=total - read - written,
                cache_read_input_tokens=read,
                cache_creation_input_tokens=written,
                hour_input_tokens=min(use.written_1h, written),
            )
            answer = replace(answer, usage=usage)
        return signed(answer, body)

    def _fails_again(self, body: dict[str, Any], times: int) -> bool:
        """Whether this conversation has not failed so many times yet; the same one is tried again with the same."""
        key = hashlib.sha256(dumps(body["messages"])).digest()
        self._failed[key] = self._failed.get(key, 0) + 1
        return self._failed[key] <= times

    async def _count(self, request: Request) -> Response:
        body, exchange = await self._note(request)
        if body is None:
            return ScriptedResponse(self._record, exchange, _NOT_JSON)
        # It accepts the same fields as a message, except for the output limit.
        if refused := refusal({"max_tokens": 1 << 17, **body}, frozenset(), _betas(exchange)):
            exchange.refused = refused.message
            return ScriptedResponse(self._record, exchange, refused)
        return self._plain(exchange, {"input_tokens": script.count(body)})

    async def _root(self, request: Request) -> Response:
        _, exchange = await self._note(request)
        return self._plain(exchange, {})

    async def _nothing(self, request: Request) -> Response:
        _, exchange = await self._note(request)
        return ScriptedResponse(
            self._record, exchange, Failure(404, "not_found_error", f"Not found: {request.url.path}")
        )

    def _plain(self, exchange: Exchange, value: dict[str, Any]) -> Response:
        exchange.status, exchange.finished = 200, True
        self._record.changed()
        return Response(orjson.dumps(value), media_type="application/json", headers={"request-id": request_id()})

    async def _note(self, request: Request, *, counted: bool = False) -> tuple[dict[str, Any] | None, Exchange]:
        """Record a request. The body is None when it is not a JSON object."""
        raw = await request.body()
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            body = None
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _SECRET}
        if counted:
            self._record.arrived += 1
        number = self._record.arrived if counted else 0
        exchange = Exchange(number, request.method, request.url.path, request.url.query, headers, body or {})
        self._record.exchanges.append(exchange)
        self._record.changed()
        return body, exchange


def _betas(exchange: Exchange) -> frozenset[str]:
    return frozenset(beta.strip() for beta in exchange.headers.get("anthropic-beta", "").split(","))
