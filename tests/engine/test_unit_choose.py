"""Each rule of the choice, and their order."""

from dataclasses import replace

from engine.cli_model import CliModel
from engine.turns import LOOK, PLAIN, called, results, said, talk, turn, user, wants
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.choose import Candidate, Choice, Spawn, Take, Wait, choose
from claude_max.proxy.engine.planning.steps import EVERYTHING, Initialize, Resume, State, plan
from claude_max.proxy.events import JsonObject, Message, Turn


def state(*messages: Message, system: str = "", tools: bool = False, schema: JsonObject | None = None) -> State:
    """A worker that holds this conversation; it is parked when that ends with calls."""
    if not messages:
        return State()
    cli = CliModel()
    wanted = turn(*messages[:-1], system=system, tools=(LOOK,) if tools else ())
    found = plan(State(), wanted, wants(wanted), schema=schema)
    assert found is not None
    for step in found.steps:
        cli.take(step)
    cli.answered(messages[-1])
    return cli.state


BLANK = State()
PREPARED = replace(State(), system="-")
CALLING = (user("a"), called("c1"))
WANTED = turn(*talk("a", "b", "c", "d", "e"))
WITH_TOOLS = turn(user("a"), called("c1"), results("c1"), tools=(LOOK,))


def pick(
    wanted: Turn, *held: State | tuple[State, int, float], room: bool = True, schema: JsonObject | None = None
) -> Choice:
    """The choice among workers 0, 1, 2, …; turns and time of last use where they matter."""
    idle = [Candidate(i, *(h if isinstance(h, tuple) else (h, 1, float(i)))) for i, h in enumerate(held)]
    return choose(idle, wanted, wants(wanted), room=room, schema=schema)


def taken(choice: Choice) -> int:
    assert isinstance(choice, Take)
    return choice.key


def test_the_longest_common_beginning_wins() -> None:
    held = (BLANK, state(*talk("a", "b")), state(*talk("a", "b", "c", "d")), state(*talk("x", "y")))
    assert taken(pick(WANTED, *held)) == 2


def test_of_equal_beginnings_the_shorter_conversation_then_the_later_used() -> None:
    longer = state(*talk("a", "b", "x", "y"))
    shorter = state(*talk("a", "b"))
    assert taken(pick(WANTED, longer, shorter)) == 1
    assert taken(pick(WANTED, (shorter, 1, 5.0), (shorter, 1, 9.0), (shorter, 1, 7.0))) == 1


def test_one_parked_in_just_this_call_before_all() -> None:
    parked = state(*CALLING, tools=True)
    # Another holds as much, free; and there is a blank one.
    choice = pick(WITH_TOOLS, BLANK, state(user("a"), said("x"), tools=True), parked)
    assert taken(choice) == 2
    assert isinstance(choice, Take)
    assert isinstance(choice.plan.steps[-1], Resume)


def test_a_blank_one_before_one_that_must_forget_and_an_experienced_one_first() -> None:
    other = state(*talk("x", "y"))
    assert taken(pick(WANTED, other, BLANK)) == 1
    assert taken(pick(WANTED, (BLANK, 0, 9.0), (BLANK, 3, 1.0))) == 1
    assert taken(pick(turn(user("a"), system="S"), (BLANK, 0, 9.0), (PREPARED, 0, 1.0))) == 1
    assert taken(pick(WANTED, (PREPARED, 0, 9.0), (BLANK, 0, 1.0))) == 1, "no system prompt: the prepared cannot serve"


def test_the_one_used_longest_ago_before_a_new_process() -> None:
    other = state(*talk("x", "y"))
    assert taken(pick(WANTED, (other, 1, 8.0), (other, 1, 3.0), (other, 1, 5.0))) == 1


def test_a_new_process_before_giving_up_a_parked_call() -> None:
    parked = state(*CALLING, tools=True)
    assert pick(WANTED, parked) == Spawn()
    assert taken(pick(WANTED, (parked, 1, 8.0), (parked, 1, 3.0), room=False)) == 1
    assert taken(pick(WANTED, parked, state(*talk("x", "y")), room=False)) == 1


def test_a_worker_that_cannot_serve_makes_room_for_one_that_can() -> None:
    other = state(*talk("x", "y"), system="S")
    assert pick(WANTED, other) == Spawn()
    assert pick(WANTED, (other, 1, 8.0), (other, 1, 3.0), room=False) == Spawn(instead_of=1)
    in_schema_mode = state(*talk("x", "y"), schema=PLAIN)
    assert pick(WANTED, in_schema_mode, room=False) == Spawn(instead_of=0)
    assert taken(pick(WANTED, in_schema_mode, schema=PLAIN)) == 0
    parked = state(*CALLING, system="S", tools=True)
    assert pick(WANTED, (parked, 1, 1.0), (other, 1, 8.0), room=False) == Spawn(instead_of=1)


def test_a_parked_call_is_not_given_up_while_another_worker_can_make_room() -> None:
    parked, other = state(*CALLING, tools=True), state(*talk("x", "y"), system="S")
    assert pick(WANTED, parked, other, room=False) == Spawn(instead_of=1)


def test_else_wait() -> None:
    assert pick(WANTED, room=False) == Wait()
    assert pick(WANTED, room=True) == Spawn()


def test_features_decide_who_can_serve() -> None:
    idle = [Candidate(0, state(*talk("x", "y")), 1, 0.0)]
    assert choose(idle, WANTED, wants(WANTED), room=True, features=EVERYTHING - {"rewind"}) == Spawn()
    assert isinstance(choose(idle, WANTED, wants(WANTED), room=True), Take)


STATES = (
    BLANK, PREPARED, state(*talk("a", "b")), state(*talk("a", "b", "c", "d")), state(*talk("x", "y"), system="S"),
    state(*CALLING, tools=True), state(*CALLING, system="S", tools=True), state(*talk("x", "y"), schema=PLAIN),
)  # fmt: skip
TURNS = (WANTED, WITH_TOOLS, turn(user("a"), system="S"), turn(*talk("a", "b", "q"), model="opus"))


@given(st.lists(st.sampled_from(STATES), max_size=5), st.sampled_from(TURNS), st.booleans())
def test_the_choice_is_always_one_that_works(held: list[State], wanted: Turn, room: bool) -> None:
    choice = pick(wanted, *held, room=room)
    free = [s for s in held if not s.parked and plan(s, wanted, wants(wanted)) is not None]
    match choice:
        case Take(key, way):
            assert way == plan(held[key], wanted, wants(wanted))
            if held[key].parked and not isinstance(way.steps[-1], Resume):
                assert not free
                assert not room
        case Spawn(None):
            assert room
            assert not free
        case Spawn(int(key)):
            assert not room
            assert not free
            assert plan(held[key], wanted, wants(wanted)) is None
        case _:
            assert not held
            assert not room


def test_initializing_is_part_of_the_plan_of_a_blank_one() -> None:
    choice = pick(turn(user("a"), system="S"), BLANK)
    assert isinstance(choice, Take)
    assert choice.plan.steps[0] == Initialize("S")
