"""Events become a chat completion, or the chunks of its stream. Pure: fed one event, returns what it makes.

The rules of the wire (OpenAI API reference, and what real clients trip over): `id`, `created` and `model` are the same
on every chunk; `role` stands in the first delta only; a call's id, type and name come whole and once; `finish_reason`
comes once, on the last chunk with choices; usage follows in a chunk without choices, when it was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...events import (
    Event,
    Finished,
    JsonObject,
    ReasoningDelta,
    Started,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from .request import ChatOptions

FINISH: dict[StopReason, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What one response shows on every object of it; handed in. `created` is unix seconds."""

    id: str
    created: int
    model: str


def usage_object(usage: Usage) -> JsonObject:
    """OpenAI's usage: `prompt_tokens` counts the cached ones too."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_creation,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


class Choice:
    """Collects the events of one choice into its final message."""

    def __init__(self, index: int, options: ChatOptions) -> None:
        self._index = index
        self._options = options
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[JsonObject] = []
        self.finished: Finished | None = None

    def feed(self, event: Event) -> None:
        """Takes one event."""
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
            case ToolCallStarted(_, id, name):
                self._calls.append({"id": id, "type": "function", "function": {"name": name, "arguments": ""}})
            case ToolCallDelta(index, json):
                self._calls[index]["function"]["arguments"] += json
            case Finished():
                self.finished = event

    def render(self) -> JsonObject:
        """The choice, once it is finished."""
        assert self.finished is not None
        text = "".join(self._text)
        message: JsonObject = {"role": "assistant", "content": text or (None if self._calls else ""), "refusal": None}
        reason = FINISH[self.finished.reason]
        if self._options.show_reasoning and self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls and self._options.legacy_function:
            message["function_call"] = self._calls[0]["function"]
            reason = "function_call" if reason == "tool_calls" else reason
        elif self._calls:
            message["tool_calls"] = self._calls
        return {"index": self._index, "message": message, "logprobs": None, "finish_reason": reason}


def completion(stamp: Stamp, choices: Sequence[Choice]) -> JsonObject:
    """The whole `chat.completion` object."""
    usage = sum((choice.finished.usage for choice in choices if choice.finished is not None), Usage())
    return {
        "id": stamp.id,
        "object": "chat.completion",
        "created": stamp.created,
        "model": stamp.model,
        "choices": [choice.render() for choice in choices],
        "usage": usage_object(usage),
    }


class Chunks:
    """Turns the events of one or more choices into `chat.completion.chunk` objects."""

    def __init__(self, stamp: Stamp, options: ChatOptions) -> None:
        self._stamp = stamp
        self._options = options
        self._usage = Usage()

    def feed(self, choice: int, event: Event) -> list[JsonObject]:
        """The chunks this event of choice number `choice` makes, in order."""
        match event:
            case Started():
                return [self._chunk(choice, {"role": "assistant", "content": "", "refusal": None})]
            case TextDelta(text):
                return [self._chunk(choice, {"content": text})]
            case ReasoningDelta(text) if self._options.show_reasoning:
                return [self._chunk(choice, {"reasoning_content": text})]
            case ToolCallStarted(index, id, name):
                return self._call(choice, index, {"name": name, "arguments": ""}, {"id": id, "type": "function"})
            case ToolCallDelta(index, json):
                return self._call(choice, index, {"arguments": json}, {})
            case Finished(reason, usage):
                self._usage += usage
                name = FINISH[reason]
                if name == "tool_calls" and self._options.legacy_function:
                    name = "function_call"
                return [self._chunk(choice, {}, name)]
        return []

    def last(self) -> list[JsonObject]:
        """What follows the last choice's end: the usage, when it was asked for."""
        if not self._options.include_usage:
            return []
        return [{**self._frame([]), "usage": usage_object(self._usage)}]

    def _call(self, choice: int, index: int, function: JsonObject, head: JsonObject) -> list[JsonObject]:
        if self._options.legacy_function:
            # The legacy form has room for one call.
            return [self._chunk(choice, {"function_call": function})] if index == 0 else []
        return [self._chunk(choice, {"tool_calls": [{"index": index, **head, "function": function}]})]

    def _chunk(self, choice: int, delta: JsonObject, finish: str | None = None) -> JsonObject:
        frame = self._frame([{"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish}])
        return {**frame, "usage": None} if self._options.include_usage else frame

    def _frame(self, choices: list[JsonObject]) -> JsonObject:
        stamp = self._stamp
        return {
            "id": stamp.id,
            "object": "chat.completion.chunk",
            "created": stamp.created,
            "model": stamp.model,
            "choices": choices,
        }


def with_model(stamp: Stamp, model: str) -> Stamp:
    """The stamp, with the model that really answers."""
    return replace(stamp, model=model or stamp.model)
