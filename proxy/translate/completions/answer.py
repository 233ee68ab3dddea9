"""Turns events into a text completion or its chunks. Pure."""

from collections.abc import Sequence

from ...errors import ProxyError
from ...events import Event, Finished, JsonObject, Started, TextDelta, Usage
from ..common.dialect import ResponseMeta
from ..common.frames import Frame
from ..common.openai_completions import FINISH, usage_object
from ..common.openai_errors import error_object


class TextChoice:
    """One choice: collects its events, and turns each into the choice of a chunk. Only text has a place in it."""

    def __init__(self, index: int, echo: str) -> None:
        self._index = index
        self._text = [echo] if echo else []
        self._echo = echo
        self._finish: str | None = None
        self.usage = Usage()

    def feed(self, event: Event) -> JsonObject | None:
        """What this event adds, as the choice of a chunk; None for nothing."""
        match event:
            case TextDelta(text):
                self._text.append(text)
                shown, self._echo = self._echo + text, ""
                return self._choice(shown)
            case Finished(reason, usage):
                self.usage = usage
                self._finish = FINISH[reason]
                return self._choice(self._echo)
        return None

    @property
    def finished(self) -> bool:
        """Whether nothing more comes."""
        return self._finish is not None

    def nothing(self) -> JsonObject:
        """The choice of a chunk that adds no text."""
        return self._choice("")

    def render(self) -> JsonObject:
        """The whole choice, once it is finished."""
        return self._choice("".join(self._text))

    def _choice(self, text: str) -> JsonObject:
        return {"text": text, "index": self._index, "logprobs": None, "finish_reason": self._finish}


class TextReply:
    """A `text_completion` object, or the chunks of one, which have the same form."""

    def __init__(self, echoes: Sequence[str], include_usage: bool, meta: ResponseMeta) -> None:
        """`echoes` has for each choice the text to repeat before it, "" for none."""
        self._include_usage = include_usage
        self._meta = meta
        self._model = ""
        self._choices = [TextChoice(index, echo) for index, echo in enumerate(echoes)]

    def feed(self, answer: int, event: Event) -> list[Frame]:
        """The chunk that this event of choice number `answer` makes, if any."""
        if isinstance(event, Started):
            self._model = self._model or event.model
        choice = self._choices[answer].feed(event)
        return [] if choice is None else [Frame(self._chunk([choice]))]

    def end(self) -> list[Frame]:
        """The usage, when it was asked for."""
        return [Frame({**self._chunk([]), "usage": self._usage()})] if self._include_usage else []

    def alive(self) -> list[Frame]:
        """A chunk without text, of the first unfinished choice."""
        going = next((each for each in self._choices if not each.finished), None)
        return [] if going is None else [Frame(self._chunk([going.nothing()]))]

    def fail(self, error: ProxyError) -> list[Frame]:
        """An error object, which every OpenAI SDK raises."""
        return [Frame(error_object(error))]

    def whole(self) -> JsonObject:
        """The `text_completion` object."""
        return {**self._object([choice.render() for choice in self._choices]), "usage": self._usage()}

    def _usage(self) -> JsonObject:
        return usage_object(sum((choice.usage for choice in self._choices), Usage()))

    def _chunk(self, choices: list[JsonObject]) -> JsonObject:
        chunk = self._object(choices)
        return {**chunk, "usage": None} if self._include_usage else chunk

    def _object(self, choices: list[JsonObject]) -> JsonObject:
        return {
            "id": f"cmpl-{self._meta.id}",
            "object": "text_completion",
            "created": int(self._meta.created),
            "model": self._model or self._meta.model,
            "choices": choices,
        }
