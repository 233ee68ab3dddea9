"""A pool's books: whatever happens in whatever order, they stay right, and wrong steps are not taken."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from claude_max.proxy.engine.planning.roster import Member, PoolLimits, Roster, Status
from claude_max.proxy.engine.planning.want import BARE, Holds

LIMITS = PoolLimits(workers=3, turns=4, age=20.0)


class Books(RuleBasedStateMachine):
    """Every step that a pool may take, at any time; `now` never goes back."""

    def __init__(self) -> None:
        super().__init__()
        self.roster = Roster(LIMITS)
        self.now = 0.0
        self.renewed = float("-inf")
        self.keys: set[int] = set()
        self.turns: dict[int, int] = {}

    def one(self, data: st.DataObject, *statuses: Status) -> Member:
        return data.draw(st.sampled_from(self.roster.among(*statuses)))

    @rule(seconds=st.floats(0, 10))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.roster.room)
    @rule(system=st.sampled_from(("", "S")))
    def add(self, system: str) -> None:
        member = self.roster.add(Holds(system), self.now)
        assert member.key not in self.keys, "a key is never used again"
        assert member.status is Status.STARTING
        self.keys.add(member.key)
        self.turns[member.key] = 0

    @precondition(lambda self: self.roster.count(Status.STARTING, Status.FINISHING))
    @rule(data=st.data())
    def ready(self, data: st.DataObject) -> None:
        member = self.one(data, Status.STARTING, Status.FINISHING)
        self.roster.ready(member.key, self.now)
        assert member.used == self.now

    @precondition(lambda self: self.roster.count(Status.IDLE))
    @rule(data=st.data(), system=st.sampled_from(("", "S", "T")))
    def take(self, data: st.DataObject, system: str) -> None:
        member = self.one(data, Status.IDLE)
        self.roster.take(member.key, Holds(system), member.used)
        assert (member.status, member.holds) == (Status.BUSY, Holds(system))

    @precondition(lambda self: self.roster.count(Status.BUSY))
    @rule(data=st.data())
    def finishing(self, data: st.DataObject) -> None:
        member = self.one(data, Status.BUSY)
        self.roster.finishing(member.key, self.now)
        self.turns[member.key] += 1

    @precondition(lambda self: len(self.roster) > self.roster.count(Status.CLOSING))
    @rule(data=st.data())
    def closing(self, data: st.DataObject) -> None:
        self.roster.closing(self.one(data, *set(Status) - {Status.CLOSING}).key)

    @precondition(lambda self: self.roster.count(Status.CLOSING))
    @rule(data=st.data())
    def gone(self, data: st.DataObject) -> None:
        member = self.one(data, Status.CLOSING)
        self.roster.gone(member.key)
        assert member not in list(self.roster)

    @rule()
    def renew(self) -> None:
        self.roster.renew(self.now)
        self.renewed = self.now

    @precondition(lambda self: bool(len(self.roster)))
    @rule(data=st.data())
    def a_wrong_step_is_not_taken(self, data: st.DataObject) -> None:
        member = self.one(data, *Status)
        before = member.status
        wrong = {
            Status.STARTING: ("take", "finishing"),
            Status.IDLE: ("ready", "finishing"),
            Status.BUSY: ("ready", "take"),
            Status.FINISHING: ("take", "finishing"),
            Status.CLOSING: ("ready", "take", "finishing", "closing"),
        }
        arguments = {"ready": (self.now,), "take": (Holds("S"), self.now), "finishing": (self.now,), "closing": ()}
        name = data.draw(st.sampled_from(wrong[before]))
        with pytest.raises(AssertionError, match="cannot become"):
            getattr(self.roster, name)(member.key, *arguments[name])
        assert member.status is before

    @invariant()
    def the_books_are_right(self) -> None:
        self.roster.check()
        roster = self.roster
        assert roster.count(*Status) == len(roster)
        assert roster.room is (len(roster) < LIMITS.workers)
        used = [member.used for member in roster.among(*Status)]
        assert used == sorted(used)
        for member in roster:
            assert roster[member.key] is member
            assert member.turns == self.turns[member.key]
            old = member.turns >= 4 or self.now - member.born > 20 or member.born < self.renewed
            assert roster.is_old(member, self.now) is old


Books.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_books = Books.TestCase


def test_what_check_finds() -> None:
    roster = Roster(PoolLimits(workers=1))
    member = roster.add(BARE, 5.0)
    roster.check()
    member.used = 4.0
    with pytest.raises(AssertionError):
        roster.check()
    member.used = 5.0
    member.key = 9
    with pytest.raises(AssertionError):
        roster.check()
    member.key = 1
    roster.add(BARE, 5.0)
    with pytest.raises(AssertionError, match="starting 2> is over 1"):
        roster.check()


def test_its_words() -> None:
    roster = Roster(PoolLimits())
    assert repr(roster) == "<Roster empty>"
    for _ in range(3):
        roster.add(BARE, 0.0)
    roster.ready(1, 1.0)
    roster.ready(2, 1.0)
    roster.take(2, BARE, 0)
    assert repr(roster) == "<Roster starting 1, idle 1, busy 1>"


def test_one_that_was_born_at_the_renewal_is_young() -> None:
    roster = Roster(PoolLimits())
    before, at = roster.add(BARE, 4.0), roster.add(BARE, 5.0)
    roster.renew(5.0)
    assert roster.is_old(before, 5.0)
    assert not roster.is_old(at, 5.0)
