"""Whether to start a process or to wait, over a simulated clock from answers of milliseconds to answers of minutes."""

from dataclasses import dataclass, field

import pytest

from claude_max.proxy.engine.planning.growth import (
    FEW,
    FIRST_START,
    SILENCE,
    TOGETHER,
    UNENDED,
    Line,
    Pace,
    expected_wait,
    is_worth_a_start,
    starts_at_once,
)

START = 0.5


def pace(turn: float, start: float = START) -> Pace:
    made = Pace()
    for _ in range(8):
        made.turned(turn)
        made.started(start)
    return made


@pytest.mark.parametrize(
    ("turn", "busy", "starting", "ahead", "wanted"),
    [
        (0.04, [0.0, 0.0], [], 0, 0.04),
        (0.04, [0.0, 0.03], [], 0, 0.01),
        (0.04, [0.0, 0.0], [], 6, 0.16),
        (4.0, [1.0, 3.0], [], 0, 1.0),
        (4.0, [1.0, 3.0], [], 1, 3.0),
        # Longer than is usual: as long again.
        (4.0, [10.0], [], 0, 10.0),
        (4.0, [0.0], [0.4], 0, 0.1),
        (4.0, [0.0], [2.0], 0, 0.0),
    ],
)
def test_the_wait_in_line(turn: float, busy: list[float], starting: list[float], ahead: int, wanted: float) -> None:
    assert expected_wait(pace(turn), Line(busy, starting, ahead)) == pytest.approx(wanted)


def test_nobody_to_wait_for() -> None:
    assert expected_wait(Pace(), Line([])) == float("inf")
    assert is_worth_a_start(Pace(), Line([]))


def test_one_that_is_free_in_a_moment() -> None:
    assert expected_wait(pace(4.0), Line([], soon=1)) == 0.0
    assert expected_wait(pace(4.0), Line([], soon=1, ahead=1)) == 4.0


MANY = FEW + 1


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        # A few, once whoever came with them is there: a model takes seconds.
        (Line([TOGETHER, 0.0], waiting=2), True),
        (Line([TOGETHER - 0.01, 0.0], waiting=2), False),
        # Many: the model has to be seen to be slow.
        (Line([TOGETHER, 0.0], waiting=MANY), False),
        (Line([0.2, 0.2], waiting=MANY, silent=SILENCE - 0.01), False),
        (Line([0.2, 0.2], waiting=MANY, silent=SILENCE), True),
        (Line([UNENDED, 0.1], waiting=MANY), True),
        # One has answered already, so that it is not.
        (Line([0.2], soon=1, waiting=2), False),
        (Line([], soon=2, waiting=MANY, ahead=4), False),
        # Nobody is at work.
        (Line([], [0.1], ahead=1, waiting=2), True),
    ],
)
def test_before_any_turn_has_ended(line: Line, starts: bool) -> None:
    assert is_worth_a_start(Pace(), line) is starts
    assert Pace().start == FIRST_START


@pytest.mark.parametrize(("turn", "ahead", "starts"), [(0.1, 13, False), (0.1, 99, True), (0.6, 1, True)])
def test_short_turns_wait_in_line_rather_than_lose_the_processor(turn: float, ahead: int, starts: bool) -> None:
    assert is_worth_a_start(pace(turn), Line([0.0, 0.0], ahead=ahead, waiting=ahead + 1)) is starts


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        # Short ones until now, and long ones of late: all of them, or not.
        (Line([START, START + 0.1], ahead=3, waiting=4), True),
        (Line([START, START - 0.1], ahead=3, waiting=4), False),
        (Line([START, START + 0.1], ahead=3, waiting=4, soon=1), False),
    ],
)
def test_long_turns_after_short_ones(line: Line, starts: bool) -> None:
    assert is_worth_a_start(pace(0.04), line) is starts


def test_only_the_latest_turns_count() -> None:
    made = pace(4.0)
    for _ in range(8):
        made.turned(0.04)
    assert made.turn == 0.04


@pytest.mark.parametrize(
    ("turn", "processors", "wanted"),
    [(0.04, 1, 1), (0.04, 2, 1), (0.04, 8, 4), (4.0, 1, 1), (4.0, 2, 2), (4.0, 8, 8), (1.9, 2, 1), (2.1, 2, 2)],
)
def test_how_many_start_at_once(turn: float, processors: int, wanted: int) -> None:
    assert starts_at_once(pace(turn), processors) == wanted


@dataclass
class Simulation:
    """Requests that come at once, on workers that take `turn` seconds each; a start takes `START`, one at a time."""

    turn: float
    workers: int = 2
    most: int = 8
    clock: float = 0.0
    ready: list[float] = field(default_factory=list)

    def run(self, requests: int) -> tuple[float, int]:
        """When the last one has its worker, and how many workers there are then."""
        free = [0.0] * self.workers
        begun: list[float] = []
        known = pace(self.turn)
        starting: list[float] = []
        waiting = requests
        while waiting:
            for number, at in enumerate(free):
                if waiting and at <= self.clock:
                    begun.append(self.clock)
                    free[number] = self.clock + self.turn
                    waiting -= 1
            ages = [self.clock - (at - self.turn) for at in free]
            begins = [self.clock - at for at in starting]
            if (
                waiting
                and not starting
                and len(free) < self.most
                and is_worth_a_start(known, Line(ages, begins, waiting - 1, waiting=waiting))
            ):
                starting.append(self.clock)
            self.clock += 0.01
            for at in [at for at in starting if self.clock - at >= START]:
                starting.remove(at)
                free.append(self.clock)
        return begun[-1], len(free)


@pytest.mark.parametrize("turn", [0.02, 0.04, 0.08])
def test_short_answers_start_nothing(turn: float) -> None:
    """Eight at once on two workers are done before a third would be there."""
    _, workers = Simulation(turn).run(8)
    assert workers == 2


@pytest.mark.parametrize("turn", [4.0, 10.0, 30.0])
def test_long_answers_do_not_wait(turn: float) -> None:
    """Each of eight has a worker as soon as it could be started, one start after the other."""
    last, workers = Simulation(turn).run(8)
    assert workers == 8
    assert last <= 6 * (START + 0.03)


@pytest.mark.parametrize("turn", [0.02, 0.1, 0.3, 0.6, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("requests", [3, 8, 40])
def test_never_much_worse_than_the_better_of_both(turn: float, requests: int) -> None:
    last, _ = Simulation(turn).run(requests)
    alone, _ = Simulation(turn, most=2).run(requests)
    assert last <= alone + 0.1
