"""Turns a Responses request into a Turn and the options of its answer. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ...errors import BadRequest, NotFound
from ...events import JsonObject, ToolChoice, Turn
from ..common.dialect import ParsedRequest, Reply, RequestContext, ResponseMeta
from ..common.effect import set_in, without_effect
from ..common.filters import PREWARM_TOKENS, PREWARMED, Filter, JsonOnly, Prewarm
from ..common.json_schema import check_schema
from ..common.json_schema_drafts import upgraded
from ..common.models import resolve
from ..common.repairs import Repairs
from ..common.sampling import JSON_OBJECT, clamped
from ..common.validation import shaped, whole_numbers, without_no_limit
from .answer import ResponsesReply
from .compaction import PROMPT, TRIGGER, CompactedReply, CompactionReply
from .errors import PreviousNotFound
from .items import WITH_TOOLS, History, history
from .kept import Asked
from .options import Options
from .schema import Format, Item, ResponsesRequest, ToolParam
from .tools import Named, chosen, toolbox

Replying = Callable[[Options, Mapping[str, Named], Asked, ResponseMeta], Reply]

# Fields without effect. Each one that a client sets is named in the response header `x-claude-max-ignored`, and so are
# unknown fields.
WITHOUT_EFFECT = (
    "user",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "top_logprobs",
    "truncation",
)
# Values that mean the same as leaving the parameter out.
NEUTRAL: JsonObject = {
    "service_tier": "auto",
    "truncation": "disabled",
    "top_logprobs": 0,
    "context_management": [],
    "moderation": None,
}
# Fields in which -1 means no limit.
LIMITS = ("max_output_tokens", "max_tool_calls")
ENCRYPTED = "reasoning.encrypted_content"
SOURCES = "web_search_call.action.sources"
# Values of `include` that never add anything to an answer of this server.
EMPTY_INCLUDES = (
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
)


def to_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn in a request body. Raises BadRequest, NotFound, ModelNotFound."""
    return _turned(body, context, CompactionReply)


