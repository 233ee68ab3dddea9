"""The legacy `POST /v1/completions`: a prompt becomes a Turn, an answer becomes text completions. Pure.

Chat models do not continue a text; the prompt is asked as a user's message, as OpenAI-compatible servers do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from ...errors import BadRequest
from ...events import Event, Finished, JsonObject, Message, Model, Text, TextDelta, Turn, Usage
from ..chat.answer import FINISH, Stamp, usage_object
from ..chat.request import ChatOptions, clamped, stop_of, without_effect
from ..chat.schema import Items, Number, StreamOptions, Unused
from ..common.models import resolve
from ..common.validation import shaped

WITHOUT_EFFECT = (*Unused.model_fields, "logprobs")


class CompletionRequest(Unused):
    """The body of `POST /v1/completions`."""

    model: str = Field(min_length=1)
    prompt: str | list[Any]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    stop: str | Items[str] | None = None
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    n: int | None = Field(default=None, ge=1, le=128)
    best_of: int | None = Field(default=None, ge=1, le=20)
    echo: bool | None = None
    logprobs: int | None = Field(default=None, ge=0, le=5)
    suffix: str | None = None


def to_turn(body: JsonObject, offered: Sequence[Model], aliases: Mapping[str, str]) -> tuple[Turn, ChatOptions, str]:
    """The Turn, the answer's form, and the text to echo before it ("" for none). Raises BadRequest, ModelNotFound."""
    request = shaped(CompletionRequest, body)
    prompt = _prompt(request.prompt)
    if request.suffix:
        raise BadRequest("suffix: Claude models do not fill in the middle of a text.", param="suffix")
    if request.best_of is not None and request.best_of > (request.n or 1):
        raise BadRequest("best_of: there are no log probabilities to choose the best by.", param="best_of")
    ignored = without_effect(body, request, WITHOUT_EFFECT)
    turn = Turn(
        model=resolve(request.model, offered, aliases),
        messages=(Message("user", (Text(prompt),)),),
        max_tokens=request.max_tokens,
        stop=stop_of(request.stop),
        temperature=clamped(request.temperature, ignored),
        top_p=request.top_p,
    )
    options = ChatOptions(
        stream=bool(request.stream),
        include_usage=bool(request.stream_options and request.stream_options.include_usage),
        n=request.n or 1,
        ignored=tuple(ignored),
    )
    return turn, options, prompt if request.echo else ""


def _prompt(prompt: str | Sequence[Any]) -> str:
    texts = [prompt] if isinstance(prompt, str) else list(prompt)
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise BadRequest("prompt: one text is carried; send several prompts as several requests.", param="prompt")
    if not texts[0].strip():
        raise BadRequest("prompt: must hold something other than white space.", param="prompt")
    return texts[0]


class TextChoice:
    """One choice: collects its events, or turns each into the choice of a chunk."""

    def __init__(self, index: int, echo: str) -> None:
        self._index = index
        self._text = [echo] if echo else []
        self._echo = echo
        self.usage = Usage()

    def feed(self, event: Event) -> JsonObject | None:
        """What this event adds, as the choice of a chunk; None for nothing."""
        match event:
            case TextDelta(text):
                self._text.append(text)
                shown, self._echo = self._echo + text, ""
                return self._choice(shown, None)
            case Finished(reason, usage):
                self.usage = usage
                self._finish = FINISH[reason]
                return self._choice(self._echo, self._finish)
        return None

    def render(self) -> JsonObject:
        """The whole choice, once it is finished."""
        return self._choice("".join(self._text), self._finish)

    def _choice(self, text: str, finish: str | None) -> JsonObject:
        return {"text": text, "index": self._index, "logprobs": None, "finish_reason": finish}


def frame(stamp: Stamp, choices: Sequence[JsonObject], usage: Usage | None = None) -> JsonObject:
    """A `text_completion` object: the whole one with its usage, or a chunk without."""
    body: JsonObject = {"id": stamp.id, "object": "text_completion", "created": stamp.created, "model": stamp.model}
    body["choices"] = list(choices)
    return body if usage is None else {**body, "usage": usage_object(usage)}
