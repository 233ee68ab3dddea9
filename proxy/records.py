"""What is kept of answers: the words between the dialects, which read and write it, and the store, which holds it.

Frozen dataclasses, no logic. The items are the dialect's own JSON; the store looks into none of it but for the ids of
items, and for images and files, which it holds once each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .events import JsonObject


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a response, for a request that goes on from it.

    `input` are the items it was asked with, `output` what it answered with, more of it perhaps than in `object`, which
    is the answer as the client got it. `previous` is the id of the response that it went on from. `created` is in unix
    seconds.
    """

    id: str
    created: float
    object: JsonObject
    input: tuple[JsonObject, ...] = ()
    output: tuple[JsonObject, ...] = ()
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a body names of what is kept: the response it goes on from, and items by their ids."""

    previous: str | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found of it: the responses up to the one that was named, the oldest first, and items by their ids.

    `on` False says that nothing is kept here.
    """

    chain: tuple[Record, ...] = ()
    items: Mapping[str, JsonObject] = field(default_factory=dict)
    on: bool = False
