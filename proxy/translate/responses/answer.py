"""Turns events into a response or its stream. Pure.

The sequence is OpenAI's (API reference, "Streaming events"): `response.created`, `response.in_progress`, the events of
the items, one after another, and one of `response.completed`, `incomplete`, `failed`, which holds the whole response.
`sequence_number` counts from 0; ids are the same throughout.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from ...errors import ProxyError
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
from ...records import Record
from ..common.dialect import ResponseMeta
from ..common.frames import Frame
from ..common.web_search import NAME as SEARCH_NAME
from .calls import CALLS, CallItem, CustomItem, SearchCallItem
from .errors import failed_with
from .kept import Asked, record_of
from .options import Options, repeated
from .output import MessageItem, OutputItem, ReasoningItem, SearchItem, Told
from .tools import Named

# Why a response is incomplete; every other reason completes it.
INCOMPLETE: Mapping[StopReason, str] = {
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "refusal": "content_filter",
}
T = TypeVar("T", bound=OutputItem)


class ResponsesReply:
    """A `response` object, or the events of its stream."""

    def __init__(self, options: Options, names: Mapping[str, Named], asked: Asked, meta: ResponseMeta) -> None:
        """`names` are the client's own of the tools; `asked` is what is kept of the request."""
        self._options = options
        self._names = names
        self._asked = asked
        self._meta = meta
        self._model = ""
        self._items: list[OutputItem] = []
        self._open: OutputItem | None = None
        self._status = "in_progress"
        self._reason: str | None = None
        self._error: JsonObject | None = None
        self._usage: Usage | None = None
        self._completed_at: int | None = None
        self._number = 0

    def feed(self, answer: int, event: Event) -> list[Frame]:
        """The stream's events that this one makes."""
        return [self._frame(kind, fields) for kind, fields in self._fed(event)]

    def end(self) -> list[Frame]:
        """The whole response."""
        return [self._frame(f"response.{self._status}", {"response": self.whole()})]

    def fail(self, error: ProxyError) -> list[Frame]:
        """The response as far as it came, and what went wrong."""
        self._status, self._error = "failed", failed_with(error)
        return [self._frame("response.failed", {"response": self.whole()})]

    def alive(self) -> list[Frame]:
        """`response.in_progress` once more, with what there is so far."""
        return [self._frame("response.in_progress", {"response": self.whole()})] if self._model else []

    def whole(self) -> JsonObject:
        """The `response` object."""
        return {
            "id": f"resp_{self._meta.id}",
            "object": "response",
            "created_at": int(self._meta.created),
            "status": self._status,
            "completed_at": self._completed_at,
            "error": self._error,
            "incomplete_details": None if self._reason is None else {"reason": self._reason},
            "model": self._model or self._meta.model,
            "output": [item.whole() for item in self._items],
            "usage": None if self._usage is None else usage_object(self._usage),
            **repeated(self._options),
        }

    def record(self) -> Record | None:
        """What is kept of it, where that was asked for."""
        output = tuple(item.kept() for item in self._items)
        return record_of(self._asked, self._meta, self.whole(), output)

    def _frame(self, kind: str, fields: JsonObject) -> Frame:
        number, self._number = self._number, self._number + 1
        return Frame({"type": kind, "sequence_number": number, **fields}, kind)

    def _fed(self, event: Event) -> list[Told]:
        match event:
            case Started(model):
                self._model = model
                return [(f"response.{name}", {"response": self.whole()}) for name in ("created", "in_progress")]
            case TextDelta(text):
                told, message = self._current(MessageItem, MessageItem)
                return [*told, *self._placed(message, message.say(text))]
            case Citation(citation):
                told, message = self._current(MessageItem, MessageItem)
                message.cite(citation)
                return told
            case ReasoningDelta(text):
                if isinstance(self._open, ReasoningItem) and self._open.signed:
                    # The signature is the last delta of a block.
                    self._open.ended = True
                told, thought = self._current(ReasoningItem, lambda id: ReasoningItem(id, self._options))
                return [*told, *self._placed(thought, thought.think(text))]
            case ReasoningSigned(signature):
                told, thought = self._current(ReasoningItem, lambda id: ReasoningItem(id, self._options))
                thought.sign(signature)
                return told
            case ToolCallStarted(_, id, name):
                return self._called(id, self._names.get(name, Named(name)))
            case ToolCallDelta(_, json):
                called = self._open
                if isinstance(called, CallItem | CustomItem | SearchCallItem):
                    return self._placed(called, called.argue(json))
            case BlockCompleted(block):
                return self._block_ended(block)
            case Finished():
                return self._finish(event)
        return []

    def _called(self, call_id: str, named: Named) -> list[Told]:
        return self._begin(CALLS[named.kind](self._meta.new_id(), call_id, named))

    def _block_ended(self, block: RedactedThinking | OpaqueBlock | None) -> list[Told]:
        match block:
            case RedactedThinking():
                hidden = ReasoningItem(self._meta.new_id(), self._options)
                hidden.redact(block)
                return self._begin(hidden)
            case OpaqueBlock({"type": "server_tool_use", "name": name} as call) if name == SEARCH_NAME:
                return self._begin(SearchItem(self._meta.new_id(), call, self._options))
            case OpaqueBlock({"type": "web_search_tool_result"} as found) if isinstance(self._open, SearchItem):
                self._open.result(found)
                return self._close("completed")
            case OpaqueBlock():
                # Another block type of the service, which this API cannot represent.
                return []
        if isinstance(self._open, MessageItem):
            # The text may continue in the next block.
            return self._placed(self._open, self._open.end_block())
        if self._open is not None:
            # Closed by the next event, which shows whether it was cut.
            self._open.ended = True
        return []

    def _finish(self, event: Finished) -> list[Told]:
        self._reason = INCOMPLETE.get(event.reason)
        self._status = "completed" if self._reason is None else "incomplete"
        self._usage = event.usage
        if self._reason is None:
            self._completed_at = int(self._meta.now())
        return self._close("incomplete" if self._reason == "max_output_tokens" else "completed")

    def _current(self, kind: type[T], make: Callable[[str], T]) -> tuple[list[Told], T]:
        """The open item where it has this kind, else a new one, with its opening events."""
        if isinstance(self._open, kind) and not self._open.ended:
            return [], self._open
        item = make(self._meta.new_id())
        return self._begin(item), item

    def _begin(self, item: OutputItem) -> list[Told]:
        told = self._close("completed")
        self._items.append(item)
        self._open = item
        return [*told, *self._placed(item, item.begin())]

    def _close(self, status: str) -> list[Told]:
        item, self._open = self._open, None
        return [] if item is None else self._placed(item, item.close(status))

    def _placed(self, item: OutputItem, told: list[Told]) -> list[Told]:
        """Events of the last item, the only one that has any, with its place in the response."""
        at: JsonObject = {"output_index": len(self._items) - 1}
        return [(kind, {**at, **({} if "item" in fields else {"item_id": item.id}), **fields}) for kind, fields in told]


def usage_object(usage: Usage) -> JsonObject:
    """OpenAI's usage: `input_tokens` counts the cached ones too."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_creation},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.output,
    }
