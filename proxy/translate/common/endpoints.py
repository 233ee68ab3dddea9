"""Endpoints of a dialect other than answers: token counts, model lists, and views that need no model. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ...events import JsonObject, Turn

if TYPE_CHECKING:
    from .dialect import RequestContext


@dataclass(frozen=True, slots=True)
class Counter:
    """`POST` at `path` counts the tokens of the Turn in a body; `answer` makes the response from the number."""

    path: str
    request: type[BaseModel]
    to_turn: Callable[[JsonObject, RequestContext], Turn]
    answer: Callable[[int], JsonObject]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """How `GET /v1/models` and `GET /v1/models/{id}` look to a client that sends one of the dialect's headers.

    `one` raises ModelNotFound.
    """

    every: Callable[[RequestContext], JsonObject]
    one: Callable[[str, RequestContext], JsonObject]


@dataclass(frozen=True, slots=True)
class View:
    """An endpoint that asks no model: its answer follows from the body (empty for `GET`) and the context.

    `answer` may raise a ProxyError.
    """

    path: str
    method: str
    answer: Callable[[JsonObject, RequestContext], JsonObject]
    description: str = ""
