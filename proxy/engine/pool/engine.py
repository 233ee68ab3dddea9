"""Answers Turns: composes the request, sends it through the pool, and adapts it where a model refuses a part of it.

Dropped parts are named in the Started event. Where there is another way it is used: a forced tool instead of a schema,
an instruction instead of a forced tool call. The result is checked, and asked for once more where it does not fit.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from ... import errors
from ...events import (
    CacheMark,
    Event,
    Finished,
    Media,
    OpaqueBlock,
    ReasoningSigned,
    RedactedThinking,
    ServerTool,
    Started,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolCallStarted,
    ToolResult,
    Turn,
    Usage,
)
from ..planning import by_lines, schema_tool
from ..planning.body import DISABLED, Defaults, carried, dropped
from ..planning.compose import Context, depends_on_system
from ..planning.images import ImageFitter
from ..planning.negotiate import ORDER, Refusals, asked_to_continue, honours, instructed, is_forced, is_prefill
from ..planning.steps import Feature
from ..planning.thinking_memory import AnswerBlocks, StraySignatures, ThinkingMemory
from ..planning.want import NO_BILLING, Composition, Want, exact_limit, exact_want, lines_want, without_billing_line
from .pool import Pool

log = logging.getLogger("claude_max.engine")

# How often a model that refuses `tool_choice` is instructed to call a tool.
INSTRUCTIONS = 2
# Seconds before the one retry after a dropped connection, a 500 or a 529.
RETRY_SECONDS = 0.2
# Size in characters from which a Turn is composed in a thread: 1 MB takes about 5 ms.
LARGE = 500_000
PART = 50
# Names a forced tool choice that the model does not take.
TOLD = "tool_choice: told in words at the end of the system prompt"


@dataclass(frozen=True, slots=True)
class Composer:
    """How Turns become Wants. `base_url` is the configured address of the service, empty for the CLI's own.

    `defaults` returns what the CLI itself requests from a model, `cache_ttl` and `system_ttl` the lifetimes of our own
    cache marks and the CLI's. `limit` is the largest body in bytes, None for no limit.
    """

    defaults: Callable[[str], Awaitable[Defaults]]
    composition: Composition = "auto"
    base_url: str = ""
    limit: int | None = exact_limit()
    cache_ttl: Callable[[], CacheMark] = lambda: "5m"
    system_ttl: Callable[[], CacheMark] = lambda: "5m"
    cli_version: Callable[[], str] = lambda: ""
    memory: ThinkingMemory = field(default_factory=ThinkingMemory)
    images: ImageFitter = field(default_factory=ImageFitter)

    async def want(self, turn: Turn, without: frozenset[str], features: frozenset[Feature]) -> Want:
        """The Want of a Turn, for a CLI with these features.

        Raises BadRequest where it needs the lines way and that would lose a part of it, and CliUnavailable where the
        CLI's lines way is not to be relied on.
        """
        defaults = await self.defaults(turn.model)
        context = Context(defaults, self.cache_ttl(), self.system_ttl(), self.cli_version(), self.base_url)
        if size_of(turn) > LARGE:
            return await asyncio.to_thread(self._compose, turn, context, without, features)
        return self._compose(turn, context, without, features)

    def _compose(self, given: Turn, context: Context, without: frozenset[str], features: frozenset[Feature]) -> Want:
        turn = self.images.fitted(without_billing_line(given))
        if self.composition != "lines" and "exact" in features:
            asked = asked_to_continue(turn) if is_prefill(turn) and "prefill" in without else turn
            want, size = exact_want(asked, str(uuid.uuid4()), context, self.memory, without)
            if self.limit is None or size <= self.limit:
                return _told(want, given, turn, asked)
            if self.composition == "exact":
                raise errors.BadRequest(
                    f"The request has {size:,} bytes; with the exact composition {self.limit:,} are the most that can "
                    'be carried on this system. `composition = "auto"` carries it another way.'
                )
        if self.composition == "exact":
            raise errors.CliUnavailable(
                "This Claude Code CLI fails the contract check of the exact composition, and the setting `composition` "
                "allows no other. `claude-max check` says more."
            )
        _require_lines(turn, features)
        asked = asked_to_continue(turn) if is_prefill(turn) else turn
        by_lines.check(asked)
        return _told(lines_want(asked, str(uuid.uuid4()), context, without), given, turn, asked)


def _require_lines(turn: Turn, features: frozenset[Feature]) -> None:
    """Raises CliUnavailable where the contract check found that the lines way would lose a part of this Turn."""
    needed = {"lines": len(turn.messages) > 1, "tools": bool(turn.tools)}
    lost = next((name for name, is_needed in needed.items() if is_needed and name not in features), None)
    if lost is not None:
        raise errors.CliUnavailable(
            f"This request needs the lines composition, and this Claude Code CLI fails its part of the contract check "
            f"({lost}). `claude-max check` says more."
        )


class Engine:
    """A pool, and what its models are known to refuse."""

    def __init__(self, pool: Pool, composer: Composer) -> None:
        self._pool = pool
        self._composer = composer
        self._refusals = Refusals()
        self._strays = StraySignatures()

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        """The answer to a Turn. Raises a ProxyError; close the iterator to abandon the turn."""
        defaults = await self._composer.defaults(turn.model)
        without: frozenset[str] = frozenset()
        begun = retried = False
        while True:
            asked, without = self._asked(turn, defaults, without)
            try:
                async with contextlib.aclosing(self._ask(turn, asked, defaults, without)) as answer:
                    async for event in answer:
                        begun = True
                        yield event
                return
            except errors.BadRequest as refusal:
                sent = _carried(asked, defaults, without)
                sent |= dict.fromkeys(self._ours(turn, asked, sent, without), "")
                name = None if begun else self._refusals.learn(turn, refusal.message, sent)
                if name is None:
                    raise
                log.info("%s refused %s; asking without", turn.model, name)
                without |= {name}
            except errors.ProxyError as fault:
                if begun or retried or not fault.brief:
                    raise
                retried = True
                log.warning("asking once more: %s", fault.message)
                await asyncio.sleep(RETRY_SECONDS)

    def _asked(self, turn: Turn, defaults: Defaults, without: frozenset[str]) -> tuple[Turn, frozenset[str]]:
        """What is asked for a Turn, and without what: also without all that its model is known to refuse."""
        while True:
            by_tool = turn.schema is not None and "schema" in without
            asked = schema_tool.offered(turn) if by_tool else turn
            known = self._refusals.known(asked, _carried(asked, defaults, without)) - without
            if not known:
                is_own = turn.carries_thinking and not _is_changed(turn, asked, without)
                stray = {"thinking_blocks"} if is_own and self._strays.within(turn.messages) else frozenset()
                return asked, without | stray
            # One by one, as they were refused: without the first, another may be no matter.
            without |= {min(known, key=ORDER.index)}

    def _ours(self, turn: Turn, asked: Turn, sent: Mapping[str, str], without: frozenset[str]) -> frozenset[str]:
        """What in a request may be refused because of us, by the names of `negotiate.WORDS`.

        A client's own thinking may, where we added something to its conversation, now or when it was answered, and
        where we switched the thinking off.
        """
        depends = depends_on_system(turn) or self._composer.cache_ttl() == "1h"
        added = {
            "cache_ttl": depends,
            "thinking_blocks": not turn.carries_thinking
            or _is_changed(turn, asked, without)
            or (sent.get("thinking") == DISABLED["type"] and turn.thinking != "off")
            or self._strays.within(turn.messages),
        }
        return frozenset(name for name, may in added.items() if may) - without

    async def _ask(self, turn: Turn, asked: Turn, defaults: Defaults, without: frozenset[str]) -> AsyncGenerator[Event]:
        """The answer to a Turn that is asked as `asked`: with its schema as a tool where the model takes no schema."""
        by_tool = asked.tools != turn.tools
        answer = self._structured(turn, asked, without) if by_tool else self._called(asked, without)
        async with contextlib.aclosing(answer):
            is_changed = _is_changed(turn, asked, without)
            async for event in answer:
                if is_changed and turn.carries_thinking and isinstance(event, ReasoningSigned | RedactedThinking):
                    self._strays.keep(event)
                if isinstance(event, Started):
                    lost = dropped(turn, defaults, without)
                    if by_tool:
                        # A forced call that stands for a schema excludes thinking.
                        lost |= dropped(asked, defaults, without) & {"thinking"}
                    told = {TOLD} if is_changed and not by_tool else frozenset()
                    event = replace(event, ignored=event.ignored | lost, repaired=event.repaired | told)
                yield event

    def _called(self, turn: Turn, without: frozenset[str]) -> AsyncGenerator[Event]:
        return self._insist(turn, without) if _is_told(turn, without) else self._once(turn, without)

    async def _structured(self, turn: Turn, offered: Turn, without: frozenset[str]) -> AsyncGenerator[Event]:
        """The answer by a forced tool, asked for INSTRUCTIONS times until its arguments fit the schema."""
        spent = Usage()
        for attempt in range(INSTRUCTIONS):
            content = schema_tool.AsContent(turn, spent)
            try:
                async with contextlib.aclosing(self._called(offered, without)) as answer:
                    async for event in answer:
                        for shown in content.feed(event):
                            if attempt == 0 or not isinstance(shown, Started):
                                yield shown
                return
            except schema_tool.Misfit:
                spent, offered = content.usage, content.again(offered)
        raise errors.UpstreamFault("The model gave no answer that fits the schema.")

    async def _once(self, turn: Turn, without: frozenset[str]) -> AsyncGenerator[Event]:
        want = await self._composer.want(turn, without, self._pool.features)
        blocks = AnswerBlocks() if want.prefix else None
        async with contextlib.aclosing(self._pool.events(want)) as answer:
            async for event in answer:
                if isinstance(event, Started) and want.repaired:
                    event = replace(event, repaired=event.repaired | want.repaired)
                if blocks is not None:
                    blocks.feed(event)
                yield event
        if blocks is not None:
            self._composer.memory.keep(want.prefix, blocks.blocks)

    async def _insist(self, turn: Turn, without: frozenset[str]) -> AsyncGenerator[Event]:
        """The answer, held back until it makes the call; after INSTRUCTIONS attempts without one, the last as it is.

        Its usage counts every attempt.
        """
        told = instructed(turn)
        held: list[Event] = []
        spent = Usage()
        for attempt in range(INSTRUCTIONS):
            held = []
            async with contextlib.aclosing(self._once(told, without)) as answer:
                async for event in answer:
                    held.append(event)
                    if isinstance(event, ToolCallStarted) and honours(turn, event.name):
                        for early in held:
                            yield early
                        async for late in answer:
                            yield _with_usage(late, spent)
                        return
            last = held[-1] if held else None
            if isinstance(last, Finished):
                if last.reason in ("max_tokens", "refusal") or attempt == INSTRUCTIONS - 1:
                    break
                spent += last.usage
        for event in held:
            said = replace(event, ignored=event.ignored | {"tool_choice"}) if isinstance(event, Started) else event
            yield _with_usage(said, spent)


def _is_changed(turn: Turn, asked: Turn, without: frozenset[str]) -> bool:
    """Whether a tool is offered, or a choice told in words, that the client's conversation does not have."""
    return asked.tools != turn.tools or _is_told(asked, without)


