"""A chat completions request becomes a Turn, and what its answer must look like. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ...errors import BadRequest
from ...events import JsonObject, Model, Turn
from ..common.conversation import conversation
from ..common.json_schema import check_schema
from ..common.models import resolve
from ..common.tools import choice_of, tools_of
from ..common.validation import shaped
from .schema import ChatRequest, MessageParam, Part, ResponseFormat, Shape, Unused

# Fields of the shape that have no effect. Each that a client sets is named in the response header
# `x-claude-max-ignored`, and so is whatever is no field of the shape.
WITHOUT_EFFECT = (*Unused.model_fields, "logprobs", "top_logprobs", "metadata", "store", "service_tier")
# What says the same as leaving the parameter out.
NEUTRAL: Mapping[str, object] = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": False,
    "store": False,
    "service_tier": "auto",
    "modalities": ["text"],
    "logit_bias": {},
}
# How many of them are named, and how much of a name is shown.
NAMED, SHOWN = 50, 64

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
    ignored = without_effect(body, request, WITHOUT_EFFECT)
    if request.stream_options is not None:
        ignored += [f"stream_options.{name}" for name in set_in(request.stream_options.model_extra or {})]
    if any(tool.function is not None and tool.function.strict for tool in request.tools or ()):
        # Tools of the CLI have no such switch.
        ignored.append("tools.function.strict")
    if any(message.name for message in request.messages if message.role not in ("tool", "function")):
        ignored.append("messages.name")
    if any(_detail(part) not in (None, "auto") for message in request.messages for part in _parts(message)):
        ignored.append("image_url.detail")
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


def _parts(message: MessageParam) -> Sequence[Part]:
    return message.content if isinstance(message.content, list) else ()


def _detail(part: Part) -> object:
    return part.image_url.get("detail") if isinstance(part.image_url, dict) else None


def without_effect(body: JsonObject, request: Shape, known: Sequence[str]) -> list[str]:
    """The names of what a body sets to no effect: the `known` fields, and those that its shape does not have."""
    names = dict.fromkeys((*known, *(request.model_extra or {})))
    return set_in({name: body.get(name) for name in names})


def set_in(values: JsonObject) -> list[str]:
    """The names of those that say anything, fit for a header."""
    found = [name for name, value in values.items() if value is not None and value != NEUTRAL.get(name)]
    return [quote(name, safe="[]")[:SHOWN] for name in found[:NAMED]]


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
