"""Turns a Messages request into a Turn. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from ...errors import BadRequest
from ...events import JsonObject, Model, Turn
from ..common.dialect import ParsedRequest, RequestContext
from ..common.effect import set_in, without_effect
from ..common.filters import PREWARM_TOKENS, PREWARMED, Filter, Prewarm, StopCut
from ..common.json_schema import check_schema
from ..common.json_schema_drafts import upgraded
from ..common.models import resolve
from ..common.repairs import Repairs
from ..common.sampling import stops_of
from ..common.tools import own_names
from ..common.validation import shaped, whole_numbers
from .answer import MessagesReply
from .conversation import check_marks, messages_of, system_of, unread
from .errors import ThreadNotFound, ThreadUnsupported
from .schema import Asked, CountRequest, MessagesRequest
from .tools import choice_of, tools_of

WITHOUT_EFFECT = ("metadata", "service_tier")
NEUTRAL: Mapping[str, object] = {"service_tier": "auto", "metadata": {}, "speed": "standard"}
BETAS = "anthropic-beta"
# Models up to this version think only if a request says so (platform.claude.com, "Troubleshooting thinking").
_SILENT = re.compile(r"claude-(?:[34]-|[a-z]+-[34](?:-|$))")


def to_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    """The Turn in the body of `POST /v1/messages`. Raises BadRequest, ModelNotFound."""
    repairs = Repairs(strict=context.strict)
    request = shaped(MessagesRequest, whole_numbers(body, ("max_tokens", "top_k"), repairs))
    stops = stops_of(request.stop_sequences, repairs, "stop_sequences")
    if stops.cut:
        refusal = "stop_sequences: each stop sequence must contain non-whitespace"
        repairs.note("stop_sequences", "white space cut here", refusal=refusal)
    turn = replace(
        _turn(request, context, repairs),
        max_tokens=request.max_tokens or PREWARM_TOKENS,
        prewarms=request.max_tokens == 0,
        stop=stops.native,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k or None,
    )
    if turn.thinking_budget is not None and turn.thinking_budget >= request.max_tokens:
        raise BadRequest("`max_tokens` must be greater than `thinking.budget_tokens`.", param="max_tokens")
    filters: list[Callable[[], Filter]] = [partial(StopCut, stops.cut)] if stops.cut else []
    if turn.prewarms:
        _check_prewarm(request)
        repairs.tell("max_tokens", PREWARMED)
        filters.append(partial(Prewarm, "max_tokens"))
    return ParsedRequest(
        turns=(turn,),
        reply=partial(MessagesReply, own_names([str(tool.get("name")) for tool in request.tools or ()])),
        stream=bool(request.stream),
        ignored=_ignored(body, request, context),
        repaired=repairs.names,
        filters=tuple(filters),
    )


def to_count(body: JsonObject, context: RequestContext) -> Turn:
    """The Turn in the body of `POST /v1/messages/count_tokens`. Raises BadRequest, ModelNotFound."""
    return _turn(shaped(CountRequest, body), context, Repairs(strict=context.strict))


def _turn(request: Asked, context: RequestContext, repairs: Repairs) -> Turn:
    """What a message and the count of its tokens read of a body alike."""
    model = resolve(request.model, context.models, context.aliases)
    if request.thread is not None and request.thread.type == "create":
        raise ThreadUnsupported("thread: no conversation is held here; send all of it in each request.", param="thread")
    if request.thread is not None:
        raise ThreadNotFound("thread: no conversation is held here; send all of it.", param="thread")
    check_marks(request)
    said, messages = messages_of(request.messages, repairs)
    system = "\n\n".join(text for text in (system_of(request.system)[0], said) if text)
    tools = tools_of(request.tools or (), web_search=context.web_search, repairs=repairs)
    return Turn(
        model=model,
        messages=messages,
        system=system,
        tools=tools,
        tool_choice=choice_of(request.tool_choice, tools),
        schema=_schema(request, repairs),
        effort=request.output_config.effort if request.output_config else None,
        thinking=_thinking(request, model, context.models),
        thinking_budget=_budget(request),
        carries_thinking=True,
        ask_to_continue=not context.strict,
    )


def _check_prewarm(request: MessagesRequest) -> None:
    """Raises BadRequest for what the service refuses beside `max_tokens: 0`; budgets are larger than any limit.

    Source: platform.claude.com, "Pre-warming the cache".
    """
    config, choice = request.output_config, request.tool_choice
    beside = {
        "stream": request.stream,
        "output_config.format": config is not None and config.format is not None,
        "output_format": request.output_format is not None,
        "tool_choice": choice is not None and choice.type in ("any", "tool"),
    }
    for name, is_set in beside.items():
        if is_set:
            raise BadRequest(f"{name}: not allowed with `max_tokens: 0`, which asks for no answer.", param=name)


def _thinking(request: Asked, model: str, offered: Sequence[Model]) -> Literal["default", "off", "shown"]:
    thinking = request.thinking
    if thinking is None:
        id = next((each.id for each in offered if each.name == model), model)
        return "off" if _SILENT.match(id) else "default"
    if thinking.type == "disabled":
        return "off"
    is_shown = thinking.type in ("enabled", "adaptive") and thinking.display != "omitted"
    return "shown" if is_shown else "default"


def _budget(request: Asked) -> int | None:
    thinking = request.thinking
    if thinking is None or thinking.type != "enabled":
        return None
    if thinking.budget_tokens is None:
        where = "thinking.enabled.budget_tokens"
        raise BadRequest(f"{where}: Field required", param=where)
    return thinking.budget_tokens


def _schema(request: Asked, repairs: Repairs) -> JsonObject | None:
    config = request.output_config
    found, where = (config.format, "output_config.format") if config and config.format else (None, "output_format")
    wanted = found or request.output_format
    if wanted is None:
        return None
    made = upgraded(wanted.schema_)
    if made is not wanted.schema_:
        repairs.tell(f"{where}.schema", "schema upgraded to draft 2020-12")
    check_schema(made, f"{where}.schema")
    return made


def _ignored(body: JsonObject, request: MessagesRequest, context: RequestContext) -> tuple[str, ...]:
    """What has no effect, by the names of the body's fields; betas by their header, the CLI asks for its own."""
    named = without_effect(body, request, WITHOUT_EFFECT, NEUTRAL)
    config, thinking = request.output_config, request.thinking
    if config is not None:
        named += [f"output_config.{name}" for name in set_in(config.model_extra or {}, {})]
    if thinking is not None and (thinking.type == "between_tools" or thinking.display == "omitted"):
        named.append("thinking.type" if thinking.type == "between_tools" else "thinking.display")
    named += system_of(request.system)[1] + unread(request.messages)
    return (*named, BETAS) if context.headers.get(BETAS) else tuple(named)
