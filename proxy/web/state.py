"""The current state of this server, as JSON.

Times are unix seconds; memory is in bytes, rounded to a megabyte. It contains no values that change with time alone:
the page computes durations.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, TypeVar

from ..engine.pool.pool import Pool
from ..engine.pool.upkeep import resident
from ..events import JsonObject, Model
from ..plan import Window
from ..routes.accounts import Accounts
from ..store.forecast import forecast
from .past import Past

T = TypeVar("T")

MEGABYTE = 2**20


class Remembered:
    """A cache of values for some seconds. Values that were not used for that long are dropped."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, computed if it is not cached."""
        now = self._clock()
        self._known = {each: known for each, known in self._known.items() if now - known[0] < self._seconds}
        if key not in self._known:
            self._known[key] = now, make()
        found: T = self._known[key][1]
        return found


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of the state. `health` is the content of `/health`, `plan` the subscription, `since` unix seconds."""

    health: Callable[[], Mapping[str, object]]
    plan: Callable[[], str | None]
    models: Callable[[], tuple[Model, ...]]
    pool: Pool
    accounts: Accounts
    past: Past
    since: float
    pid: int
    now: Callable[[], float]
    for_seconds: Remembered = field(default_factory=lambda: Remembered(5.0))
    for_a_minute: Remembered = field(default_factory=lambda: Remembered(60.0))


def state(sources: Sources) -> JsonObject:
    """All of it: `server`, `limits`, `workers`, `running`, `models`. docs/json.md has the fields."""
    return {
        "server": {**sources.health(), "plan": sources.plan(), "since": sources.since, "pid": sources.pid},
        "limits": _limits(sources),
        "workers": _workers(sources),
        "running": [asdict(each) for each in sources.accounts.running],
        "models": [model.name for model in sources.models()],
    }


def _limits(sources: Sources) -> JsonObject:
    now, found = sources.now(), sources.accounts.limits
    told = {window.name for window in found.windows}
    windows = [_window(sources, window, None) for window in found.windows]
    # From before this server started: the CLI reports a window only with an answer.
    windows += [
        _window(sources, Window(last.name, last.used, last.resets), last.at)
        for last in sources.past.last()
        if last.name not in told and last.resets > now
    ]
    return {"windows": windows, "extra_usage": found.extra, "warnings": sources.accounts.warnings()}


def _window(sources: Sources, window: Window, as_of: float | None) -> JsonObject:
    """`used` is 0 to 1. `full_at` is None where it resets before; `as_of` is when it was told, None for just now."""

    def foreseen() -> float | None:
        if window.used is None or window.resets is None:
            return None
        known = sources.past.samples(window.name)
        found = forecast(window.name, window.used, window.resets, sources.now(), known)
        return found.full_at if found is not None else None

    return {
        "name": window.name,
        "label": window.label,
        "used": window.used,
        "resets_at": window.resets,
        "full_at": sources.for_a_minute.of((window, sources.past.reads), foreseen),
        "as_of": as_of,
    }


def _workers(sources: Sources) -> JsonObject:
    pool = sources.pool
    # The pool counts on another clock.
    behind = sources.now() - time.monotonic()
    members = [
        {
            "id": member.key,
            "pid": pid,
            "state": member.status.name.lower(),
            "turns": member.turns,
            # Rounded to seconds it would flip when the two clocks differ by half a second.
            "since": sources.for_a_minute.of(("born", member.key), partial(round, behind + member.born)),
            "memory": 0 if pid is None else sources.for_seconds.of(pid, partial(_memory, pid)),
        }
        for member, pid in pool.members()
    ]
    limits = pool.limits
    return {
        "most": limits.workers,
        "warm": limits.warm,
        "waiting": pool.waiting,
        "queue": limits.queue,
        "processes": members,
    }


def _memory(pid: int) -> int:
    return round(resident(pid) / MEGABYTE) * MEGABYTE
