"""Every row of the benchmark, with what is wanted of it and the measurement that yields it, in their order."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from . import bursts, floor, latency, resources
from .bursts import IN_FLIGHT, MANY, MANY_IN_FLIGHT, REQUESTS, STREAMS
from .latency import CONVERSATIONS, HISTORY, IMAGE_MB, SCHEMAS, TURNS, Samples
from .rows import Row
from .servers import Server

BATCH = f"{REQUESTS} requests, {IN_FLIGHT} at a time"
LARGE = f"{MANY} requests, {MANY_IN_FLIGHT} at a time, on a fresh server"
# Seconds between the first tokens of so many at once, at most.
APART = {2: 0.15, 4: 0.5, 8: 1.0, 16: None}


class Needs(Enum):
    """The server that a measurement wants: that of the round, a fresh one, or the very one of the scenario before."""

    ANY = "any"
    FRESH = "fresh"
    SAME = "same"


@dataclass(frozen=True)
class Scenario:
    """One measurement and the rows it yields. It is taken in `rounds` rounds at most, on peers in `peer_rounds`.

    `slow` is left out of a quick run.
    """

    measure: Callable[[Server], Samples]
    rows: tuple[Row, ...]
    needs: Needs = Needs.ANY
    rounds: int = 99
    peer_rounds: int = 1
    slow: bool = False


def _realistic(number: int) -> Scenario:
    """Peers are measured with as many as show the difference; what has a bound is measured twice."""
    rows = [Row(f"at once {number}", f"{number} at once on a fresh server: wait for the last first token", "s")]
    if number in APART:
        apart = f"{number} at once on a fresh server: between the first tokens"
        rows.append(Row(f"apart {number}", apart, "s", absolute=APART[number]))
    peers = number in (2, 8, 16)
    return Scenario(
        bursts.realistic_at_once(number),
        tuple(rows),
        Needs.FRESH,
        rounds=2 if APART.get(number) else 1,
        peer_rounds=1 if peers else 0,
        slow=number in (1, 4, 16),
    )


SCENARIOS = (
    Scenario(
        latency.new,
        (Row("new", "first token: new conversation with its own system prompt", "s", ratio=0.09),),
        peer_rounds=2,
    ),
    Scenario(
        latency.history,
        (Row("history", f"first token: a history of {HISTORY} turns, from cold", "s", ratio=0.12),),
    ),
    Scenario(latency.turns, (Row("turns", f"first token: turns 2 to {TURNS}", "s", ratio=0.07),)),
    Scenario(
        latency.edited,
        (
            Row("edited", "first token: 4 turns whose 2nd user message changed", "s", ratio=0.08),
            Row("cut", "first token: cut back to that message, changed again", "s", ratio=0.08),
        ),
    ),
    Scenario(latency.later, (Row("later", "first token: new, after those conversations", "s", ratio=0.09),)),
    Scenario(
        floor.alone,
        (
            Row("floor turns", f"the CLI alone, without a server: turns 2 to {TURNS}", "s"),
            Row("floor starts", f"the CLI alone: {floor.STARTS} processes and their first tokens, all of them", "s"),
        ),
    ),
    Scenario(latency.tool, (Row("tool", "tool round trip, to the first token of its answer", "s"),)),
    Scenario(latency.schema, (Row("schema", f"the same schema {SCHEMAS} times: one answer", "s"),), rounds=2),
    Scenario(latency.image, (Row("image", f"first token: an image of {IMAGE_MB} MB", "s"),), rounds=2),
    Scenario(latency.body, (Row("body", 'request body for "Hello", in characters', ""),), rounds=1),
    Scenario(
        bursts.batches,
        (
            Row("cold rate", f"{BATCH}, the first batch", "/s", ratio=12, more=True),
            Row("cold p50", f"{BATCH}, the first batch: median first token", "s"),
            Row("rate", f"{BATCH}, another batch", "/s", ratio=12, more=True),
            Row("p50", f"{BATCH}, another batch: median first token", "s"),
        ),
    ),
    Scenario(
        bursts.streams,
        (
            Row("stream rate", f"{STREAMS} streams of 100 tokens a second: tokens that arrive", "/s"),
            Row("cpu token", "the same: CPU of the server for a token", "µs", absolute=120),
            Row("cpu token below", "the same: CPU of its claude processes for a token", "µs"),
        ),
        rounds=2,
    ),
    Scenario(
        resources.requests,
        (
            Row("cpu request", "CPU of the server for a request", "ms"),
            Row("cpu request below", "CPU of its claude processes for a request", "ms"),
        ),
    ),
    Scenario(
        latency.cache,
        (
            Row("cached", f"{CONVERSATIONS} interleaved conversations: input read from the cache", "%"),
            Row("repeated", "the same: of the input that could have been read", "%"),
            Row("uncached", "the same: input tokens of a turn that were not read", ""),
        ),
        rounds=1,
    ),
    Scenario(
        resources.help_pages,
        (
            Row("help", "--help, the slowest command", "s", absolute=0.35),
            Row("help cpu", "--help, the dearest command: CPU", "s"),
        ),
        rounds=1,
    ),
    Scenario(
        resources.chats,
        (
            Row("chat", "chat with one question, beside a running server", "s"),
            Row("chat cpu", "the same: CPU of the command", "s", absolute=0.6),
        ),
    ),
    Scenario(
        bursts.many,
        (
            Row("many", LARGE, "/s", ratio=12, more=True),
            Row("many p50", f"{LARGE}: median first token", "s"),
        ),
        Needs.FRESH,
        rounds=2,
    ),
    *(_realistic(number) for number in (1, 2, 4, 8, 16)),
    Scenario(
        resources.loaded,
        (
            Row("memory server", "memory at rest: the server", "MB"),
            Row("memory claudes", "memory at rest: its claude processes", "MB"),
            Row("memory load", f"memory with {resources.LOADED} answers under way: all together", "MB"),
            Row("processes", "the same: claude processes at most", "", absolute=8, most=True),
        ),
        Needs.FRESH,
        rounds=1,
    ),
    Scenario(
        resources.afterwards,
        (
            Row("memory after", f"memory {resources.AFTER:g} s later: all together", "MB"),
            Row("cpu after", "the same: CPU in between", "s"),
        ),
        Needs.SAME,
        rounds=1,
        slow=True,
    ),
    Scenario(
        bursts.gone,
        (Row("gone", "SIGTERM, 4 answers streaming: to the end of every process", "s", absolute=6),),
        rounds=1,
    ),
)
ROWS = {row.key: row for scenario in SCENARIOS for row in scenario.rows}


def chosen(keys: Collection[str] | None, *, quick: bool) -> list[Scenario]:
    """The scenarios of these rows (None: of all), with the one before where a scenario needs its server.

    Raises KeyError with the first unknown key.
    """
    for key in keys or ():
        if key not in ROWS:
            raise KeyError(key)
    found = [
        scenario
        for scenario in SCENARIOS
        if (not (quick and scenario.slow) if keys is None else any(row.key in keys for row in scenario.rows))
    ]
    for place, scenario in enumerate(SCENARIOS):
        if scenario.needs is Needs.SAME and scenario in found and SCENARIOS[place - 1] not in found:
            found.insert(found.index(scenario), SCENARIOS[place - 1])
    return found
