"""Parses the lines of one turn into events. Pure: fed one line at a time.

An answer is the *first* top-level message of the API, from `message_start` to the `message_delta` with a stop reason.
What the CLI does afterwards (refusing a call, continuing after `max_tokens`) is not shown to the client. `assistant`
lines come once a block and never end anything; `result` ends the CLI's turn, which may be later.
"""

import contextlib
from collections.abc import Collection
from typing import cast, get_args

from ... import errors
from ...events import (
    BlockCompleted,
    Citation,
    Event,
    Finished,
    JsonObject,
    OpaqueBlock,
    ReasoningDelta,
    ReasoningSigned,
    RedactedThinking,
    Started,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from ...json_text import Surrogates, compact, parsed
from ...receipts import Spent
from .failure import from_result
from .spent import spent

_REASONS = frozenset(get_args(StopReason))


class Answer:
    """One answer in the making.

    `heard`: the CLI said something about the message it was given. `started`: it took the message up, so an interrupt
    can no longer be lost. `requested`: it is about to send its request (2.1.332 says so, older versions may not).
    `begun`: the model's message began. `finished`: that message is whole. `over`: the CLI's turn has ended too.
    """

    def __init__(self, uuid: str, tools: Collection[str] = (), rate_limit: JsonObject | None = None) -> None:
        """`uuid` is the user line's. `tools` are the client's names, for a CLI that adds a prefix to MCP tools.

        `rate_limit` is what the CLI said last: it reports a limit when it changes, not with every failure.
        """
        self.heard = self.started = self.requested = self.begun = self.over = False
        self.finished: Finished | None = None
        self.rate_limit = rate_limit
        self.result: JsonObject = {}
        self._uuid = uuid
        self._tools = frozenset(tools)
        self._usage = Usage()
        self._calls: dict[int, _Call] = {}
        self._opaque: _Opaque | None = None
        self._surrogates, self._thinks = Surrogates(), False
        self._notice: JsonObject | None = None

    @property
    def spent(self) -> Spent:
        """What the turn used, as far as it was told."""
        return spent(self.result, self._usage)

    def feed(self, line: JsonObject, now: float) -> list[Event]:
        """The events this line brings; `now` is unix seconds. Raises the ProxyError of a turn that gave no answer."""
        match line.get("type"):
            case "stream_event" if line.get("parent_tool_use_id") is None:
                return self._stream(line["event"])
            case "command_lifecycle" if line.get("command_uuid") == self._uuid:
                self.heard = True
                self.started = self.started or line.get("state") == "started"
            case "system":
                self.heard = True
                self.requested = self.requested or line.get("status") == "requesting"
            case "rate_limit_event":
                self.rate_limit = line.get("rate_limit_info")
            case "assistant" if line.get("error") or line.get("is_api_error_message"):
                self._notice = line
            case "result":
                self.over = True
                self.result = line
                if self.finished is None:
                    raise from_result(line, self._notice, self.rate_limit, now, begun=self.begun)
        return []

    def _stream(self, event: JsonObject) -> list[Event]:
        if self.finished is not None:
            return []
        match event.get("type"):
            case "message_start":
                return self._start(event["message"])
            case "content_block_start":
                return self._block(event["index"], event["content_block"])
            case "content_block_delta":
                return self._delta(event["index"], event["delta"])
            case "content_block_stop":
                return self._stop(event["index"])
            case "message_delta":
                return self._end(event)
        return []

    def _start(self, message: JsonObject) -> list[Event]:
        if self.begun:
            raise errors.UpstreamFault("The service cut its answer short and the CLI began another.")
        self._usage = usage(Usage(), message.get("usage"))
        self.begun = self.started = self.heard = True
        return [Started(str(message.get("model", "")), id=str(message.get("id", "")), usage=self._usage)]

    def _block(self, index: int, block: JsonObject) -> list[Event]:
        self._surrogates, self._thinks = Surrogates(), block.get("type") == "thinking"
        match block.get("type"):
            case "text":
                cited: list[Event] = [Citation(citation) for citation in block.get("citations") or ()]
                return [*self._text(block.get("text") or ""), *cited]
            case "thinking":
                signed: list[Event] = [ReasoningSigned(block["signature"])] if block.get("signature") else []
                return [*self._thinking(block.get("thinking") or ""), *signed]
            case "tool_use":
                call = self._calls[index] = _Call(len(self._calls))
                begun = ToolCallStarted(call.index, block["id"], self._own_name(block["name"]))
                # The input is whole here where the service did not stream it; else it is empty and deltas follow.
                return [begun, *call.said(compact(block["input"]) if block.get("input") else "")]
            case _:
                self._opaque = _Opaque(block)
        return []

    def _delta(self, index: int, delta: JsonObject) -> list[Event]:
        match delta.get("type"):
            case "text_delta":
                return self._text(delta["text"])
            case "thinking_delta":
                return self._thinking(delta["thinking"])
            case "signature_delta" if delta["signature"]:
                return [ReasoningSigned(delta["signature"])]
            case "citations_delta":
                return [Citation(delta["citation"])]
            case "input_json_delta" if index in self._calls:
                return self._calls[index].said(self._surrogates.joined(delta["partial_json"]))
            case "input_json_delta" if self._opaque is not None:
                self._opaque.input += delta["partial_json"]
        return []

    def _text(self, text: str) -> list[Event]:
        whole = self._surrogates.joined(text)
        return [TextDelta(whole)] if whole else []

    def _thinking(self, text: str) -> list[Event]:
        whole = self._surrogates.joined(text)
        return [ReasoningDelta(whole)] if whole else []

    def _stop(self, index: int) -> list[Event]:
        opaque, self._opaque = self._opaque, None
        if opaque is not None:
            return [BlockCompleted(opaque.block())]
        call, rest = self._calls.get(index), self._surrogates.rest()
        if call is not None:
            return [*call.said(rest if call.has_arguments else "{}"), BlockCompleted()]
        if not rest:
            return [BlockCompleted()]
        return [ReasoningDelta(rest) if self._thinks else TextDelta(rest), BlockCompleted()]

    def _end(self, event: JsonObject) -> list[Event]:
        self._usage = usage(self._usage, event.get("usage"))
        delta = event.get("delta") or {}
        reason = delta.get("stop_reason")
        if reason is None:
            return []
        is_known = reason in _REASONS
        known = cast("StopReason", reason if is_known else "end_turn")
        unknown = "" if is_known else str(reason)
        self.finished = Finished(known, self._usage, delta.get("stop_sequence"), unknown)
        return [self.finished]

    def _own_name(self, name: str) -> str:
        """The client's own name of a tool; a CLI that prefixes MCP tools says `mcp__server__name`."""
        _, _, bare = name.removeprefix("mcp__").partition("__")
        return bare if name.startswith("mcp__") and name not in self._tools and bare in self._tools else name


class _Call:
    def __init__(self, index: int) -> None:
        self.index = index
        self.has_arguments = False

    def said(self, json: str) -> list[Event]:
        if not json:
            return []
        self.has_arguments = True
        return [ToolCallDelta(self.index, json)]


class _Opaque:
    """A block of a type that is carried as it is; the input of a server tool's call comes in deltas."""

    def __init__(self, json: JsonObject) -> None:
        self._json = json
        self.input = ""

    def block(self) -> RedactedThinking | OpaqueBlock:
        if self._json.get("type") == "redacted_thinking":
            return RedactedThinking(self._json["data"])
        # An input that `max_tokens` cut off is not JSON.
        with contextlib.suppress(ValueError):
            return OpaqueBlock({**self._json, "input": parsed(self.input)} if self.input else self._json)
        return OpaqueBlock(self._json)


def usage(before: Usage, found: JsonObject | None) -> Usage:
    """Counts of `message_delta` are totals; what it leaves out stands as `message_start` had it."""
    said = found or {}

    def count(key: str, old: int) -> int:
        value = said.get(key)
        return value if isinstance(value, int) else old

    details = said.get("output_tokens_details") or {}
    reasoning = details.get("thinking_tokens")
    return Usage(
        input=count("input_tokens", before.input),
        cache_read=count("cache_read_input_tokens", before.cache_read),
        cache_creation=count("cache_creation_input_tokens", before.cache_creation),
        output=count("output_tokens", before.output),
        reasoning=reasoning if isinstance(reasoning, int) else before.reasoning,
    )
