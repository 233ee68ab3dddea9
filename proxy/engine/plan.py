"""The way from what a worker holds to a Turn: a list of steps, computed without doing any of them. Pure.

A step names one thing the worker does and observes. What each needs and resets (measured, see the contract check):
- Initialize: once, first. Fixes whether there is a system prompt at all, and the CLI's own schema mode.
- Interrupt: ends a parked call; only then can the conversation be rewound.
- Rewind: takes back the latest user line and all after it.
- SetSystem: replaces a system prompt that is not empty by another that is not empty; the conversation stays.
- SetTools: a server name that differs from the last one; the conversation stays. The CLI keeps a tool's description by
  its name and schema for as long as it runs: the same two with another description need another process.
- SetLimits: settings; a change of `model` is clean only on an empty conversation.
- Append: one past message. Ask: the message to answer. Resume: the results of the calls that are parked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson

from ..events import JsonObject, Message, Text, Tool, ToolResult, Turn
from . import mcp
from .limits import Limits, change
from .transcript import Entry, fingerprints, fork_point, shared

Feature = Literal["replay", "rewind", "system", "tools", "resume", "limits"]
EVERYTHING: frozenset[Feature] = frozenset({"replay", "rewind", "system", "tools", "resume", "limits"})

# Two names are enough: a server's name must only differ from the one before it.
SERVERS = ("a", "b")

# User lines that may be taken back: each is a step of its own, and slower in a long conversation. 800 take 0.4 s, about
# as long as a new process; 1,600 take 1.3 s.
REWINDS = 800

# A process waits for a request with some system prompt in place, because none cannot become one later.
PLACEHOLDER = "-"


ToolKey = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class State:
    """What a worker is known to hold: the last state that was observed, never the one hoped for.

    `system` None means not initialized. `schema` is the CLI's own schema mode, fixed at initialization. `parked` are
    the ids of calls that wait for their results. `described` are the tools the process was ever offered: name and
    schema, and the description it keeps for them.
    """

    system: str | None = None
    schema: JsonObject | None = None
    limits: Limits | None = None
    tools: tuple[Tool, ...] = ()
    server: str = ""
    transcript: tuple[Entry, ...] = ()
    parked: frozenset[str] = frozenset()
    described: Mapping[ToolKey, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Initialize:
    """Send `initialize` with this system prompt (empty for none)."""

    system: str
    schema: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Give up the parked calls and wait for the turn's result."""


@dataclass(frozen=True, slots=True)
class Rewind:
    """Take back this user line and all after it; `keep` entries are left."""

    uuid: str
    keep: int


@dataclass(frozen=True, slots=True)
class RewindAll:
    """Take back every line, latest first."""


@dataclass(frozen=True, slots=True)
class SetSystem:
    """Replace the system prompt."""

    system: str
    model: str


@dataclass(frozen=True, slots=True)
class SetTools:
    """Offer these tools under a new server name; no tools, no server."""

    server: str
    tools: tuple[Tool, ...]


@dataclass(frozen=True, slots=True)
class SetLimits:
    """Apply changed settings; `limits` is what holds afterwards."""

    limits: Limits
    settings: JsonObject


@dataclass(frozen=True, slots=True)
class Append:
    """Add a past message."""

    message: Message


@dataclass(frozen=True, slots=True)
class Ask:
    """Send the message to answer."""

    message: Message


@dataclass(frozen=True, slots=True)
class Resume:
    """Answer the parked calls; `message` is the user message that carries the results."""

    message: Message
    results: tuple[ToolResult, ...]


