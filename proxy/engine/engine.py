"""Answers Turns: asks the pool, and comes to terms with a model that refuses a part of the request.

What is dropped is told in the Started event; what can be had another way is: a schema by the CLI's own schema mode, a
forced tool call by instruction, checked, and asked for once more.
"""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace

from .. import errors
from ..events import Event, Finished, Started, ToolCallStarted, Turn
from .limits import carried, dropped, limits
from .negotiate import honours, instructed, is_forced, lasting, refused
from .pool import Pool

# How often a model that takes no `tool_choice` is told in words to call a tool.
INSTRUCTIONS = 2


class Engine:
    """A pool, and what is known of the models behind it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._refused: dict[str, set[str]] = {}

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        """The answer to a Turn. Raises a ProxyError; close the iterator to abandon the turn."""
        known = self._refused.setdefault(turn.model, set())
        without = set(known)
        begun = False
        while True:
            try:
                async with contextlib.aclosing(self._ask(turn, frozenset(without))) as answer:
                    async for event in answer:
                        begun = True
                        yield event
                return
            except errors.BadRequest as refusal:
                name = None if begun else refused(refusal.message, carried(turn, without))
                if name is None:
                    raise
                without.add(name)
                # What only contradicts thinking is lost for good where the model cannot be asked to stop thinking.
                if lasting(refusal.message) or "thinking" in known:
                    known.add(name)

    async def _ask(self, turn: Turn, without: frozenset[str]) -> AsyncGenerator[Event]:
        if is_forced(turn) and "tool_choice" in without:
            answer = self._insist(turn, without)
        else:
            answer = self._once(turn, without)
        async with contextlib.aclosing(answer):
            async for event in answer:
                if isinstance(event, Started):
                    event = replace(event, ignored=event.ignored | dropped(turn, without))
                yield event

    def _once(self, turn: Turn, without: frozenset[str]) -> AsyncGenerator[Event]:
        return self._pool.events(turn, limits(turn, without), turn.schema if "schema" in without else None)

    async def _insist(self, turn: Turn, without: frozenset[str]) -> AsyncGenerator[Event]:
        """The answer held back until it makes the call; after INSTRUCTIONS vain attempts, the last one as it is."""
        told = instructed(turn)
        held: list[Event] = []
        for _ in range(INSTRUCTIONS):
            held = []
            async with contextlib.aclosing(self._once(told, without)) as answer:
                async for event in answer:
                    held.append(event)
                    if isinstance(event, ToolCallStarted) and honours(turn, event.name):
                        for early in held:
                            yield early
                        async for late in answer:
                            yield late
                        return
            last = held[-1] if held else None
            if isinstance(last, Finished) and last.reason in ("max_tokens", "refusal"):
                break
        for event in held:
            yield replace(event, ignored=event.ignored | {"tool_choice"}) if isinstance(event, Started) else event
