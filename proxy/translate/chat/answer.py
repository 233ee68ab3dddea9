"""Turns events into a chat completion or its chunks. Pure.

Rules of the wire format (OpenAI API reference, and what breaks real clients): `id`, `created` and `model` are the same
on every chunk; `role` is in the first delta only; a call's id, type and name come whole and once; `finish_reason`
comes once, on the last chunk with choices; usage follows in a chunk without choices, when it was asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

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
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from ..common.dialect import ResponseMeta
from ..common.frames import Frame
from ..common.openai_completions import FINISH, usage_object
from ..common.openai_errors import error_object
from ..common.web_search import CitedText, Source


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What the answer's form depends on.

    `names` are the client's names of tools by the service's, where they differ; `custom` are those of custom tools, by
    the client's.
    """

    include_usage: bool = False
    show_reasoning: bool = False
    legacy_function: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    custom: frozenset[str] = frozenset()


class Choice:
    """The events of one choice: collected, and each turned into the deltas it adds."""

    def __init__(self, options: ChatOptions) -> None:
        self._options = options
        self._text = CitedText()
        self._reasoning: list[str] = []
        self._calls: list[JsonObject] = []
        self._arguments: list[list[str]] = []
        self.finished: Finished | None = None

    @property
    def finish_reason(self) -> str | None:
        """OpenAI's name of the reason; None until it is finished."""
        if self.finished is None:
            return None
        name = FINISH[self.finished.reason]
        return "function_call" if name == "tool_calls" and self._options.legacy_function else name

    def feed(self, event: Event) -> list[JsonObject]:
        """The deltas that this event makes."""
        match event:
            case Started():
                return [{"role": "assistant", "content": "", "refusal": None}]
            case TextDelta(text):
                self._text.say(text)
                return [{"content": text}]
            case Citation(json):
                self._text.cite(json)
                return []
            case BlockCompleted():
                sources = self._text.end_block()
                return [{"annotations": [_annotation(source) for source in sources]}] if sources else []
            case ReasoningDelta(text) if self._options.show_reasoning:
                self._reasoning.append(text)
                return [{"reasoning_content": text}]
            case ToolCallStarted(index, id, name):
                name = self._options.names.get(name, name)
                kind = "custom" if name in self._options.custom else "function"
                head = {"id": id, "type": kind}
                self._calls.append({**head, kind: {"name": name}})
                self._arguments.append([])
                return self._call(index, {"name": name, "arguments": ""}, head)
            case ToolCallDelta(index, json):
                self._arguments[index].append(json)
                return self._call(index, {"arguments": json}, {})
            case Finished():
                self.finished = event
                return [*self._custom_inputs(), {}]
            case ReasoningDelta() | ReasoningSigned():
                # Chat completions have no field for these.
                return []

    def message(self) -> JsonObject:
        """The message so far, whole."""
        text = str(self._text)
        message: JsonObject = {"role": "assistant", "content": text or (None if self._calls else ""), "refusal": None}
        if self._text.sources:
            message["annotations"] = [_annotation(source) for source in self._text.sources]
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        calls = [self._whole(call, "".join(json)) for call, json in zip(self._calls, self._arguments, strict=True)]
        if calls and self._options.legacy_function:
            message["function_call"] = calls[0]["function"]
        elif calls:
            message["tool_calls"] = calls
        return message

    def _whole(self, call: JsonObject, json: str) -> JsonObject:
        if call["type"] == "custom":
            return {**call, "custom": {**call["custom"], "input": custom_input(json)}}
        return {**call, "function": {**call["function"], "arguments": json}}

    def _custom_inputs(self) -> list[JsonObject]:
        """The inputs of custom tools, which are known as texts only when their JSON is whole."""
        calls = zip(range(len(self._calls)), self._calls, self._arguments, strict=True)
        return [
            {"tool_calls": [{"index": index, "custom": {"input": custom_input("".join(json))}}]}
            for index, call, json in calls
            if call["type"] == "custom"
        ]

    def _call(self, index: int, function: JsonObject, head: JsonObject) -> list[JsonObject]:
        if self._options.legacy_function:
            # The legacy format supports one call.
            return [{"function_call": function}] if index == 0 else []
        if self._calls[index]["type"] == "custom":
            custom = {"name": function.get("name"), "input": ""}
            return [{"tool_calls": [{"index": index, **head, "custom": custom}]}] if head else []
        return [{"tool_calls": [{"index": index, **head, "function": function}]}]


def custom_input(json: str) -> str:
    """The text in `{"input": "…"}`; JSON of another shape is the text itself."""
    try:
        value = orjson.loads(json or "{}")
    except orjson.JSONDecodeError:
        return json
    text = value.get("input", "") if isinstance(value, dict) else None
    return text if isinstance(text, str) else json


def _annotation(source: Source) -> JsonObject:
    """A source of the text (OpenAI API reference, `message.annotations`)."""
    cited = {"start_index": source.start, "end_index": source.end, "url": source.url, "title": source.title}
    return {"type": "url_citation", "url_citation": cited}


class ChatReply:
    """A `chat.completion` object, or its `chat.completion.chunk` objects."""

    def __init__(self, options: ChatOptions, answers: int, meta: ResponseMeta) -> None:
        self.options = options
        self._meta = meta
        self._model = ""
        self._choices = [Choice(options) for _ in range(answers)]

    def feed(self, answer: int, event: Event) -> list[Frame]:
        """The chunks that this event of choice number `answer` makes."""
        if isinstance(event, Started):
            # All choices answer the same Turn; the first one reports the model.
            self._model = self._model or event.model
        choice = self._choices[answer]
        deltas = choice.feed(event)
        reason = choice.finish_reason
        made = [
            {
                "index": answer,
                "delta": delta,
                "logprobs": None,
                "finish_reason": reason if delta is deltas[-1] else None,
            }
            for delta in deltas
        ]
        return [Frame(self._chunk([part])) for part in made]

    def alive(self) -> list[Frame]:
        """An empty delta of the first unfinished choice."""
        going = next((index for index, each in enumerate(self._choices) if each.finished is None), None)
        if going is None:
            return []
        empty = {"index": going, "delta": {}, "logprobs": None, "finish_reason": None}
        return [Frame(self._chunk([empty]))]

    def end(self) -> list[Frame]:
        """The usage, when it was asked for."""
        return [Frame({**self._chunk([]), "usage": self._usage()})] if self.options.include_usage else []

    def fail(self, error: ProxyError) -> list[Frame]:
        """An error object, which every OpenAI SDK raises."""
        return [Frame(error_object(error))]

    def whole(self) -> JsonObject:
        """The `chat.completion` object."""
        choices = [
            {"index": index, "message": each.message(), "logprobs": None, "finish_reason": each.finish_reason}
            for index, each in enumerate(self._choices)
        ]
        return {**self._head("chat.completion"), "choices": choices, "usage": self._usage()}

    def _usage(self) -> JsonObject:
        return usage_object(sum((each.finished.usage for each in self._choices if each.finished), Usage()))

    def _chunk(self, choices: list[JsonObject]) -> JsonObject:
        chunk: JsonObject = {**self._head("chat.completion.chunk"), "choices": choices}
        return {**chunk, "usage": None} if self.options.include_usage else chunk

    def _head(self, kind: str) -> JsonObject:
        return {
            "id": f"chatcmpl-{self._meta.id}",
            "object": kind,
            "created": int(self._meta.created),
            "model": self._model or self._meta.model,
        }
