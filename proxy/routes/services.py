"""What every route works with, made once in `app` and handed to the routes by FastAPI's dependency injection."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from ..config import Settings
from ..events import Event, Model, Turn


class Engine(Protocol):
    """Whatever answers Turns."""

    def events(self, turn: Turn) -> AsyncGenerator[Event]:
        """The answer; raises a ProxyError. Closing the iterator abandons the turn."""
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


def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


Wired = Annotated[Services, Depends(_services)]
