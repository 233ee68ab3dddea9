"""Each rule of the choice, and what always holds of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.planning import choice as module
from claude_max.proxy.engine.planning.choice import Choice, Evict, Start, Take, Wait, choose
from claude_max.proxy.engine.planning.roster import PoolLimits, Roster, Status
from claude_max.proxy.engine.planning.steps import EVERYTHING, Feature, can_serve
from claude_max.proxy.engine.planning.want import BARE as NOTHING
from claude_max.proxy.engine.planning.want import Holds

# What is held is written `system`, or `system+tools`.
Held = tuple[str, Status]
STARTING, IDLE, BUSY, FINISHING, CLOSING = Status
BARE, S, T, L = ("", IDLE), ("S", IDLE), ("T", IDLE), ("S+look", IDLE)


def holds(text: str) -> Holds:
    return Holds(*text.split("+"))


def roster_of(*held: Held, room: int = 0) -> Roster:
    """Members 1, 2, 3, …, each used later than the one before; and room for so many more."""
    roster = Roster(PoolLimits(workers=len(held) + room))
    for number, (text, status) in enumerate(held):
        started = status in (STARTING, CLOSING)
        member = roster.add(holds(text) if started else Holds(), float(number))
        if status is not STARTING:
            roster.ready(member.key, float(number))
        if status in (IDLE, BUSY, FINISHING):
            roster.take(member.key, holds(text), member.used)
        if status in (IDLE, FINISHING):
            roster.finishing(member.key, member.used)
        if status is IDLE:
            roster.ready(member.key, member.used)
        if status is CLOSING:
            roster.closing(member.key)
    roster.check()
    return roster


def busy(system: str) -> Held:
    return system, BUSY


RULES: list[tuple[list[Held], int, str, Choice]] = [
    # An idle one that holds the same system prompt, of these the one used last.
    ([S, T, BARE], 1, "S", Take(1)),
    ([S, S, T], 1, "S", Take(2)),
    ([BARE, S, BARE], 0, "", Take(3)),
    # Else one with another; else one that never had any.
    ([T, BARE], 1, "S", Take(1)),
    ([BARE, T, T, BARE], 1, "S", Take(3)),
    ([BARE, BARE], 1, "S", Take(2)),
    ([BARE], 0, "S", Take(1)),
    # Without a system prompt only one that never had any.
    ([S, T], 1, "", Start()),
    ([S, BARE], 0, "", Take(2)),
    # Nobody is idle.
    ([], 1, "S", Start()),
    ([busy("S")], 1, "S", Start()),
    ([busy("S")], 0, "S", Wait()),
    ([("S", FINISHING)], 0, "S", Wait()),
    # One that starts is waited for, rather than starting another.
    ([("", STARTING)], 1, "S", Wait()),
    ([("S", STARTING)], 1, "S", Wait()),
    ([("S", STARTING)], 1, "", Start()),
    # One that ends makes room.
    ([("S", CLOSING)], 0, "S", Wait()),
    ([S, ("T", CLOSING)], 0, "", Wait()),
    # The last one without a system prompt is kept where there are others.
    ([BARE, busy("S")], 0, "T", Wait()),
    ([BARE, S], 0, "T", Take(2)),
    ([BARE, BARE, busy("S")], 0, "T", Take(2)),
    ([BARE, busy("")], 0, "T", Take(1)),
    ([BARE, busy("S")], 1, "T", Take(1)),
    # One that cannot serve is ended for one that can, but not while another is to be had by waiting.
    ([S, T], 0, "", Evict(1)),
    ([busy("S"), T], 0, "", Evict(2)),
    ([S, busy("")], 0, "", Wait()),
    ([S, ("", FINISHING)], 0, "", Wait()),
    ([S, ("", STARTING)], 0, "", Wait()),
    ([busy("S"), busy("T")], 0, "", Wait()),
    # One that was offered tools serves turns with the same ones, and is preferred for them.
    ([L, BARE, S], 1, "S+look", Take(1)),
    ([("T+look", IDLE), S], 1, "S+look", Take(1)),
    ([L, BARE], 1, "S+seek", Take(2)),
    ([L, S], 1, "S+seek", Take(2)),
    ([L], 1, "S+seek", Start()),
    ([L], 1, "S", Start()),
    ([L], 1, "+look", Start()),
    ([("+look", IDLE)], 1, "S+look", Take(1)),
    ([L, busy("S+look")], 0, "T", Evict(1)),
    # One with other tools is ended although another that can serve is busy.
    ([L, busy("S")], 0, "T", Evict(1)),
    ([L, busy("S+seek")], 0, "S+seek", Evict(1)),
    ([L, ("S+seek", STARTING)], 0, "S+seek", Wait()),
    ([S, busy("+seek")], 0, "+seek", Wait()),
    # One that can serve all others is kept, and does not stand in the way of a start.
    ([BARE, L, busy("+seek"), busy("+seek")], 0, "S+dig", Evict(2)),
    ([BARE, busy("+seek")], 0, "S+dig", Wait()),
    ([BARE, S], 0, "S+dig", Take(2)),
]


@pytest.mark.parametrize(("held", "room", "system", "choice"), RULES)
def test_rules(held: list[Held], room: int, system: str, choice: Choice) -> None:
    assert choose(roster_of(*held, room=room), holds(system)) == choice


@pytest.mark.parametrize(
    ("held", "room", "ahead", "choice"),
    [
        ([("S", STARTING)], 1, 1, Start()),
        ([("S", STARTING)] * 2, 1, 1, Wait()),
        ([("S", STARTING)] * 2, 1, 2, Start()),
        ([S, ("T", CLOSING)], 0, 1, Evict(1)),
        ([S, ("T", CLOSING), ("T", CLOSING)], 0, 1, Wait()),
    ],
)
def test_those_before_have_what_starts_or_ends(held: list[Held], room: int, ahead: int, choice: Choice) -> None:
    system = "" if any(status is CLOSING for _, status in held) else "S"
    assert choose(roster_of(*held, room=room), holds(system), ahead=ahead) == choice


@pytest.mark.parametrize(
    ("held", "wanted", "rested", "choice"),
    [
        ([L, busy("S+seek")], "S+seek", 0.0, Evict(1)),
        ([L, busy("S+seek")], "S+seek", -0.5, Wait(look=True)),
        ([L, L, busy("S+seek")], "S+seek", 0.5, Evict(1)),
        ([S, busy("+seek")], "+seek", -0.5, Wait()),
        # Nothing else could serve it.
        ([L, busy("S+dig")], "S+seek", -0.5, Evict(1)),
    ],
)
def test_one_that_others_use_is_not_ended_while_there_is_another_way(
    held: list[Held], wanted: str, rested: float, choice: Choice
) -> None:
    """Else two sets of tools would end each other's processes at every turn."""
    assert choose(roster_of(*held), holds(wanted), rested=rested) == choice


