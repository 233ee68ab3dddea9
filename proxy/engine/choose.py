"""Which worker serves a Turn. Pure: looks at what the workers hold, returns a choice, changes nothing.

In this order: the idle worker that holds the longest part of the conversation (one parked in just this call before
all); an idle blank one, an experienced one first because its code is warm; the idle one used longest ago; a new process
within the limit; at the limit, one in the place of an idle one that cannot serve; then the one that waits for tool
results longest; else wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..events import JsonObject, Turn
from .limits import Limits
from .plan import EVERYTHING, Feature, Plan, Resume, State, plan


@dataclass(frozen=True, slots=True)
class Candidate:
    """An idle worker as the choice sees it: `used` is when its last turn ended (any clock, larger is later)."""

    key: int
    state: State
    turns: int
    used: float


@dataclass(frozen=True, slots=True)
class Take:
    """Use this worker, by this plan."""

    key: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a process; first end the idle worker `instead_of`, where the limit is reached."""

    instead_of: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Every worker is busy and the limit is reached."""


Choice = Take | Spawn | Wait


def choose(
    idle: Sequence[Candidate],
    turn: Turn,
    wanted: Limits,
    *,
    room: bool,
    schema: JsonObject | None = None,
    features: frozenset[Feature] = EVERYTHING,
) -> Choice:
    """The choice for `turn` among the `idle` workers; `room` says whether one more process may be started."""
    ways = [(c, p) for c in idle if (p := plan(c.state, turn, wanted, schema=schema, features=features)) is not None]
    resuming = [way for way in ways if isinstance(way[1].steps[-1], Resume)]
    free = [way for way in ways if not way[0].state.parked]
    near = [way for way in free if way[1].kept > 0]
    blank = [way for way in free if not way[0].state.transcript]
    if resuming:
        return _take(resuming[0])
    if near:
        return _take(max(near, key=lambda way: (way[1].kept, -len(way[0].state.transcript), way[0].used)))
    if blank:
        return _take(max(blank, key=lambda way: (way[0].turns > 0, way[0].state.system is not None, way[0].used)))
    if free:
        return _take(min(free, key=lambda way: way[0].used))
    if room:
        return Spawn()
    elsewhere = [candidate for candidate in idle if not candidate.state.parked]
    if elsewhere:
        return Spawn(min(elsewhere, key=lambda candidate: candidate.used).key)
    if ways:
        return _take(min(ways, key=lambda way: way[0].used))
    if idle:
        return Spawn(min(idle, key=lambda candidate: candidate.used).key)
    return Wait()


def _take(way: tuple[Candidate, Plan]) -> Take:
    return Take(way[0].key, way[1])
