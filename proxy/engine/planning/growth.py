"""Decides whether to start another process. Pure arithmetic on times, in seconds.

A start takes 0.3 to 0.5 seconds of CPU time. If answers take milliseconds, a waiting turn gets a worker before the new
one is ready; if they take seconds, waiting to decide only adds delay. So the expected wait is compared with the time
of a start, and a process is started at once or not at all.
"""

from collections import deque
from collections.abc import Sequence
from statistics import median

# Before anything was measured: a model that answers in a few seconds, and a start on an idle machine.
FIRST_TURN = 3.0
FIRST_START = 0.5
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


def expected_wait(pace: Pace, busy: Sequence[float], starting: Sequence[float], ahead: int) -> float:
    """Seconds until a turn behind `ahead` others has a worker.

    `busy` and `starting` are for how long workers have been so. One that has been busy for longer than is usual is
    expected to take as long again.
    """
    free = [max(pace.turn - age, 0.0) if age < pace.turn else age for age in busy]
    free += [max(pace.start - age, 0.0) for age in starting]
    if not free:
        return float("inf")
    for _ in range(ahead):
        first = min(range(len(free)), key=free.__getitem__)
        free[first] += pace.turn
    return min(free)


def is_worth_a_start(pace: Pace, busy: Sequence[float], starting: Sequence[float], ahead: int) -> bool:
    """Whether a turn that waits would wait longer in line than for a new process.

    Starts share the processors: with several on their way each takes longer.
    """
    return expected_wait(pace, busy, starting, ahead) > pace.start * (1 + len(starting))
