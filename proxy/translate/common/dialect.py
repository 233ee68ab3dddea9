"""The interface of an API dialect: a value that the generic endpoint in `routes` serves. Pure.

A dialect is a folder of `translate` whose package holds its `Dialect`, and one line of wiring in `app`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from pydantic import BaseModel

from ...errors import ProxyError
from ...events import Event, JsonObject, Model, Turn
from ...records import Kept, Record, Wanted
from .endpoints import Catalog, Counter, View
from .filters import Filter
from .frames import SSE, Frame, StreamForm


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What the meaning of a request depends on, besides its body.

    `models` is what the CLI offers now, `aliases` are the user's own names of models, `headers` the request's, by
    lower-case name. `kept` is what the dialect's `wanted` asked for; `web_search` whether the service may search the
    web. `strict` asks for refusals instead of repairs.
    """

    models: Sequence[Model] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: Kept = field(default_factory=Kept)
    web_search: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ResponseMeta:
    """What a response takes from outside: ids and times, which pure code does not make.

    `id` is 24 hexadecimal digits, to which a dialect adds its prefix; `new_id` makes more of them. `created` is in unix
    seconds, and so is what `now` returns. `model` is the Turn's, until Started says which one answers. `request_id` is
    the one in the response's headers.
    """

    id: str
    created: float
    model: str
    request_id: str
    new_id: Callable[[], str]
    now: Callable[[], float]


class Reply(Protocol):
    """Builds one response, streamed or whole, from the events of its answers in the order they arrive.

    The events of answer 0 begin first; each answer's begin with Started and end with Finished. It keeps what it needs
    for both forms, so that the frames of a stream and the whole object cannot differ.
    """

    def feed(self, answer: int, event: Event) -> list[Frame]:
        """The frames this event of answer number `answer` makes, in order."""
        ...

    def end(self) -> list[Frame]:
        """The frames that follow when every answer is finished."""
        ...

    def fail(self, error: ProxyError) -> list[Frame]:
        """The frames that report a failure in mid-stream. Nothing follows them."""
        ...

    def whole(self) -> JsonObject:
        """The whole object, once every answer is finished."""
        ...


@runtime_checkable
class Alive(Protocol):
    """A Reply with keep-alive frames, for clients that only count events, not comments, as activity."""

    def alive(self) -> list[Frame]:
        """The keep-alive frames now; empty where the stream cannot have one."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A Reply whose answer may be kept."""

    def record(self) -> Record | None:
        """What to keep, once every answer is finished; None for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A parsed request.

    `turns` has one Turn for each answer that the response holds: the same one n times for n answers to it. `ignored`
    names the parameters without effect (header `x-claude-max-ignored`), `repaired` the repairs that were made
    (`x-claude-max-repaired`). Each answer's events pass through a new set of the `filters`, in this order. Without any
    turn no model is asked: the reply has all of the answer already.
    """

    turns: tuple[Turn, ...]
    reply: Callable[[ResponseMeta], Reply]
    stream: bool = False
    ignored: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    filters: tuple[Callable[[], Filter], ...] = ()


def _own_status(error: ProxyError) -> int:
    return error.status


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How a dialect renders a failure that has its own response.

    `body` makes the JSON body of an error and the request's id. `status` is the HTTP status, which a dialect may have
    another of for a kind. `request_id_header` is where its clients look for the request's id, on every response.
    """

    body: Callable[[ProxyError, str], JsonObject]
    status: Callable[[ProxyError], int] = _own_status
    request_id_header: str = "x-request-id"


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a dialect stores of its answers, and how it is retrieved.

    `wanted` reads from a body what it names of what is kept. `found`, `items` and `deleted` make the answers to `GET`
    of a response, of its input items, and to `DELETE`. `items` gets the request's query, and `missing` makes the error
    for an id that is not kept; both may raise a ProxyError.
    """

    wanted: Callable[[JsonObject], Wanted]
    found: Callable[[Record], JsonObject]
    items: Callable[[Record, Mapping[str, str]], JsonObject]
    deleted: Callable[[str], JsonObject]
    cancelled: Callable[[Record], JsonObject]
    missing: Callable[[str], ProxyError]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One endpoint of an API. Dialects of one API share their `errors`.

    `request` describes the body in the server's OpenAPI document. `to_turn` reads a body; it raises BadRequest or
    ModelNotFound, whose `param` is a path in the body. `fields` maps names of the Turn's fields to the dialect's, where
    they differ: it is applied to the `param` of the engine's errors and to `Started.ignored`.

    Failures outside the endpoint (no such path, a wrong key) have the form of this dialect at its `paths`, below its
    `prefixes`, and where a request has one of the `headers` (lower case) that only this API's clients send. Where there
    is a `keeping`, what was answered is kept and served below each of the `paths`.

    Beside its answers it may serve a `counter`, a `catalog` and `views`. `absent` tells, by the beginning of a path,
    why an endpoint that its API has is not here. `untyped` says that its clients post JSON without saying so.
    """

    name: str
    paths: tuple[str, ...]
    request: type[BaseModel]
    to_turn: Callable[[JsonObject, RequestContext], ParsedRequest]
    errors: ErrorForm
    stream: StreamForm = SSE
    fields: Mapping[str, str] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    description: str = ""
    keeping: Keeping | None = None
    counter: Counter | None = None
    catalog: Catalog | None = None
    views: tuple[View, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    untyped: bool = False


def errors_at(path: str, headers: Mapping[str, str], dialects: Sequence[Dialect], otherwise: ErrorForm) -> ErrorForm:
    """How a failure of a request to `path` is rendered. A path wins over a prefix, and a prefix over a header."""
    tests: tuple[Callable[[Dialect], bool], ...] = (
        lambda dialect: path in dialect.paths,
        lambda dialect: path.startswith(dialect.prefixes),
        lambda dialect: any(name in headers for name in dialect.headers),
    )
    found = (dialect.errors for test in tests for dialect in dialects if test(dialect))
    return next(found, otherwise)
