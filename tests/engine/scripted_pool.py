"""A pool that answers an Engine from a list, and short ways to ask one. No tests here."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import orjson
from engine.turns import turn, user

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.body import Defaults
from claude_max.proxy.engine.planning.steps import EVERYTHING, Feature
from claude_max.proxy.engine.planning.want import EXTRA_BODY, Want
from claude_max.proxy.engine.pool.engine import Composer, Engine
from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.events import (
    BlockCompleted,
    Event,
    Finished,
    Started,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Turn,
    Usage,
)

Reply = list[Event | errors.ProxyError]
BEGAN, DONE, USAGE = Started("m"), BlockCompleted(), Usage(output=1)


class ScriptedPool:
    """Answers from a list; keeps what it was asked."""

    def __init__(self, *replies: Reply, features: frozenset[Feature] = EVERYTHING) -> None:
        self.replies = list(replies)
        self.features = features
        self.asked: list[Want] = []

    async def events(self, want: Want) -> AsyncGenerator[Event]:
        self.asked.append(want)
        for event in self.replies.pop(0):
            if isinstance(event, errors.ProxyError):
                raise event
            yield event

    def bodies(self) -> list[dict[str, Any]]:
        """The API requests it was asked for."""
        found = []
        for want in self.asked:
            text = orjson.loads(want.encoded)["request"]["settings"]["env"][EXTRA_BODY]
            found.append(orjson.loads(text) if text else {})
        return found


async def no_defaults(model: str) -> Defaults:
    return Defaults()


def engine_on(*replies: Reply, features: frozenset[Feature] = EVERYTHING, **more: Any) -> tuple[Engine, ScriptedPool]:
    pool = ScriptedPool(*replies, features=features)
    return Engine(cast("Pool", pool), Composer(**{"defaults": no_defaults, "limit": None, **more})), pool


async def ask(engine: Engine, wanted: Turn) -> list[Event]:
    return [event async for event in engine.events(wanted)]


def said(text: str, reason: StopReason = "end_turn") -> Reply:
    return [BEGAN, TextDelta(text), DONE, Finished(reason, USAGE)]


def calls(name: str, json: str = "{}") -> Reply:
    return [BEGAN, ToolCallStarted(0, "c1", name), ToolCallDelta(0, json), DONE, Finished("tool_use", USAGE)]


def refuses(message: str) -> Reply:
    return [errors.BadRequest(f"The service refused the request: {message}")]


def fails(kind: type[errors.ProxyError] = errors.UpstreamFault, *, brief: bool = True) -> errors.ProxyError:
    error = kind("the connection was closed")
    error.brief = brief
    return error


def ignored(events: list[Event]) -> set[str]:
    (started,) = [event for event in events if isinstance(event, Started)]
    return set(started.ignored)


ASK = turn(user("a"))
