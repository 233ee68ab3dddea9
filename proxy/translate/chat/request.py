"""Turns a chat completions request into a Turn and the options of its answer. Pure."""

from collections.abc import Callable, Sequence
from functools import partial

from ...errors import BadRequest
from ...events import JsonObject, ServerTool, Turn
from ..common.dialect import ParsedRequest, RequestContext
from ..common.effect import set_in, without_effect
from ..common.filters import Filter, JsonOnly, StopCut
from ..common.json_schema import check_schema
from ..common.json_schema_drafts import upgraded
from ..common.models import resolve
from ..common.openai_completions import NEUTRAL, Unused
from ..common.repairs import Repairs
from ..common.sampling import JSON_OBJECT, clamped, stops_of
from ..common.tools import own_names
from ..common.validation import shaped, whole_numbers, without_no_limit
from ..common.web_search import search_tool
from .answer import ChatOptions, ChatReply
from .content import THOUGHTS
from .conversation import Speakers, conversation
from .schema import ChatRequest, MessageParam, Part, ResponseFormat, SearchOptions
from .tools import choice_of, custom_names, functions_of, tools_of

# Fields without effect. Each one that a client sets is named in the response header `x-claude-max-ignored`, and so are
# unknown fields.
WITHOUT_EFFECT = (*Unused.model_fields, "logprobs", "top_logprobs", "metadata", "store", "service_tier")

# Fields in which -1 means no limit.
LIMITS = ("max_tokens", "max_completion_tokens")


def to_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn in a request body, once for each choice. Raises BadRequest or ModelNotFound."""
    repairs = Repairs(strict=context.strict)
    given = whole_numbers(body, (*LIMITS, "n", "seed", "top_logprobs"), repairs)
    request = shaped(ChatRequest, without_no_limit(given, LIMITS, repairs))
    if request.audio is not None or "audio" in (request.modalities or ()):
        raise BadRequest("modalities: Claude models do not speak; ask for text.", param="modalities")
    model = resolve(request.model, context.models, context.aliases)
    system, messages = conversation(request.messages, request.system, repairs)
    tools = tools_of(request, repairs)
    ignored = _ignored(body, request)
    search = _search(request.web_search_options) if context.web_search else None
    if request.web_search_options is not None and search is None:
        ignored.append("web_search_options")
    wants_json = request.response_format is not None and request.response_format.type == "json_object"
    schema = _schema(request.response_format, repairs)
    if wants_json and schema is None:
        system = f"{system}\n\n{JSON_OBJECT}" if system else JSON_OBJECT
    wanted = request.reasoning_effort
    effort = None if wanted == "none" else "low" if wanted == "minimal" else wanted
    stops = stops_of(request.stop, repairs)
    turn = Turn(
        model=model,
        messages=messages,
        system=system,
        tools=tools if search is None else (*tools, search),
        tool_choice=choice_of(request, tools),
        schema=schema,
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stop=stops.native,
        temperature=clamped(request.temperature, ignored),
        top_p=request.top_p,
        effort=effort,
        thinking="off" if wanted == "none" else "shown" if wanted else "default",
        ask_to_continue=True,
    )
    answers = request.n or 1
    options = ChatOptions(
        include_usage=bool(request.stream_options and request.stream_options.include_usage),
        show_reasoning=effort is not None,
        legacy_function=bool(request.functions),
        names=own_names([function.name for function in functions_of(request)]),
        custom=custom_names(request),
    )
    filters: list[Callable[[], Filter]] = [JsonOnly] if wants_json and schema is None else []
    if stops.cut:
        filters.append(partial(StopCut, stops.cut))
    return ParsedRequest(
        turns=(turn,) * answers,
        reply=partial(ChatReply, options, answers),
        stream=bool(request.stream),
        ignored=tuple(dict.fromkeys(ignored)),
        repaired=repairs.names,
        filters=tuple(filters),
    )


def _ignored(body: JsonObject, request: ChatRequest) -> list[str]:
    """The names of what has no effect."""
    ignored = without_effect(body, request, WITHOUT_EFFECT, NEUTRAL)
    if request.stream_options is not None:
        ignored += [f"stream_options.{name}" for name in set_in(request.stream_options.model_extra or {}, NEUTRAL)]
    if any(tool.strict or (tool.function is not None and tool.function.strict) for tool in request.tools or ()):
        # Tools of the CLI have no such switch.
        ignored.append("tools.function.strict")
    if Speakers(request.messages).unsaid:
        ignored.append("messages.name")
    parts = [part for message in request.messages for part in _parts(message)]
    if any(_detail(part) not in (None, "auto") for part in parts):
        ignored.append("image_url.detail")
    extras = {name: value for message in request.messages for name, value in _set(message)}
    ignored += [f"messages.{name}" for name in set_in(extras, {})]
    texts = [part for each in request.messages if each.role not in ("user", "tool") for part in _parts(each)]
    if any(part.cache_control for part in texts):
        # The system prompt, and an answer, are one text each.
        ignored.append("messages.content.cache_control")
    ignored += dict.fromkeys(f"messages.content.{part.type}" for part in parts if part.type in THOUGHTS)
    unknown = {name: value for part in parts if part.type not in THOUGHTS for name, value in _set(part)}
    ignored += [f"messages.content.{name}" for name in set_in(unknown, {"detail": "auto"})]
    return ignored


def _set(item: MessageParam | Part) -> list[tuple[str, object]]:
    """The keys without effect that say something, with their values.

    Clients send answers back as they got them, with keys that are empty.
    """
    if isinstance(item, Part) and item.type == "input_file":
        # Its file is in such keys.
        return []
    extra = dict(item.model_extra or {})
    if isinstance(item, MessageParam) and item.content:
        # Only in place of a content it is read.
        extra["refusal"] = item.refusal
    return [(name, value) for name, value in extra.items() if value not in (None, "", [], {}, False)]


def _parts(message: MessageParam) -> Sequence[Part]:
    return message.content if isinstance(message.content, list) else ()


def _detail(part: Part) -> object:
    return part.image_url.get("detail") if isinstance(part.image_url, dict) else None


def _search(wanted: SearchOptions | None) -> ServerTool | None:
    if wanted is None:
        return None
    place = (wanted.user_location or {}).get("approximate")
    return search_tool(place=place if isinstance(place, dict) else None)


def _schema(wanted: ResponseFormat | None, repairs: Repairs) -> JsonObject | None:
    """The schema of the answer: OpenAI's, or in the words of llama.cpp (`schema`) and TGI (`value`)."""
    if wanted is None or wanted.type == "text":
        return None
    where = "response_format.json_schema.schema"
    found = None if wanted.json_schema is None else wanted.json_schema.schema_
    if found is None and (wanted.schema_ or wanted.value):
        where = "response_format.schema" if wanted.schema_ else "response_format.value"
        found = wanted.schema_ or wanted.value
    if found is None and wanted.type == "json_object":
        return None
    if found is None:
        raise BadRequest(f"{where} is missing.", param=where)
    made = upgraded(found)
    if made is not found:
        repairs.tell(where, "schema upgraded to draft 2020-12")
    check_schema(made, where)
    return made
