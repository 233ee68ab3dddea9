"""Turns a completions request into Turns whose only message is the prompt. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...errors import BadRequest
from ...events import JsonObject, Message, Text, Turn
from ..common.conversation import is_blank
from ..common.dialect import ParsedRequest, RequestContext
from ..common.effect import without_effect
from ..common.filters import StopCut
from ..common.models import resolve
from ..common.openai_completions import NEUTRAL, Unused
from ..common.repairs import Repairs
from ..common.sampling import clamped, stops_of
from ..common.validation import shaped, whole_numbers, without_no_limit
from .answer import TextReply
from .schema import CompletionRequest

# OpenAI's own limit of `n`.
MOST_CHOICES = 128
WITHOUT_EFFECT = (*Unused.model_fields, "logprobs")


def to_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """A Turn for each choice: `n` to each prompt, in the prompts' order. Raises BadRequest, ModelNotFound."""
    repairs = Repairs(strict=context.strict)
    given = whole_numbers(body, ("max_tokens", "n", "best_of", "logprobs", "seed"), repairs)
    request = shaped(CompletionRequest, without_no_limit(given, ("max_tokens",), repairs))
    prompts = _prompts(request.prompt)
    each = request.n or 1
    if len(prompts) * each > MOST_CHOICES:
        raise BadRequest(f"prompt: at most {MOST_CHOICES} choices a request, prompts times n.", param="prompt")
    if request.suffix:
        raise BadRequest("suffix: Claude models do not fill in the middle of a text.", param="suffix")
    if request.best_of is not None and request.best_of > each:
        raise BadRequest("best_of: there are no log probabilities to choose the best by.", param="best_of")
    ignored = without_effect(body, request, WITHOUT_EFFECT, NEUTRAL)
    stops = stops_of(request.stop, repairs)
    turn = Turn(
        model=resolve(request.model, context.models, context.aliases),
        messages=(),
        max_tokens=request.max_tokens,
        stop=stops.native,
        temperature=clamped(request.temperature, ignored),
        top_p=request.top_p,
    )
    asked = [replace(turn, messages=(Message("user", (Text(prompt),)),)) for prompt in prompts]
    include_usage = bool(request.stream_options and request.stream_options.include_usage)
    echoes = tuple(prompt if request.echo else "" for prompt in prompts for _ in range(each))
    return ParsedRequest(
        turns=tuple(turn for turn in asked for _ in range(each)),
        reply=partial(TextReply, echoes, include_usage),
        stream=bool(request.stream),
        ignored=tuple(ignored),
        repaired=repairs.names,
        filters=(partial(StopCut, stops.cut),) if stops.cut else (),
    )


def _prompts(prompt: str | Sequence[Any]) -> list[str]:
    texts = [prompt] if isinstance(prompt, str) else list(prompt)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise BadRequest("prompt: must be text; token arrays are not supported.", param="prompt")
    if any(is_blank(text) for text in texts):
        raise BadRequest("prompt: must hold something other than white space.", param="prompt")
    return texts
