"""What every route works with, made once in `app` and handed to the routes by FastAPI's dependency injection."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from ..config import Settings
from ..events import Event, Model, Turn
from ..records import Kept, Record, Wanted


class Engine(Protocol):
    """Whatever answers Turns."""

    def events(self, turn: Turn) -> AsyncGenerator[Event]:
        """The answer; raises a ProxyError. Closing the iterator abandons the turn."""
        ...


class Store(Protocol):
    """Whatever keeps records."""

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
class Services:
    """`models` is what the CLI offers now; `ready` is what `/health` tells.

    `new_id` makes 24 hexadecimal digits that no other object has; `now` is unix seconds.
    """

    engine: Engine
    settings: Settings
    models: Callable[[], tuple[Model, ...]]
    ready: Callable[[], dict[str, object]]
    new_id: Callable[[], str]
    now: Callable[[], float]
    store: Store | None = None


def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


Wired = Annotated[Services, Depends(_services)]