Step = Initialize | Interrupt | Rewind | RewindAll | SetSystem | SetTools | SetLimits | Append | Ask | Resume


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps to a Turn, the last of them Ask or Resume. `kept` counts the messages of the history already held."""

    steps: tuple[Step, ...]
    kept: int = 0


def plan(
    state: State,
    turn: Turn,
    wanted: Limits,
    *,
    schema: JsonObject | None = None,
    features: frozenset[Feature] = EVERYTHING,
) -> Plan | None:
    """The steps from `state` to `turn` under the limits `wanted`, or None where this worker cannot get there.

    `schema` asks for the CLI's own schema mode. `features` are what this CLI is known to do right.
    """
    if state.schema != schema and state.system is not None:
        return None
    resumed = _resume(state, turn, wanted) if "resume" in features else None
    if resumed is not None:
        return resumed
    if (state.transcript or state.parked) and "rewind" not in features and not _follows(state, turn, wanted):
        return None
    return _bring(state, turn, wanted, schema, features)


def _follows(state: State, turn: Turn, wanted: Limits) -> bool:
    """Whether the turn goes on where the worker stands, with nothing to take back."""
    same = state.system == turn.system and state.tools == turn.tools and state.limits == wanted and not state.parked
    return same and shared(state.transcript, fingerprints(turn.messages[:-1])) == len(state.transcript)


def _resume(state: State, turn: Turn, wanted: Limits) -> Plan | None:
    """Hand the results to the parked calls, when that is all there is to do.

    Settings and system prompt do not apply to a resumed turn, so they must be the ones in force; a user text beside
    the results cannot be carried this way, nor can results that MCP has no form for.
    """
    *history, last = turn.messages
    results = tuple(item for item in last.content if isinstance(item, ToolResult))
    if not state.parked or len(results) != len(last.content) or {r.call_id for r in results} != state.parked:
        return None
    if state.system != turn.system or state.tools != turn.tools or state.limits != wanted:
        return None
    wanted_prints = fingerprints(history)
    if len(wanted_prints) != len(state.transcript) or shared(state.transcript, wanted_prints) != len(wanted_prints):
        return None
    if not all(mcp.fits(result) for result in results):
        return None
    return Plan((Resume(last, results),), kept=len(history))


def _bring(
    state: State, turn: Turn, wanted: Limits, schema: JsonObject | None, features: frozenset[Feature]
) -> Plan | None:
    *history, last = turn.messages
    steps: list[Step] = []
    if state.system is None:
        steps.append(Initialize(turn.system, schema))
    elif state.system != turn.system and not (state.system and turn.system and "system" in features):
        return None
    keep = 0 if _model_changes(state, wanted) else fork_point(state.transcript, fingerprints(history))
    if state.parked:
        steps.append(Interrupt())
        keep = min(keep, _before_calls(state.transcript))
    back = rewind_steps(state.transcript, keep)
    if (back[-1].keep if back else len(state.transcript)) != keep or len(back) > REWINDS:
        return None
    steps.extend(back)
    settings = change(state.limits, wanted)
    if settings and state.limits is not None and "limits" not in features:
        return None
    if settings:
        steps.append(SetLimits(wanted, settings))
    if state.system is not None and state.system != turn.system:
        steps.append(SetSystem(turn.system, wanted.model))
    if any(state.described.get(key, what) != what for key, what in descriptions(turn.tools).items()):
        return None
    if state.tools != turn.tools:
        if state.server and "tools" not in features:
            return None
        # Without tools no server is named, so the name before stays the one to differ from.
        server = next(name for name in SERVERS if name != state.server) if turn.tools else state.server
        steps.append(SetTools(server, turn.tools))
    steps.extend(Append(message) for message in history[keep:])
    if len(history) > keep and "replay" not in features:
        return None
    steps.append(Ask(last))
    return Plan(tuple(steps), kept=keep)


def preparation(system: str, features: frozenset[Feature]) -> tuple[Step, ...]:
    """Steps that a new process takes ahead of its first request: what is run for the first time is slow.

    The line that is appended is taken back at once; 50 ms less before the first word (2.1.330, two cores).
    """
    if not {"replay", "rewind"} <= features:
        return (Initialize(system),)
    return (Initialize(system), Append(Message("user", (Text("-"),))), RewindAll())


def descriptions(tools: Sequence[Tool]) -> dict[ToolKey, str]:
    """The description of each tool, by what the CLI knows it by."""
    return {(tool.name, orjson.dumps(tool.parameters, option=orjson.OPT_SORT_KEYS)): tool.description for tool in tools}


def rewind_steps(transcript: Sequence[Entry], keep: int) -> tuple[Rewind, ...]:
    """The way back to the first `keep` entries, latest line first: the CLI refuses an earlier one."""
    lines = [(index, entry.uuid) for index, entry in enumerate(transcript) if entry.uuid is not None and index >= keep]
    return tuple(Rewind(uuid, index) for index, uuid in reversed(lines))


def _model_changes(state: State, wanted: Limits) -> bool:
    return state.limits is not None and state.limits.model != wanted.model


def _before_calls(transcript: Sequence[Entry]) -> int:
    """The index of the latest line that can be taken back: the one whose answer made the parked calls."""
    return max((i for i, entry in enumerate(transcript) if entry.uuid is not None), default=0)
