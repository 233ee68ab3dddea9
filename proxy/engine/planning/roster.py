"""The workers of a pool: their states, contents and limit. Pure bookkeeping, no processes.

A member is starting, idle, busy, finishing (its answer is out, its turn is being taken back), or closing. All of them
count against the limit. `check` asserts the invariants.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from .want import Holds


class Status(Enum):
    """What a member does now."""

    STARTING = auto()
    IDLE = auto()
    BUSY = auto()
    FINISHING = auto()
    CLOSING = auto()


# The steps a member may take.
_NEXT: dict[Status, frozenset[Status]] = {
    Status.STARTING: frozenset({Status.IDLE, Status.CLOSING}),
    Status.IDLE: frozenset({Status.BUSY, Status.CLOSING}),
    Status.BUSY: frozenset({Status.FINISHING, Status.CLOSING}),
    Status.FINISHING: frozenset({Status.IDLE, Status.CLOSING}),
    Status.CLOSING: frozenset(),
}


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """`workers`: processes at most. `warm`: idle ones kept ready. `queue`: turns that may wait. Ages in seconds."""

    workers: int = 8
    warm: int = 2
    queue: int = 64
    turns: int = 150
    age: float = 3600.0


@dataclass(slots=True)
class Member:
    """One worker. `holds` is what it holds or starts with; `born` and `used` are seconds of a steady clock.

    `used` is when it last began a turn, had answered, or was idle again.
    """

    key: int
    holds: Holds
    born: float
    used: float
    status: Status = Status.STARTING
    turns: int = 0


class Roster:
    """All members of a pool."""

    def __init__(self, limits: PoolLimits) -> None:
        self.limits = limits
        self._members: dict[int, Member] = {}
        self._renewed = float("-inf")
        self._next = 0

    def __repr__(self) -> str:
        counts = ", ".join(f"{status.name.lower()} {self.count(status)}" for status in Status if self.count(status))
        return f"<Roster {counts or 'empty'}>"

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __getitem__(self, key: int) -> Member:
        return self._members[key]

    def __len__(self) -> int:
        return len(self._members)

    def count(self, *statuses: Status) -> int:
        """How many members are in one of these."""
        return sum(member.status in statuses for member in self)

    def among(self, *statuses: Status) -> list[Member]:
        """The members in one of these, the one used longest ago first."""
        return sorted((member for member in self if member.status in statuses), key=lambda member: member.used)

    @property
    def room(self) -> bool:
        """Whether one more process may be started."""
        return len(self) < self.limits.workers

    def add(self, holds: Holds, now: float) -> Member:
        """A new member, starting."""
        self._next += 1
        member = self._members[self._next] = Member(self._next, holds, now, now)
        return member

    def ready(self, key: int, now: float) -> None:
        """A member that started, or finished, is idle."""
        member = self._members[key]
        member.used = now
        self._step(member, Status.IDLE)

    def take(self, key: int, holds: Holds, now: float) -> None:
        """An idle member serves a turn, for which it comes to hold this."""
        member = self._members[key]
        self._step(member, Status.BUSY)
        member.holds, member.used = holds, now

    def finishing(self, key: int, now: float) -> None:
        """A busy member's answer is out."""
        member = self._members[key]
        self._step(member, Status.FINISHING)
        member.used = now
        member.turns += 1

    def closing(self, key: int) -> None:
        """A member is being ended."""
        self._step(self._members[key], Status.CLOSING)

    def gone(self, key: int) -> None:
        """A member has ended."""
        del self._members[key]

    def renew(self, now: float) -> None:
        """From now on every member born before is old."""
        self._renewed = now

    def is_old(self, member: Member, now: float) -> bool:
        """Whether a member should serve no further turn."""
        limits = self.limits
        return member.turns >= limits.turns or now - member.born > limits.age or self.is_outdated(member.born)

    def is_outdated(self, born: float) -> bool:
        """Whether a process born then is from before the last renewal: of another CLI, or with another login."""
        return born < self._renewed

    def check(self) -> None:
        """Raises AssertionError where the books are wrong."""
        assert len(self) <= self.limits.workers, f"{self!r} is over {self.limits.workers}"
        assert all(key == member.key for key, member in self._members.items())
        assert all(member.born <= member.used for member in self)

    def _step(self, member: Member, status: Status) -> None:
        assert status in _NEXT[member.status], f"{member.status.name} cannot become {status.name}"
        member.status = status
