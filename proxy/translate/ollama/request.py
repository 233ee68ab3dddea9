"""Turns ollama's requests into Turns. Pure."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ...errors import BadRequest
from ...events import JsonObject, Message, Tool, Turn
from ..common.dialect import ParsedRequest, RequestContext
from ..common.effect import set_in, without_effect
from ..common.filters import Filter, JsonOnly, StopCut
from ..common.json_schema import check_schema
from ..common.json_schema_drafts import upgraded
from ..common.models import resolve
from ..common.repairs import Repairs
from ..common.sampling import JSON_OBJECT, clamped, stops_of
from ..common.tools import Function, declared, own_names
from ..common.validation import shaped, whole_numbers
from .answer import ChatForm, Form, GenerateForm, OllamaReply
from .conversation import conversation
from .models import bare
from .schema import Asked, MessageParam, OllamaChatRequest, OllamaGenerateRequest, ToolParam

WITHOUT_EFFECT = ("keep_alive",)
NEUTRAL: Mapping[str, object] = {"raw": False, "template": "", "context": [], "logprobs": False}
EFFORTS = ("low", "medium", "high", "xhigh", "max")
# Values for the number of tokens that mean no limit, or the window's.
ENDLESS = (-1, -2, 0)


def chat_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn in the body of `POST /api/chat`. Raises BadRequest, ModelNotFound."""
    repairs = Repairs(strict=context.strict)
    request = shaped(OllamaChatRequest, _numbers(body, repairs))
    form = ChatForm()
    if not request.messages:
        return _loaded(request, context, form)
    tools = _tools(request.tools or (), repairs)
    ignored = _ignored(body, request)
    if any(message.thinking for message in request.messages):
        # It has no signature, without which the service does not accept it.
        ignored.append("messages.thinking")
    asked = _Asked(*conversation(request.messages, "", repairs), tools, own_names(_names(request.tools or ())))
    return _parsed(request, context, form, asked, ignored, repairs)


def generate_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn in the body of `POST /api/generate`. Raises BadRequest, ModelNotFound."""
    repairs = Repairs(strict=context.strict)
    request = shaped(OllamaGenerateRequest, _numbers(body, repairs))
    form = GenerateForm()
    if request.suffix:
        raise BadRequest("suffix: Claude models do not fill in the middle of a text.", param="suffix")
    if not request.prompt and not request.images:
        return _loaded(request, context, form)
    said = MessageParam(role="user", content=request.prompt, images=request.images)
    asked = _Asked(*conversation([said], request.system or "", repairs))
    return _parsed(request, context, form, asked, _ignored(body, request), repairs)


def _numbers(body: JsonObject, repairs: Repairs) -> JsonObject:
    """The body with whole numbers in its options."""
    options = body.get("options")
    if not isinstance(options, dict):
        return body
    return {**body, "options": whole_numbers(options, ("num_predict", "top_k"), repairs, "options.")}


class _Asked(NamedTuple):
    """What a request asks; `names` are the client's own of its tools, by those that the service takes."""

    system: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    names: Mapping[str, str] = {}


def _loaded(request: Asked, context: RequestContext, form: Form) -> ParsedRequest:
    """Without a prompt ollama loads the model, or unloads it: there is nothing to do for either."""
    resolve(bare(request.model), context.models, context.aliases)
    reason = "unload" if request.keep_alive in (0, "0", "0s") else "load"
    return ParsedRequest((), partial(OllamaReply, request.model, form, False, reason), request.stream is not False)


def _parsed(
    request: Asked,
    context: RequestContext,
    form: Form,
    asked: _Asked,
    ignored: list[str],
    repairs: Repairs,
) -> ParsedRequest:
    system, options = asked.system, request.options
    stops = stops_of(options.stop if options else None, repairs, "options.stop")
    filters: list[Callable[[], Filter]] = [JsonOnly] if request.format == "json" else []
    if stops.cut:
        filters.append(partial(StopCut, stops.cut))
    if request.format == "json":
        system = f"{system}\n\n{JSON_OBJECT}" if system else JSON_OBJECT
    thinks = request.think
    if isinstance(thinks, str) and thinks not in EFFORTS:
        raise BadRequest(f"think: must be true, false or one of {', '.join(EFFORTS)}.", param="think")
    limit = options.num_predict if options else None
    turn = Turn(
        model=resolve(bare(request.model), context.models, context.aliases),
        messages=asked.messages,
        system=system,
        tools=asked.tools,
        schema=_schema(request, repairs),
        max_tokens=None if limit in ENDLESS else limit,
        stop=stops.native,
        temperature=clamped(options.temperature if options else None, ignored),
        top_p=options.top_p if options else None,
        top_k=(options.top_k or None) if options else None,
        effort=thinks if isinstance(thinks, str) else None,
        thinking="default" if thinks is None else "shown" if thinks else "off",
        ask_to_continue=True,
    )
    ignored = ["options.temperature" if name == "temperature" else name for name in ignored]
    return ParsedRequest(
        turns=(turn,),
        reply=partial(OllamaReply, request.model, form, bool(thinks), "stop", names=asked.names),
        stream=request.stream is not False,
        ignored=tuple(ignored),
        repaired=repairs.names,
        filters=tuple(filters),
    )


def _names(given: Sequence[ToolParam]) -> list[str]:
    return [tool.function.name for tool in given]


def _tools(given: Sequence[ToolParam], repairs: Repairs) -> tuple[Tool, ...]:
    for index, tool in enumerate(given):
        if tool.type != "function":
            where = f"tools[{index}].type"
            raise BadRequest(f"{where}: only functions are supported, not {tool.type!r}.", param=where)
    functions = [tool.function for tool in given]
    return declared(
        [
            Function(f"tools[{index}].function", each.name, each.description, each.parameters)
            for index, each in enumerate(functions)
        ],
        repairs=repairs,
    )


def _schema(request: Asked, repairs: Repairs) -> JsonObject | None:
    if not isinstance(request.format, dict):
        return None
    made = upgraded(request.format)
    if made is not request.format:
        repairs.tell("format", "schema upgraded to draft 2020-12")
    check_schema(made, "format")
    return made


def _ignored(body: JsonObject, request: Asked) -> list[str]:
    named = without_effect(body, request, WITHOUT_EFFECT, NEUTRAL)
    if request.options is not None:
        named += [f"options.{name}" for name in set_in(request.options.model_extra or {}, {})]
    return named
