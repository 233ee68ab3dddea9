"""Chooses the worker for a want, or decides to start another. Pure: reads the roster, changes nothing.

Any idle worker serves any Turn, except that a process cannot drop a system prompt, or tools offered by MCP, once it had
them. The order is: an idle worker with the same tools and system prompt, one with another system prompt, one that never
had any. A Turn without a system prompt needs the last kind, so one of them is kept for it when there are several
workers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .roster import Member, Roster, Status
from .steps import EVERYTHING, Feature, can_serve
from .want import BARE, Holds

# With fewer workers a reserve would take too large a part of them.
RESERVING = 4


@dataclass(frozen=True, slots=True)
class Take:
    """Use this worker."""

    key: int


@dataclass(frozen=True, slots=True)
class Start:
    """Start a process."""


@dataclass(frozen=True, slots=True)
class Evict:
    """End this idle worker, which cannot serve, so that one can be started. Like a start, it may not be worth it."""

    key: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for a worker that is busy, starting or closing; where `look`, time alone may change the choice."""

    look: bool = False


Choice = Take | Start | Evict | Wait


def choose(
    roster: Roster,
    wanted: Holds,
    *,
    ahead: int = 0,
    born_after: float | None = None,
    features: frozenset[Feature] = EVERYTHING,
    rested: float = math.inf,
) -> Choice:
    """The choice for a want for which a process must hold this.

    `ahead` counts the turns that wait before it, each for a process that is starting. `born_after` asks for a worker
    that started after that time: one after another of the older ones was found dead. An idle one last used after
    `rested` may be wanted by others in a moment.
    """

    def fits(member: Member) -> bool:
        young = born_after is None or member.born > born_after
        return young and can_serve(member.holds, wanted, features)

    idle = roster.among(Status.IDLE)
    free = [member for member in idle if fits(member)]
    if not roster.room and wanted.system:
        free = _without_reserve(roster, free)
    if free:
        return Take(_best(free, wanted).key)
    starting = [member for member in roster.among(Status.STARTING) if fits(member)]
    if len(starting) > ahead:
        return Wait()
    if roster.room:
        return Start()
    if roster.count(Status.CLOSING) > ahead:
        return Wait()
    unfit = [member for member in idle if not fits(member)]
    # An idle one that fits is kept in reserve here.
    coming = roster.among(Status.STARTING, Status.BUSY, Status.FINISHING)
    if any(fits(member) for member in coming):
        # Few turns can use one that holds tools.
        spare = [member for member in unfit if member.holds.tools]
        unfit = [member for member in spare if member.used <= rested]
        if spare and not unfit:
            return Wait(look=True)
    return Evict(unfit[0].key) if unfit else Wait()


def _best(free: Sequence[Member], wanted: Holds) -> Member:
    """Of equals the one used last: its code and its memory are warm."""

    def closeness(member: Member) -> tuple[bool, bool, bool, float]:
        held = member.holds
        return held.tools == wanted.tools, held.system == wanted.system, held.system != "", member.used

    return max(free, key=closeness)


def _without_reserve(roster: Roster, free: list[Member]) -> list[Member]:
    """At the limit the last worker that can serve any Turn is kept, as long as there are others."""
    bare = [member for member in roster if member.holds == BARE and member.status is not Status.CLOSING]
    if roster.limits.workers < RESERVING or len(bare) > 1 or len(bare) == len(roster):
        return free
    return [member for member in free if member.holds != BARE]
