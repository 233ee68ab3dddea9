"""Turns events into the lines of an ollama stream, or one object. Pure.

Every line has the model, the time and a piece of the answer; the last one is `done` and has the reason, the counts and
the durations (in nanoseconds). Ollama knows the reasons `stop`, `length`, `load` and `unload`; a refusal is named as
such. A call comes whole, on a separate line.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from ...errors import ProxyError
from ...events import (
    BlockCompleted,
    Citation,
    Event,
    Finished,
    JsonObject,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    StopReason,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from ..common.conversation import arguments_of
from ..common.dialect import ResponseMeta
from ..common.frames import Frame
from .errors import error_object

REASONS: Mapping[StopReason, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class Form(Protocol):
    """Where a line has its text, its thinking and its calls."""

    def piece(self, text: str, thinking: str = "", calls: list[JsonObject] | None = None) -> JsonObject:
        """These, as a part of a line."""
        ...


class ChatForm:
    """In a message."""

    def piece(self, text: str, thinking: str = "", calls: list[JsonObject] | None = None) -> JsonObject:
        """`message`."""
        message: JsonObject = {"role": "assistant", "content": text}
        if thinking:
            message["thinking"] = thinking
        if calls:
            message["tool_calls"] = calls
        return {"message": message}


class GenerateForm:
    """In the line itself; there are no calls."""

    def piece(self, text: str, thinking: str = "", calls: list[JsonObject] | None = None) -> JsonObject:
        """`response` and `thinking`."""
        return {"response": text, "thinking": thinking} if thinking else {"response": text}


class OllamaReply:
    """The lines of one answer."""

    def __init__(
        self,
        name: str,
        form: Form,
        shows_thinking: bool,
        reason: str,
        meta: ResponseMeta,
        *,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """`name` is the model's as it was asked for; `reason` is why it ends where no model is asked.

        `names` are the client's own names of tools, by those that the service takes.
        """
        self._names = names or {}
        self._name = name
        self._form = form
        self._shows_thinking = shows_thinking
        self._meta = meta
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[JsonObject] = []
        self._arguments: list[str] = []
        self._begun = meta.created
        self._last: JsonObject = {"done": True, "done_reason": reason}

    def feed(self, answer: int, event: Event) -> list[Frame]:
        """The lines that this event makes; there is one answer."""
        match event:
            case Started():
                self._begun = self._meta.now()
            case TextDelta(text):
                self._text.append(text)
                return [self._line(self._form.piece(text))]
            case ReasoningDelta(text) if self._shows_thinking:
                self._thinking.append(text)
                return [self._line(self._form.piece("", text))]
            case ToolCallStarted(index, id, name):
                lines, own = self._called(), self._names.get(name, name)
                self._calls.append({"id": id, "function": {"index": index, "name": own, "arguments": None}})
                return lines
            case ToolCallDelta(_, json):
                self._arguments.append(json)
            case BlockCompleted():
                return self._called()
            case Finished():
                lines = self._called()
                self._last = self._end_of(event)
                return lines
            case ReasoningDelta() | ReasoningSigned() | Citation():
                # Ollama's API has no field for these.
                pass
        return []

    def end(self) -> list[Frame]:
        """The line that is done."""
        return [self._line({**self._form.piece(""), **self._last})]

    def fail(self, error: ProxyError) -> list[Frame]:
        """A line with the error."""
        return [Frame(error_object(error, self._meta.request_id))]

    def alive(self) -> list[Frame]:
        """A line without text."""
        return [self._line(self._form.piece(""))]

    def whole(self) -> JsonObject:
        """The answer in one object."""
        piece = self._form.piece("".join(self._text), "".join(self._thinking), self._calls)
        return {**self._head(), **piece, **self._last}

    def _called(self) -> list[Frame]:
        """The line of the call whose arguments are whole now, if there is one."""
        if not self._calls or self._calls[-1]["function"]["arguments"] is not None:
            return []
        call = self._calls[-1]
        call["function"]["arguments"] = arguments_of("".join(self._arguments))
        self._arguments.clear()
        return [self._line(self._form.piece("", calls=[call]))]

    def _line(self, piece: JsonObject) -> Frame:
        return Frame({**self._head(), "done": False, **piece})

    def _head(self) -> JsonObject:
        now = datetime.fromtimestamp(self._meta.now(), UTC)
        return {"model": self._name, "created_at": now.isoformat(timespec="microseconds").replace("+00:00", "Z")}

    def _end_of(self, finished: Finished) -> JsonObject:
        now = self._meta.now()
        return {
            "done": True,
            "done_reason": REASONS[finished.reason],
            "total_duration": _nanoseconds(now - self._meta.created),
            "load_duration": 0,
            "prompt_eval_count": finished.usage.prompt,
            "prompt_eval_duration": _nanoseconds(self._begun - self._meta.created),
            "eval_count": finished.usage.output,
            "eval_duration": _nanoseconds(now - self._begun),
        }


def _nanoseconds(seconds: float) -> int:
    return max(0, round(seconds * 1e9))
