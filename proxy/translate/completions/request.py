"""A completions request becomes a Turn whose only message is the prompt. Pure."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...errors import BadRequest
from ...events import JsonObject, Message, Text, Turn
from ..common.dialect import ParsedRequest, RequestContext
from ..common.effect import without_effect
from ..common.models import resolve
from ..common.openai_completions import NEUTRAL, Unused
from ..common.sampling import clamped, stop_of
from ..common.validation import shaped
from .answer import TextReply
from .schema import CompletionRequest

WITHOUT_EFFECT = (*Unused.model_fields, "logprobs")


def to_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn in a request body, once for each choice. Raises BadRequest, ModelNotFound."""
    request = shaped(CompletionRequest, body)
    prompt = _prompt(request.prompt)
    if request.suffix:
        raise BadRequest("suffix: Claude models do not fill in the middle of a text.", param="suffix")
    if request.best_of is not None and request.best_of > (request.n or 1):
        raise BadRequest("best_of: there are no log probabilities to choose the best by.", param="best_of")
    ignored = without_effect(body, request, WITHOUT_EFFECT, NEUTRAL)
    turn = Turn(
        model=resolve(request.model, context.models, context.aliases),
        messages=(Message("user", (Text(prompt),)),),
        max_tokens=request.max_tokens,
        stop=stop_of(request.stop),
        temperature=clamped(request.temperature, ignored),
        top_p=request.top_p,
    )
    include_usage = bool(request.stream_options and request.stream_options.include_usage)
    echoes = (prompt if request.echo else "",) * (request.n or 1)
    return ParsedRequest(
        turns=(turn,) * len(echoes),
        reply=partial(TextReply, echoes, include_usage),
        stream=bool(request.stream),
        ignored=tuple(ignored),
    )


def _prompt(prompt: str | Sequence[Any]) -> str:
    texts = [prompt] if isinstance(prompt, str) else list(prompt)
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise BadRequest("prompt: one text is carried; send several prompts as several requests.", param="prompt")
    if not texts[0].strip():
        raise BadRequest("prompt: must hold something other than white space.", param="prompt")
    return texts[0]
