"""The types of stored responses and ledger rows, between the store and its users.

Frozen dataclasses, no logic. Items are the dialect's own JSON; the store only reads the ids of items, and images and
files, which it stores once each.
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
    """The stored objects that a request refers to: the previous response, and items by their ids."""

    previous: str | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """The stored objects that were found: the chain of responses up to the named one, oldest first, and items by their
    ids.

    `on` is False if storing is turned off.
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