def test_after_a_dead_one_only_a_younger_one_will_do() -> None:
    roster = roster_of(S, S, S, room=1)
    assert choose(roster, Holds("S"), born_after=0.5) == Take(3)
    assert choose(roster, Holds("S"), born_after=2.0) == Start()
    assert choose(roster_of(S, S), Holds("S"), born_after=2.0) == Evict(1)


@pytest.mark.parametrize(("held", "choice"), [([T, BARE], Start()), ([T, S], Take(2)), ([], Start())])
def test_a_cli_that_keeps_its_system_prompt(held: list[Held], choice: Choice) -> None:
    assert choose(roster_of(*held, room=1), Holds("S"), features=EVERYTHING - {"system"}) == choice


HELD = st.sampled_from(("", "S", "T", "+look", "S+look", "S+seek"))
members = st.lists(st.tuples(HELD, st.sampled_from(list(Status))), max_size=5)
features = st.sampled_from((EVERYTHING, EVERYTHING - {"system"}))


@given(members, st.integers(0, 2), HELD, st.integers(0, 3), st.none() | st.integers(-1, 5),
       features)  # fmt: skip
def test_the_choice_is_always_one_that_works(
    held: list[Held], room: int, text: str, ahead: int, born_after: int | None, features: frozenset[Feature]
) -> None:
    roster, wanted = roster_of(*held, room=room), holds(text)

    def fits(member: Any) -> bool:
        young = born_after is None or member.born > born_after
        return young and can_serve(member.holds, wanted, features)

    before = repr(roster)
    choice = choose(roster, wanted, ahead=ahead, born_after=born_after, features=features)
    assert repr(roster) == before, "nothing is changed"
    idle = roster.among(IDLE)
    match choice:
        case Take(key):
            assert roster[key] in idle
            assert fits(roster[key])
            same = [member for member in idle if member.holds == wanted and fits(member)]
            assert not same or roster[key].holds == wanted or wanted == NOTHING
        case Start():
            assert roster.room
            assert not any(map(fits, idle))
        case Evict(key):
            assert not roster.room
            assert roster[key] in idle
            assert not fits(roster[key])
            # But for the one that is kept.
            assert all(member.holds == NOTHING for member in idle if fits(member))
        case Wait():
            # Something will happen that wakes whoever waits, or there are no workers at all.
            coming = roster.count(STARTING, BUSY, FINISHING, CLOSING)
            assert coming or not len(roster), f"waits for nothing in {roster!r}"


@pytest.mark.parametrize(("workers", "wanted"), [(2, Take(1)), (3, Take(1)), (4, Wait())])
def test_few_workers_have_no_reserve(monkeypatch: pytest.MonkeyPatch, workers: int, wanted: Choice) -> None:
    """Of two it would be half."""
    monkeypatch.setattr(module, "RESERVING", 4)
    roster = Roster(PoolLimits(workers=workers))
    for number in range(workers):
        member = roster.add(Holds("S" if number else ""), number)
        roster.ready(member.key, number)
        if number:
            roster.take(member.key, Holds("S"), number)
    assert choose(roster, Holds("S")) == wanted
