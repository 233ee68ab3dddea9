"""A chat completions request becomes a Turn, and what its answer must look like. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import BadRequest
from ..events import JsonObject, Turn
from .chat_schema import ChatRequest, ResponseFormat
from .conversation import conversation
from .json_schema import check_schema
from .models import Model, resolve
from .tools import choice_of, tools_of
from .validation import shaped

# Accepted without effect; each is named in the response header `x-claude-max-ignored` when a client sets it.
WITHOUT_EFFECT = (
    *("frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "seed", "user", "metadata"),
    *("store", "service_tier", "prediction", "modalities", "audio", "verbosity", "web_search_options"),
    *("prompt_cache_key", "prompt_cache_retention", "safety_identifier"),
)
# What says the same as leaving the parameter out.
NEUTRAL: Mapping[str, object] = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": False,
    "store": False,
    "service_tier": "auto",
    "modalities": ["text"],
}

JSON_OBJECT = "Answer with one JSON object and nothing else: no Markdown fence, no words before or after it."

STOP_LIMIT = 16


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What the answer's form depends on. `ignored` names the parameters that have no effect."""

    stream: bool
    include_usage: bool
    n: int = 1
    show_reasoning: bool = False
    legacy_function: bool = False
    ignored: tuple[str, ...] = ()


def to_turn(body: JsonObject, offered: Sequence[Model], aliases: Mapping[str, str]) -> tuple[Turn, ChatOptions]:
    """The Turn in a request body. Raises BadRequest or ModelNotFound."""
    request = shaped(ChatRequest, body)
    model = resolve(request.model, offered, aliases)
    system, messages = conversation(request.messages)
    tools = tools_of(request)
    ignored = [name for name in WITHOUT_EFFECT if body.get(name) is not None and body[name] != NEUTRAL.get(name)]
    if any(message.name for message in request.messages if message.role not in ("tool", "function")):
        ignored.append("messages.name")
    if request.response_format is not None and request.response_format.type == "json_object":
        system = f"{system}\n\n{JSON_OBJECT}" if system else JSON_OBJECT
    wanted = request.reasoning_effort
    effort = None if wanted == "none" else "low" if wanted == "minimal" else wanted
    turn = Turn(
        model=model,
        messages=messages,
        system=system,
        tools=tools,
        tool_choice=choice_of(request, tools),
        schema=_schema(request.response_format),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stop=stop_of(request.stop),
        temperature=clamped(request.temperature, ignored),
        top_p=request.top_p,
        effort=effort,
        thinking="off" if wanted == "none" else "shown" if wanted else "default",
    )
    options = ChatOptions(
        stream=bool(request.stream),
        include_usage=bool(request.stream_options and request.stream_options.include_usage),
        n=request.n or 1,
        show_reasoning=effort is not None,
        legacy_function=request.functions is not None,
        ignored=tuple(ignored),
    )
    return turn, options


def clamped(temperature: float | None, ignored: list[str]) -> float | None:
    """OpenAI's scale ends at 2, Claude's at 1; one that is cut down is added to `ignored`."""
    if temperature is None or temperature <= 1:
        return temperature
    ignored.append("temperature")
    return 1


def stop_of(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    """The stop sequences; the API refuses blank ones, so they are the client's error."""
    found = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(found) > STOP_LIMIT:
        raise BadRequest(f"stop: at most {STOP_LIMIT} sequences.", param="stop")
    if any(not item.strip() for item in found):
        raise BadRequest("stop: a sequence must hold something other than white space.", param="stop")
    return found


def _schema(wanted: ResponseFormat | None) -> JsonObject | None:
    if wanted is None or wanted.type != "json_schema":
        return None
    where = "response_format.json_schema.schema"
    if wanted.json_schema is None or wanted.json_schema.schema_ is None:
        raise BadRequest(f"{where} is missing.", param=where)
    check_schema(wanted.json_schema.schema_, where)
    return wanted.json_schema.schema_