def to_compaction(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn that sums up the conversation in a body of `POST /v1/responses/compact`. Raises as `to_turn`."""
    items = body.get("input")
    given = [{"role": "user", "content": items}] if isinstance(items, str) else items
    if isinstance(given, list):
        body = {**body, "input": [*given, {"type": TRIGGER}], "stream": False}
    return _turned(body, context, CompactedReply)


def to_count(body: JsonObject, context: RequestContext) -> Turn:
    """The Turn whose tokens `POST /v1/responses/input_tokens` counts. Raises as `to_turn`."""
    return to_turn(body, context).turns[0]


def _turned(body: JsonObject, context: RequestContext, compacting: Replying) -> ParsedRequest:
    _require_carried(body)
    repairs = Repairs(strict=context.strict)
    given = whole_numbers(body, (*LIMITS, "top_logprobs"), repairs)
    request = shaped(ResponsesRequest, without_no_limit(given, LIMITS, repairs))
    if not (isinstance(request.input, list) and request.input and request.input[-1].type == TRIGGER):
        return _parsed(body, request, context, ResponsesReply, repairs)
    # Everything before the trigger is the same as in other requests, so it is in the service's cache.
    asked = _parsed(body, _asked_for_summary(request), context, compacting, repairs)
    return replace(
        asked, turns=tuple(replace(turn, tool_choice=ToolChoice("none"), schema=None) for turn in asked.turns)
    )


def _asked_for_summary(request: ResponsesRequest) -> ResponsesRequest:
    """The request with its trigger in words."""
    items = request.input if isinstance(request.input, list) else []
    asking = Item(type="message", role="user", content=PROMPT)
    return request.model_copy(update={"input": [*items[:-1], asking], "store": False})


def _parsed(
    body: JsonObject, request: ResponsesRequest, context: RequestContext, replying: Replying, repairs: Repairs
) -> ParsedRequest:
    model = resolve(request.model, context.models, context.aliases)
    own = _own_items(body, request, context)
    before = _before(request, context)
    read = history(request.instructions, [*before, *own], repairs)
    offered = _tools(request, [*before, *own])
    box = toolbox(offered, web_search=context.web_search, searches=request.max_tool_calls, repairs=repairs)
    box, choice = chosen(request.tool_choice, box, parallel=request.parallel_tool_calls is not False)
    ignored = [*_ignored(body, request, searches=box.search is not None), *box.ignored, *read.ignored]
    wanted = request.reasoning.effort if request.reasoning else None
    options = _options(body, request, context)
    form = request.text.format if request.text else None
    caching = request.prompt_cache_options
    is_prewarm = caching is not None and caching.prewarm is True
    turn = Turn(
        model=model,
        messages=read.messages,
        system=_system(read, form),
        tools=box.tools,
        tool_choice=choice,
        schema=_schema(form, repairs),
        max_tokens=PREWARM_TOKENS if is_prewarm else request.max_output_tokens,
        temperature=clamped(request.temperature, ignored),
        top_p=request.top_p,
        effort=None if wanted == "none" else "low" if wanted == "minimal" else wanted,
        thinking="off" if wanted == "none" else "shown" if options.summaries else "default",
        ask_to_continue=True,
        prewarms=is_prewarm,
    )
    filters: list[Callable[[], Filter]] = [JsonOnly] if form is not None and form.type == "json_object" else []
    if turn.prewarms:
        repairs.tell("prompt_cache_options.prewarm", PREWARMED)
        filters.append(partial(Prewarm, "end_turn"))
    asked = Asked(tuple(_plain(item) for _, item in own), request.previous_response_id, options.store)
    return ParsedRequest(
        turns=(turn,),
        reply=partial(replying, options, box.names, asked),
        stream=bool(request.stream),
        ignored=tuple(dict.fromkeys(ignored)),
        repaired=repairs.names,
        filters=tuple(filters),
    )


def _require_carried(body: JsonObject) -> None:
    """Raises BadRequest for what has a meaning that cannot be kept here."""
    if "input" not in body and "messages" in body:
        raise BadRequest(
            "messages: this endpoint takes `input`.", hint="Or use /v1/chat/completions.", param="messages"
        )
    if body.get("background"):
        raise BadRequest("background: answers are not made in the background here.", param="background")
    if body.get("conversation") is not None:
        raise BadRequest(
            "conversation: there are no conversation objects here.",
            hint="Use previous_response_id, or send the items again.",
            param="conversation",
        )
    if body.get("prompt") is not None:
        raise BadRequest(
            "prompt: there are no prompt templates here.", hint="Send `instructions` and `input`.", param="prompt"
        )


def _own_items(body: JsonObject, request: ResponsesRequest, context: RequestContext) -> list[tuple[str, Item]]:
    """The items of this request, those that it only names put in."""
    if isinstance(request.input, str):
        return [("input", Item(type="message", role="user", content=request.input))]
    found = []
    for index, item in enumerate(request.input):
        where = f"input[{index}]"
        if item.type == "item_reference" or (item.type == "reasoning" and not item.encrypted_content):
            kept = context.kept.items.get(item.id or "")
            if kept is None and item.type == "item_reference":
                raise NotFound(
                    f"Item with id '{item.id}' not found. Items are not persisted when `store` is set to false. Try "
                    "again with `store` set to true, or remove this item from your input.",
                    param="input",
                )
            item = item if kept is None else Item.model_validate(kept)
        found.append((where, item))
    return found


def _before(request: ResponsesRequest, context: RequestContext) -> list[tuple[str, Item]]:
    """The items of the responses that this one continues."""
    previous = request.previous_response_id
    if previous is None:
        return []
    if not context.kept.chain:
        off = "" if context.kept.on else "Storing is off here (settings responses_keep_days, responses_keep_mb)."
        raise PreviousNotFound(previous, off)
    items = (item for record in context.kept.chain for item in (*record.input, *record.output))
    return [("previous_response_id", Item.model_validate(item)) for item in items]


def _tools(request: ResponsesRequest, items: Sequence[tuple[str, Item]]) -> list[tuple[str, ToolParam]]:
    """Each tool with its path: the request's, then those that items add."""
    found = [(f"tools[{index}]", tool) for index, tool in enumerate(request.tools or ())]
    for where, item in items:
        if item.type in WITH_TOOLS:
            for index, tool in enumerate(item.tools or ()):
                if not isinstance(tool, dict):
                    raise BadRequest(f"{where}.tools[{index}] must be an object.", param=f"{where}.tools")
                found.append((f"{where}.tools[{index}]", shaped(ToolParam, tool)))
    return found


def _ignored(body: JsonObject, request: ResponsesRequest, *, searches: bool) -> list[str]:
    ignored = without_effect(body, request, WITHOUT_EFFECT, NEUTRAL)
    if request.max_tool_calls is not None and not searches:
        # It limits the calls of OpenAI's own tools only.
        ignored.append("max_tool_calls")
    if request.text is not None:
        asked: JsonObject = {"verbosity": request.text.verbosity, **(request.text.model_extra or {})}
        ignored += [f"text.{name}" for name in set_in(asked, {"verbosity": "medium"})]
    if request.reasoning is not None:
        ignored += [f"reasoning.{name}" for name in set_in(request.reasoning.model_extra or {}, {"context": "auto"})]
    if request.prompt_cache_options is not None:
        named = set_in(request.prompt_cache_options.model_extra or {}, {"mode": "implicit"})
        ignored += [f"prompt_cache_options.{name}" for name in named]
    known = (ENCRYPTED, SOURCES, *EMPTY_INCLUDES)
    ignored += [
        f"include.{name}" for name in set_in(dict.fromkeys(request.include or (), True), {}) if name not in known
    ]
    parts_of = [item.content for item in request.input if not isinstance(item, str) and isinstance(item.content, list)]
    if any(part.detail not in (None, "auto") for content in parts_of for part in content):
        ignored.append("input.content.detail")
    return ignored


def _options(body: JsonObject, request: ResponsesRequest, context: RequestContext) -> Options:
    reasoning = request.reasoning
    summary = (reasoning.summary or reasoning.generate_summary) if reasoning else None
    include = request.include or ()
    return Options(
        body={key: value for key, value in body.items() if key != "input"},
        summaries=summary not in (None, "none") and not (reasoning and reasoning.effort == "none"),
        encrypted=ENCRYPTED in include,
        sources=SOURCES in include,
        store=request.store is not False and context.kept.on,
    )


def _system(read: History, form: Format | None) -> str:
    if form is None or form.type != "json_object":
        return read.system
    return f"{read.system}\n\n{JSON_OBJECT}" if read.system else JSON_OBJECT


def _schema(form: Format | None, repairs: Repairs) -> JsonObject | None:
    if form is None or form.type != "json_schema":
        return None
    where = "text.format.schema"
    if form.schema_ is None:
        raise BadRequest(f"{where} is missing.", param=where)
    made = upgraded(form.schema_)
    if made is not form.schema_:
        repairs.tell(where, "schema upgraded to draft 2020-12")
    check_schema(made, where)
    return made


def _plain(item: Item) -> JsonObject:
    """The item as it is kept: as it came."""
    return item.model_dump(exclude_unset=True, by_alias=True)
