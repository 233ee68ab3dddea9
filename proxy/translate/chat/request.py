"""A chat completions request becomes a Turn, and what its answer must look like. Pure."""

from collections.abc import Sequence
from functools import partial

from ...errors import BadRequest
from ...events import JsonObject, ServerTool, Turn
from ..common.dialect import ParsedRequest, RequestContext
from ..common.effect import set_in, without_effect
from ..common.json_schema import check_schema
from ..common.models import resolve
from ..common.openai_completions import NEUTRAL, Unused
from ..common.sampling import JSON_OBJECT, clamped, stop_of
from ..common.validation import shaped
from ..common.web_search import search_tool
from .answer import ChatOptions, ChatReply
from .conversation import conversation
from .schema import ChatRequest, MessageParam, Part, ResponseFormat, SearchOptions
from .tools import choice_of, tools_of

# Fields of the shape that have no effect. Each that a client sets is named in the response header
# `x-claude-max-ignored`, and so is whatever is no field of the shape.
WITHOUT_EFFECT = (*Unused.model_fields, "logprobs", "top_logprobs", "metadata", "store", "service_tier")


def to_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn in a request body, once for each choice. Raises BadRequest or ModelNotFound."""
    request = shaped(ChatRequest, body)
    model = resolve(request.model, context.models, context.aliases)
    system, messages = conversation(request.messages)
    tools = tools_of(request)
    ignored = without_effect(body, request, WITHOUT_EFFECT, NEUTRAL)
    if request.stream_options is not None:
        ignored += [f"stream_options.{name}" for name in set_in(request.stream_options.model_extra or {}, NEUTRAL)]
    if any(tool.function is not None and tool.function.strict for tool in request.tools or ()):
        # Tools of the CLI have no such switch.
        ignored.append("tools.function.strict")
    if any(message.name for message in request.messages if message.role not in ("tool", "function")):
        ignored.append("messages.name")
    if any(_detail(part) not in (None, "auto") for message in request.messages for part in _parts(message)):
        ignored.append("image_url.detail")
    search = _search(request.web_search_options) if context.web_search else None
    if request.web_search_options is not None and search is None:
        ignored.append("web_search_options")
    if request.response_format is not None and request.response_format.type == "json_object":
        system = f"{system}\n\n{JSON_OBJECT}" if system else JSON_OBJECT
    wanted = request.reasoning_effort
    effort = None if wanted == "none" else "low" if wanted == "minimal" else wanted
    turn = Turn(
        model=model,
        messages=messages,
        system=system,
        tools=tools if search is None else (*tools, search),
        tool_choice=choice_of(request, tools),
        schema=_schema(request.response_format),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stop=stop_of(request.stop),
        temperature=clamped(request.temperature, ignored),
        top_p=request.top_p,
        effort=effort,
        thinking="off" if wanted == "none" else "shown" if wanted else "default",
    )
    answers = request.n or 1
    options = ChatOptions(
        include_usage=bool(request.stream_options and request.stream_options.include_usage),
        show_reasoning=effort is not None,
        legacy_function=request.functions is not None,
    )
    return ParsedRequest(
        turns=(turn,) * answers,
        reply=partial(ChatReply, options, answers),
        stream=bool(request.stream),
        ignored=tuple(ignored),
    )


def _parts(message: MessageParam) -> Sequence[Part]:
    return message.content if isinstance(message.content, list) else ()


def _detail(part: Part) -> object:
    return part.image_url.get("detail") if isinstance(part.image_url, dict) else None


def _search(wanted: SearchOptions | None) -> ServerTool | None:
    if wanted is None:
        return None
    place = (wanted.user_location or {}).get("approximate")
    return search_tool(place=place if isinstance(place, dict) else None)


def _schema(wanted: ResponseFormat | None) -> JsonObject | None:
    if wanted is None or wanted.type != "json_schema":
        return None
    where = "response_format.json_schema.schema"
    if wanted.json_schema is None or wanted.json_schema.schema_ is None:
        raise BadRequest(f"{where} is missing.", param=where)
    check_schema(wanted.json_schema.schema_, where)
    return wanted.json_schema.schema_
