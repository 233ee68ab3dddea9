"""What is kept of answers and requests: the words between those who read and write it, and the store, which holds it.

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


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger keeps of a request: numbers and names, never a prompt or an answer.

    `at` is when it came, in unix seconds; times are in milliseconds. `asked` is the model that was asked for, `model`
    the one that answered. `error` is the kind of its failure. `calls` counts what was asked of the service for it,
    and tokens are those of all calls. `input` excludes both cache counts, `output` includes `reasoning`. `cost` is in
    US dollars, None where the CLI did not say. `window`, `used` (0 to 1) and `resets` (unix seconds) are the fullest
    window's afterwards.
    """

    at: float
    id: str
    dialect: str
    client: str
    asked: str
    model: str
    status: int
    error: str = ""
    calls: int = 0
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    prepare_ms: int | None = None
    queue_ms: int | None = None
    first_ms: int | None = None
    total_ms: int = 0
    way: str = ""
    warm: bool = False
    cost: float | None = None
    basis: str = ""
    window: str = ""
    used: float | None = None
    resets: float | None = None
    overage: bool = False
