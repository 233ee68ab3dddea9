"""Dependencies of the routes, created in `app` and passed by FastAPI's dependency injection."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, cast

from fastapi import APIRouter, Depends, Request

from ..config import Settings
from ..errors import CliUnavailable
from ..events import Event, Model, Turn
from ..records import Kept, Record, Wanted
from ..translate.common.dialect import RequestContext
from .accounts import Accounts
from .metrics import Metrics


class Engine(Protocol):
    """Answers Turns."""

    def events(self, turn: Turn) -> AsyncGenerator[Event]:
        """The answer; raises a ProxyError. Closing the iterator abandons the turn."""
        ...


class Store(Protocol):
    """Keeps records."""

    async def keep(self, record: Record) -> None:
        """Keeps a record, where that is possible."""
        ...

    async def kept(self, wanted: Wanted) -> Kept:
        """What a request names of what is kept; raises a ProxyError."""
        ...

    async def get(self, id: str) -> Record | None:
        """The record of an id; raises a ProxyError."""
        ...

    async def delete(self, id: str) -> bool:
        """Whether there was a record of this id; raises a ProxyError."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """The server's own page: what serves it, the paths that need no key, and whether a request is in a session."""

    router: APIRouter
    open: frozenset[str]
    in_session: Callable[[Mapping[str, str]], bool]


async def _no_count(_: Turn) -> int:
    raise CliUnavailable("No Claude Code CLI is available to count tokens.")


@dataclass(frozen=True, slots=True)
class Services:
    """`models` is what the CLI offers now; `ready` is what `/health` tells.

    `new_id` makes 24 hexadecimal digits that no other object has; `now` is unix seconds. `count` is how many tokens a
    Turn has as input; it raises a ProxyError. `accounts` keeps what requests cost, `metrics` counts
    it.
    """

    engine: Engine
    settings: Settings
    models: Callable[[], tuple[Model, ...]]
    ready: Callable[[], dict[str, object]]
    new_id: Callable[[], str]
    now: Callable[[], float]
    store: Store | None = None
    count: Callable[[Turn], Coroutine[Any, Any, int]] = _no_count
    accounts: Accounts = field(default_factory=Accounts)
    metrics: Metrics = field(default_factory=Metrics)


def context_of(request: Request, services: Services, kept: Kept = Kept()) -> RequestContext:  # noqa: B008 - frozen
    """What a request means depends on this beside its body."""
    settings = services.settings
    return RequestContext(
        services.models(), settings.all_aliases, request.headers, kept, settings.web_search, settings.strict
    )


async def _services(request: Request) -> Services:
    # Not a plain function: FastAPI runs those in threads.
    return cast("Services", request.app.state.services)


Wired = Annotated[Services, Depends(_services)]
