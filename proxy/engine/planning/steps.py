"""Computes the steps that bring a worker to a Want. Pure: takes none of them.

Between turns a worker holds its system prompt, and tools that it was offered by MCP. What each step needs (see the
contract check):
- SetSystem: awaited before the question, because a refused one would cost an answer to the wrong prompt. A process that
  has a system prompt takes another, a process without one takes one, and none gets rid of it.
- Configure: the want's settings.
- Offer: the lines way's tools. The CLI keeps a description by the tool's name and schema for as long as it runs, so a
  process is offered tools once, and serves only turns with the same ones from then on.
- Append: the lines way's history. Ask: the line that asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...events import Message, Tool
from .want import Holds, Want

Feature = Literal["exact", "rewind", "system", "lines", "tools", "silence"]
EVERYTHING: frozenset[Feature] = frozenset({"exact", "rewind", "system", "lines", "tools", "silence"})


@dataclass(frozen=True, slots=True)
class SetSystem:
    """Replace the system prompt, and wait for the CLI's word."""

    system: str
    model: str


@dataclass(frozen=True, slots=True)
class Configure:
    """Write the want's settings."""

    want: Want


@dataclass(frozen=True, slots=True)
class Offer:
    """Offer these tools as an MCP server; `encoded` is their JSON (`Holds.tools`)."""

    tools: tuple[Tool, ...]
    encoded: str


@dataclass(frozen=True, slots=True)
class Append:
    """Add a past message."""

    message: Message


@dataclass(frozen=True, slots=True)
class Ask:
    """Write the line that asks: the trigger, or in the lines way the last message."""

    want: Want


Step = SetSystem | Configure | Offer | Append | Ask


def can_serve(held: Holds, wanted: Holds, features: frozenset[Feature] = EVERYTHING) -> bool:
    """Whether a process that holds the one can come to hold the other."""
    system = held.system == wanted.system or (bool(wanted.system) and "system" in features)
    return system and held.tools in ("", wanted.tools)


def steps(held: Holds, want: Want) -> Sequence[Step]:
    """The steps of a worker that holds this and can serve the want; the last one asks."""
    way: list[Step] = []
    if held.system != want.system:
        way.append(SetSystem(want.system, want.model))
    way.append(Configure(want))
    if want.way == "lines":
        if held.tools != want.offered:
            way.append(Offer(tuple(tool for tool in want.turn.tools if isinstance(tool, Tool)), want.offered))
        way.extend(Append(message) for message in want.turn.messages[:-1])
    way.append(Ask(want))
    return way
