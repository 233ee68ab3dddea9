"""The lines of one turn, read into events. Pure: fed one line at a time, returns what it means.

The law of a turn's end: an answer is the *first* top-level message of the API, from `message_start` to `message_delta`.
What the CLI does by itself afterwards (calling tools, going on after `max_tokens` or a refusal) is not the client's.
`assistant` lines come once a block and never end anything; `result` ends the CLI's turn, which may be much later.
"""

from collections.abc import Collection
from typing import cast

import orjson

from .. import errors
from ..events import (
    Event,
    Finished,
    JsonObject,
    Message,
    ReasoningDelta,
    Started,
    StopReason,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from .failure import from_result

_REASONS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "stop_sequence": "stop_sequence",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "tool_use": "tool_use",
    "refusal": "refusal",
    "pause_turn": "end_turn",
}


class _Call:
    def __init__(self, index: int, id: str, name: str) -> None:
        self.index, self.id, self.name, self.json = index, id, name, ""


class Answer:
    """One answer in the making.

    `heard`: the CLI has said something about the message, or the results, that it was given. `started`: it took the
    message up, so an interrupt can no longer be lost. `finished`: the model's message is whole. `over`: the CLI's turn
    has ended too.
    """

    def __init__(self, uuid: str | None, tools: Collection[str] = (), rate_limit: JsonObject | None = None) -> None:
        """`uuid` is the user line's (None for a resumed turn); `tools` are the names the client gave.

        `rate_limit` is what the CLI said last: it says a limit when it changes, not with every failure.
        """
        self.heard = False
        self.started = uuid is None
        self.finished: Finished | None = None
        self.over = False
        self.rate_limit = rate_limit
        self._uuid = uuid
        self._tools = frozenset(tools)
        self._begun = False
        self._text: list[str] = []
        self._usage = Usage()
        self._calls: dict[int, _Call] = {}
        self._notice: JsonObject | None = None

    @property
    def calls(self) -> tuple[str, ...]:
        """The ids of the calls made so far, in order."""
        return tuple(call.id for call in self._calls.values())

    @property
    def fits(self) -> bool:
        """Whether every call can be delivered; the CLI answers another by itself, and asks the model again."""
        return all(call.name in self._tools and _parsed(call.json) is not None for call in self._calls.values())

    @property
    def message(self) -> Message:
        """The answer as the next request's history will hold it."""
        text = "".join(self._text)
        calls = [ToolCall(call.id, call.name, _parsed(call.json) or {}) for call in self._calls.values()]
        return Message("assistant", (*((Text(text),) if text else ()), *calls))

    def feed(self, line: JsonObject, now: float) -> list[Event]:
        """The events this line brings; raises the ProxyError of a turn that ended without an answer."""
        match line.get("type"):
            case "stream_event" if line.get("parent_tool_use_id") is None:
                return self._stream(line["event"])
            case "command_lifecycle" if line.get("command_uuid") == self._uuid:
                self.heard = True
                self.started = self.started or line.get("state") == "started"
            case "user" | "system":
                # The results that were given, as the model will see them; what the turn begins with.
                self.heard = True
            case "rate_limit_event":
                self.rate_limit = line.get("rate_limit_info")
            case "assistant" if line.get("error") or line.get("is_api_error_message"):
                self._notice = line
            case "result":
                self.over = True
                if self.finished is None:
                    raise from_result(line, self._notice, self.rate_limit, now)
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
            case "message_delta":
                return self._end(event)
        return []

    def _start(self, message: JsonObject) -> list[Event]:
        if self._text or self._calls:
            raise errors.UpstreamFault("The service cut its answer short and the CLI began another.")
        self._usage = _usage(Usage(), message.get("usage"))
        if self._begun:
            return []
        self._begun = self.started = self.heard = True
        return [Started(str(message.get("model", "")))]

    def _block(self, index: int, block: JsonObject) -> list[Event]:
        if block.get("type") == "text" and block.get("text"):
            return self._say(block["text"])
        if block.get("type") != "tool_use":
            return []
        call = _Call(len(self._calls), block["id"], self._own_name(block["name"]))
        self._calls[index] = call
        return [ToolCallStarted(call.index, call.id, call.name)]

    def _delta(self, index: int, delta: JsonObject) -> list[Event]:
        match delta.get("type"):
            case "text_delta" if delta["text"]:
                return self._say(delta["text"])
            case "thinking_delta" if delta["thinking"]:
                return [ReasoningDelta(delta["thinking"])]
            case "input_json_delta" if delta["partial_json"] and index in self._calls:
                call = self._calls[index]
                call.json += delta["partial_json"]
                return [ToolCallDelta(call.index, delta["partial_json"])]
        return []

    def _say(self, text: str) -> list[Event]:
        self._text.append(text)
        return [TextDelta(text)]

    def _end(self, event: JsonObject) -> list[Event]:
        self._usage = _usage(self._usage, event.get("usage"))
        delta = event.get("delta") or {}
        reason = delta.get("stop_reason")
        if reason is None:
            return []
        events: list[Event] = []
        for call in self._calls.values():
            if not call.json:
                call.json = "{}"
                events.append(ToolCallDelta(call.index, "{}"))
        self.finished = Finished(_REASONS.get(reason, "end_turn"), self._usage)
        return [*events, self.finished]

    def _own_name(self, name: str) -> str:
        """The client's own name of a tool; a CLI that prefixes it says `mcp__server__name`."""
        _, _, bare = name.removeprefix("mcp__").partition("__")
        return bare if name.startswith("mcp__") and name not in self._tools and bare in self._tools else name


def _usage(before: Usage, usage: JsonObject | None) -> Usage:
    """Counts of `message_delta` are totals; what it leaves out stands as `message_start` had it."""
    found = usage or {}

    def count(key: str, old: int) -> int:
        value = found.get(key)
        return value if isinstance(value, int) else old

    details = found.get("output_tokens_details") or {}
    reasoning = details.get("thinking_tokens")
    return Usage(
        input=count("input_tokens", before.input),
        cache_read=count("cache_read_input_tokens", before.cache_read),
        cache_creation=count("cache_creation_input_tokens", before.cache_creation),
        output=count("output_tokens", before.output),
        reasoning=reasoning if isinstance(reasoning, int) else before.reasoning,
    )


def _parsed(arguments: str) -> JsonObject | None:
    try:
        value = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None
