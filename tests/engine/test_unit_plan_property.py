"""Whatever a worker has been through, the steps bring it to exactly the wanted Turn, or there are none."""

from engine.cli_model import CliModel
from engine.turns import LOOK, PLAIN, SEEK, called, results, said, user
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_max.proxy.engine.limits import limits
from claude_max.proxy.engine.planning.steps import EVERYTHING, Append, Feature, Interrupt, plan, rewind_steps
from claude_max.proxy.engine.transcript import fingerprint
from claude_max.proxy.events import Media, Message, Text, Tool, ToolCall, ToolResult, Turn

TOOLS = (LOOK, SEEK, Tool("look", "Looks again", PLAIN))
DOCUMENT = Media("document", "text/plain", "x")

systems = st.sampled_from(("", "S", "T"))
toolsets = st.lists(st.sampled_from(TOOLS), max_size=2, unique_by=lambda tool: tool.name).map(tuple)
texts = st.sampled_from("ab")


@st.composite
def exchanges(draw: st.DrawFn) -> list[Message]:
    """A question and its answer, perhaps with calls between."""
    found = [user(draw(texts))]
    for number in range(draw(st.integers(0, 2))):
        ids = [f"c{number}{i}" for i in range(draw(st.integers(1, 2)))]
        found += [called(*ids), answers(draw, ids)]
    return [*found, said(draw(texts))]


def answers(draw: st.DrawFn, ids: list[str]) -> Message:
    """Results, in any order, perhaps with a text or a document beside."""
    found = list(results(*draw(st.permutations(ids))).content)
    match draw(st.sampled_from(("plain", "plain", "text", "document"))):
        case "text":
            found.append(Text("and"))
        case "document":
            found[0] = ToolResult(found[0].call_id, (DOCUMENT,))  # type: ignore[union-attr]
    return Message("user", tuple(found))


histories = st.lists(exchanges(), max_size=3).map(lambda found: [message for part in found for message in part])


@st.composite
def next_turns(draw: st.DrawFn, before: Turn | None, answer: Message | None) -> Turn:
    """A follow-up of what was said, an edited history, or something else."""
    kind = draw(st.sampled_from(("follow", "follow", "edit", "other"))) if before and answer else "other"
    history: list[Message] = draw(histories)
    last = user(draw(texts))
    if before is not None and answer is not None and kind != "other":
        history = [*before.messages, answer]
        calls = [item.id for item in answer.content if isinstance(item, ToolCall)]
        if kind == "edit":
            history = history[: draw(st.integers(0, len(history) // 2)) * 2]
            while history and isinstance(history[-1].content[-1], ToolCall):
                history = history[:-2]
        elif calls:
            last = answers(draw, calls)
        if draw(st.integers(0, 3)):
            # As most clients do: nothing but the conversation changes.
            return Turn(before.model, (*history, last), before.system, before.tools, max_tokens=before.max_tokens)
    return Turn(
        model=draw(st.sampled_from(("sonnet", "opus"))),
        messages=(*history, last),
        system=draw(systems),
        tools=draw(toolsets),
        max_tokens=draw(st.sampled_from((None, 5, 5000))),
        temperature=draw(st.sampled_from((None, 0.5))),
        effort=draw(st.sampled_from((None, "low"))),
    )


def shown(cli: CliModel, wanted: Turn) -> None:
    """What the API sees is the Turn, no more and no less."""
    assert [fingerprint(line.message) for line in cli.lines] == [fingerprint(m) for m in wanted.messages]
    assert cli.system == wanted.system
    assert cli.tools == wanted.tools
    assert cli.limits() == limits(wanted)
    assert not cli.parked
    # The books agree with the truth.
    assert [entry.fingerprint for entry in cli.state.transcript] == [fingerprint(m) for m in wanted.messages]
    assert (cli.state.system, cli.state.tools, cli.state.limits) == (wanted.system, wanted.tools, limits(wanted))


FEATURES: list[Feature] = sorted(EVERYTHING)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([EVERYTHING] * 3 + [EVERYTHING - {name} for name in FEATURES]))
def test_steps_lead_to_exactly_the_turn(data: st.DataObject, features: frozenset[Feature]) -> None:
    cli = CliModel()
    before: Turn | None = None
    answer: Message | None = None
    for _ in range(data.draw(st.integers(1, 6), "turns")):
        wanted: Turn = data.draw(next_turns(before, answer))
        found = plan(cli.state, wanted, limits(wanted), features=features)
        if found is None:
            # Another process: a fresh one has a way, but where a past must be replayed and cannot be.
            cli = CliModel()
            found = plan(cli.state, wanted, limits(wanted), features=features)
            assert (found is None) is ("replay" not in features and len(wanted.messages) > 1)
            if found is None:
                continue
        for step in found.steps:
            cli.take(step)
        shown(cli, wanted)
        assert found.kept + sum(isinstance(step, Append) for step in found.steps) + 1 == len(wanted.messages)
        before = wanted
        match data.draw(st.sampled_from(("answers", "answers", "calls", "cut")), "end"):
            case "answers":
                answer = said(data.draw(texts))
                cli.answered(answer)
            case "calls":
                answer = called(f"p{len(cli.lines)}", f"q{len(cli.lines)}")
                cli.answered(answer)
            case _:
                # As `settle` does it: interrupted, and the latest line that can be taken back is.
                answer = None
                state = cli.state
                keep = max(i for i, line in enumerate(state.transcript) if line.uuid is not None)
                if cli.parked:
                    cli.take(Interrupt())
                for back in rewind_steps(state.transcript, keep):
                    cli.take(back)
