"""Decides whether to start another process. Pure arithmetic on times, in seconds.

A start takes 0.3 to 0.5 seconds of CPU time. If answers take milliseconds, a waiting turn gets a worker before the new
one is ready; if they take seconds, waiting to decide only adds delay. So the expected wait is compared with the time
of a start, and a process is started at once or not at all. Of the first turns the model's silence tells which it is.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# Before anything was measured: a model that answers in a few seconds, and a start on an idle machine.
FIRST_TURN = 3.0
FIRST_START = 0.5
# As long as no turn has ended: a few that wait get a process each, once those that came with them are there. More wait
# for a sign that the model is slow: it has said nothing for so long after a request, or has not ended a turn.
TOGETHER = 0.05
FEW = 4
SILENCE = 0.1
UNENDED = 0.3
# A turn shorter than a start is work for the processor rather than waiting for a model, and a start takes the processor
# away. So turns wait for as many starts' time before there is another one.
PATIENCE = 8
# A worker that has answered is free in milliseconds. One that is not after so long may be stuck, and is not waited for.
SOON = 0.5
# How many of the latest turns, and starts, are remembered.
REMEMBERED = 8
# Of how many starts' length a turn is long.
LONG = 4


class Pace:
    """How long turns and starts took lately."""

    def __init__(self) -> None:
        self._turns: deque[float] = deque(maxlen=REMEMBERED)
        self._starts: deque[float] = deque(maxlen=REMEMBERED)

    def turned(self, seconds: float) -> None:
        """A turn took so long, from the moment its worker was taken until that was free again."""
        self._turns.append(seconds)

    def started(self, seconds: float) -> None:
        """A start took so long, until the process could be used."""
        self._starts.append(seconds)

    @property
    def is_known(self) -> bool:
        """Whether a turn has ended."""
        return bool(self._turns)

    @property
    def turn(self) -> float:
        """The usual time of a turn."""
        return median(self._turns) if self._turns else FIRST_TURN

    @property
    def start(self) -> float:
        """The usual time of a start."""
        return median(self._starts) if self._starts else FIRST_START


def starts_at_once(pace: Pace, processors: int) -> int:
    """How many processes may start at the same time while turns are under way.

    A start fills a processor. Turns much longer than a start wait for the model most of the time, and leave theirs to
    it; short ones need one.
    """
    return processors if pace.turn > LONG * pace.start else max(1, processors // 2)


@dataclass(frozen=True, slots=True)
class Line:
    """The line that a turn waits in: `ahead` before it and `waiting` in all.

    `busy` and `starting` are for how many seconds workers that can serve it have been so; `soon` workers have answered
    less than SOON ago. `silent` is for how many seconds the model has not begun to answer, at most.
    """

    busy: Sequence[float]
    starting: Sequence[float] = ()
    ahead: int = 0
    soon: int = 0
    waiting: int = 1
    silent: float = 0.0


def expected_wait(pace: Pace, line: Line) -> float:
    """Seconds until the turn has a worker.

    One that has been busy for longer than is usual is expected to take as long again.
    """
    free = [max(pace.turn - age, 0.0) if age < pace.turn else age for age in line.busy]
    free += [max(pace.start - age, 0.0) for age in line.starting] + [0.0] * line.soon
    if not free:
        return float("inf")
    for _ in range(line.ahead):
        first = min(range(len(free)), key=free.__getitem__)
        free[first] += pace.turn
    return min(free)


def is_worth_a_start(pace: Pace, line: Line) -> bool:
    """Whether the turn would wait longer in line than for a new process.

    Starts share the processors: with several on their way each takes longer.
    """
    if not pace.is_known and (line.busy or line.soon) and not _is_slow(line):
        return False
    patience = PATIENCE if _is_fast(pace, line) else 1
    return expected_wait(pace, line) > patience * pace.start * (1 + len(line.starting))


def _is_fast(pace: Pace, line: Line) -> bool:
    """Whether turns are shorter than a start, as far as those under way show it too."""
    return pace.turn < pace.start and (line.soon > 0 or any(age < pace.start for age in line.busy))


def _is_slow(line: Line) -> bool:
    """Whether the model is taken for a slow one before a turn has ended."""
    if line.soon:
        return False
    longest = max(line.busy)
    if line.waiting <= FEW:
        return longest >= TOGETHER
    return line.silent >= SILENCE or longest >= UNENDED