def _is_told(asked: Turn, without: frozenset[str]) -> bool:
    """Whether a forced tool choice is told in words, since the model takes none."""
    return is_forced(asked) and "tool_choice" in without


def _carried(asked: Turn, defaults: Defaults, without: frozenset[str]) -> dict[str, str]:
    """As `body.carried`, with the beginning of an answer, which can be asked for in words instead."""
    begun = {"prefill": ""} if is_prefill(asked) and "prefill" not in without else {}
    return carried(asked, defaults, without) | begun


def _with_usage(event: Event, spent: Usage) -> Event:
    """The event; the last one of an answer with what earlier attempts used."""
    return replace(event, usage=event.usage + spent) if isinstance(event, Finished) else event


def _told(want: Want, given: Turn, fitted: Turn, asked: Turn) -> Want:
    """The want, with the names of what was changed before it was composed: from the client's Turn to `asked`."""
    changed = {
        "messages: images made smaller": fitted.messages is not given.messages,
        NO_BILLING: fitted.system != given.system,
        "messages: user message added behind the assistant's last": len(asked.messages) > len(fitted.messages),
    }
    return replace(want, repaired=want.repaired | {words for words, is_so in changed.items() if is_so})


def size_of(turn: Turn) -> int:
    """About how many characters a Turn has as JSON, without making a copy of it."""
    size = len(turn.system) + sum(_size_of_tool(tool) for tool in turn.tools)
    for message in turn.messages:
        # Its braces, names and marks are of about this length.
        size += PART * len(message.content)
        for item in message.content:
            parts = item.content if isinstance(item, ToolResult) else (item,)
            size += sum(len(part.text) for part in parts if isinstance(part, Text | Thinking))
            size += sum(len(part.data or "") for part in parts if isinstance(part, Media))
            size += sum(_characters(part.json) for part in parts if isinstance(part, OpaqueBlock))
            size += _characters(item.arguments) if isinstance(item, ToolCall) else 0
    return size


def _size_of_tool(tool: Tool | ServerTool) -> int:
    if isinstance(tool, ServerTool):
        return _characters(tool.json)
    properties = tool.parameters.get("properties")
    # Deeper than the first level of properties a schema is rarely large; an enumeration may be.
    within = properties.values() if isinstance(properties, dict) else ()
    return len(tool.description) + _characters(tool.parameters) + sum(map(_characters, within))


def _characters(value: object) -> int:
    """About how many characters a JSON value has, two levels deep; most of a large one is in a few strings."""
    if isinstance(value, dict):
        return sum(map(len, value)) + _characters(list(value.values()))
    if isinstance(value, list):
        return sum(len(item) + 4 if isinstance(item, str) else _width(item) for item in value)
    return len(value) if isinstance(value, str) else 8


def _width(value: object) -> int:
    """As `_characters`, without a look into it."""
    return 16 * (1 + len(value)) if isinstance(value, list | dict) else 8
