"""The one endpoint that serves every dialect: one or several answers, sent as one object or as a stream.

The status is sent with the model's first event, so that a failure before it has its own status even for a stream. The
dialect defines the wire format.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TypeVar

from fastapi import APIRouter, Request, Response

from ..errors import ProxyError
from ..events import JsonObject, Started, Tool, Turn
from ..json_text import dumps
from ..records import Kept, Wanted
from ..translate.common.dialect import Alive, Dialect, ParsedRequest, Recorded, Reply, RequestContext, ResponseMeta
from ..translate.common.frames import Frame
from ..translate.common.repairs import Repairs
from ..translate.common.tools import naming_tools
from ..translate.common.validation import parse_object
from .accounts import Tab
from .answers import Answers
from .compressed import inflated
from .journal import Entry, entry_of, log_answer, log_prompt
from .openapi import described
from .receipt_headers import receipt_headers
from .services import Services, Wired, context_of
from .stream import EventStream, while_connected

IGNORED = "x-claude-max-ignored"
# Of a header. Node takes 16 KB of headers, other clients 8 KB.
MOST_CHARACTERS = 3500
REPAIRED = "x-claude-max-repaired"
# Bodies above this are read in a thread: 256 KiB of tools and their schemas take some 10 ms.
LARGE = 256 * 1024
T = TypeVar("T")
U = TypeVar("U")


def router(dialect: Dialect) -> APIRouter:
    """`POST` at each of the dialect's paths."""
    made = APIRouter()

    async def endpoint(request: Request, services: Wired) -> Response:
        return await respond(request, services, dialect)

    for path in dialect.paths:
        made.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            name=dialect.name,
            description=dialect.description,
            openapi_extra=described(dialect.request, dialect.errors, dialect.stream),
        )
    return made


async def parsed(
    request: Request,
    services: Services,
    to_turn: Callable[[JsonObject, RequestContext], T],
    wanted: Callable[[JsonObject], Wanted] | None = None,
) -> T:
    """What `to_turn` makes of the request's body, and of what is kept that it names. Raises a ProxyError.

    Repairs of the body's text are left in `request.state.repaired`.

    A large one beside the event loop: thousands of schemas take seconds to check, and others should not wait for them.
    """
    raw = await request.body()
    settings = services.settings
    encoding = request.headers.get("content-encoding", "").strip().lower()
    repairs = Repairs(strict=settings.strict)
    # A compressed body may expand a hundredfold.
    is_large = len(raw) > LARGE or encoding not in ("", "identity")

    async def beside(work: Callable[[], U]) -> U:
        return await asyncio.to_thread(work) if is_large else work()

    body = await beside(
        lambda: parse_object(inflated(raw, encoding, settings.body_limit), settings.json_depth, repairs)
    )
    request.state.repaired = repairs.names
    # With the client's model name, which an alias may have replaced in the Turn.
    if isinstance(name := body.get("model"), str):
        entry_of(request).asked = name
    kept = Kept() if wanted is None or services.store is None else await services.store.kept(wanted(body))
    context = context_of(request, services, kept)
    return await beside(lambda: to_turn(body, context))


async def respond(request: Request, services: Services, dialect: Dialect) -> Response:
    """The response to a request. Raises the ProxyError of an answer that fails before it began, and ClientGone."""
    keeping = dialect.keeping
    asked = await parsed(request, services, dialect.to_turn, None if keeping is None else keeping.wanted)
    asked = replace(asked, repaired=(*request.state.repaired, *asked.repaired))
    entry = entry_of(request)
    if not asked.turns:
        return _at_once(request, services, dialect, asked)
    entry.model = asked.turns[0].model
    await services.accounts.admit()
    meta = ResponseMeta(services.new_id(), services.now(), entry.model, entry.id, services.new_id, services.now)
    if services.settings.log_content:
        # Several identical Turns are one prompt.
        for turn in {id(turn): turn for turn in asked.turns}.values():
            log_prompt(entry, turn)
    answers = Answers(services.engine, asked.turns, services.settings.workers, asked.filters)
    turn, tab = asked.turns[0], request.state.tab
    exchange = _Exchange(answers, asked.reply(meta), turn, dialect.fields, entry, services, tab)

    def headers(begun: Started) -> dict[str, str]:
        return {**_headers(asked, begun, dialect.fields), **exchange.receipt}

    if not asked.stream:
        begun = await while_connected(request, exchange.collect())
        body = dumps(exchange.reply.whole())
        return Response(body, headers=headers(begun), media_type="application/json")
    begun = await while_connected(request, exchange.start())
    return EventStream(
        exchange.frames(),
        dialect.stream,
        exchange.reply.fail,
        answers.aclose,
        headers=headers(begun),
        keepalive=services.settings.keepalive_interval,
        alive=exchange.reply.alive if isinstance(exchange.reply, Alive) else list,
    )


def _at_once(request: Request, services: Services, dialect: Dialect, asked: ParsedRequest) -> Response:
    """The response to a request that asks no model."""
    id = entry_of(request).id
    reply = asked.reply(ResponseMeta(services.new_id(), services.now(), "", id, services.new_id, services.now))
    headers = _headers(asked, Started(""), dialect.fields)
    if asked.stream:
        written = b"".join(dialect.stream.write(frame) for frame in reply.end()) + dialect.stream.end
        return Response(written, headers=headers, media_type=dialect.stream.media_type)
    return Response(dumps(reply.whole()), headers=headers, media_type="application/json")


class _Exchange:
    """The answers on their way into the reply, and into the log."""

    def __init__(
        self,
        answers: Answers,
        reply: Reply,
        turn: Turn,
        fields: Mapping[str, str],
        entry: Entry,
        services: Services,
        tab: Tab | None,
    ) -> None:
        self.reply = reply
        self.receipt: dict[str, str] = {}
        self._tab = tab
        self._accounts = services.accounts
        self._answers = answers
        self._turn = turn
        self._fields = fields
        self._entry = entry
        self._log_content = services.settings.log_content
        self._store = services.store

    async def start(self) -> Started:
        """Waits until every answer has begun."""
        with _in_words_of(self._fields, self._turn):
            begun = await self._answers.start()
        self._entry.model, self._entry.first = begun.model, self._entry.elapsed()
        if self._tab is not None:
            accounts = self._accounts
            self.receipt = receipt_headers(self._tab, begun.usage, accounts.limits, accounts.warnings())
        return begun

    async def collect(self) -> Started:
        """Feeds the reply until it is whole."""
        begun = await self.start()
        async with contextlib.aclosing(self.frames()) as frames:
            async for _ in frames:
                pass
        return begun

    async def frames(self) -> AsyncGenerator[list[Frame]]:
        """The frames of the reply, once it has started; those that can be written together in one list."""
        async with contextlib.aclosing(self._answers):
            try:
                with _in_words_of(self._fields, self._turn):
                    async for batch in self._answers:
                        made: list[Frame] = []
                        try:
                            for index, event in batch:
                                made += self.reply.feed(index, event)
                        finally:
                            # Also the frames before a failure.
                            if made:
                                yield made
            finally:
                self._entry.usage = self._answers.usage
                if self._log_content:
                    log_answer(self._entry, self._answers.text)
            await self._keep()
            yield self.reply.end()

    async def _keep(self) -> None:
        """Before the client knows that the answer is complete: its next request may go on from it at once."""
        record = self.reply.record() if isinstance(self.reply, Recorded) else None
        if record is not None and self._store is not None:
            await self._store.keep(record)


@contextlib.contextmanager
def _in_words_of(fields: Mapping[str, str], turn: Turn) -> Iterator[None]:
    """Errors of the engine's name a field of the Turn; the client knows it by the dialect's name, a tool by its own."""
    try:
        yield
    except ProxyError as error:
        names = [tool.name if isinstance(tool, Tool) else str(tool.json.get("name")) for tool in turn.tools]
        error.reword(naming_tools(error.sentence, names))
        if error.param is not None:
            error.param = fields.get(error.param, error.param)
        raise


def _headers(asked: ParsedRequest, started: Started, fields: Mapping[str, str]) -> dict[str, str]:
    """Names every parameter that had no effect, and every repair."""
    dropped = sorted({fields.get(name, name) for name in started.ignored}.difference(asked.ignored))
    named = {IGNORED: (*asked.ignored, *dropped), REPAIRED: (*asked.repaired, *sorted(started.repaired))}
    return {header: _listed(names) for header, names in named.items() if names}


def _listed(names: Sequence[str]) -> str:
    """The names, and of what is too much for a header their number."""
    lengths = accumulate(len(name) + 2 for name in names)
    shown = sum(length <= MOST_CHARACTERS for length in lengths)
    return ", ".join([*names[:shown], *([f"{len(names) - shown} more"] if shown < len(names) else [])])
