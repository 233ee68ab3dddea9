"""The parameters of the API request that a Turn becomes. Pure.

Every field given in `CLAUDE_CODE_EXTRA_BODY` replaces the CLI's own (Claude Code documents the variable; measured on
2.1.222 to 2.1.332), except `output_config`, into which the CLI adds the effort. Three fields are never given: `system`,
where the CLI identifies itself, `model` and `stream`. A client's own fields are never merged in: each is composed here.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ...events import JsonObject, ServerTool, Tool, ToolChoice, Turn

# The API's smallest thinking budget, in tokens.
LEAST_BUDGET = 1024
# The API's smallest `top_p` while thinking is on.
LEAST_TOP_P = 0.95
DISABLED: JsonObject = {"type": "disabled"}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the CLI asks for by itself with a model: its `max_tokens` and its `thinking` (None for no such field)."""

    max_tokens: int = 32_000
    thinking: JsonObject | None = None


def parameters(turn: Turn, defaults: Defaults, without: AbstractSet[str] = frozenset()) -> JsonObject:
    """The request without its messages and tools, as far as it differs from the CLI's own.

    The API refuses a forced tool choice, a `temperature` other than 1 and `top_p` below 0.95 while thinking is on, and
    under a small token limit thinking would leave nothing for the answer; so each of these turns thinking off, unless
    the client asked for thinking by an effort. Neutral values are not sent: models that refuse the parameter refuse
    them too. Models since Opus 4.1 refuse `temperature` beside `top_p`; the temperature stays.
    """
    body: JsonObject = {}
    if turn.max_tokens is not None:
        body["max_tokens"] = turn.max_tokens
    if turn.stop and "stop" not in without:
        body["stop_sequences"] = list(turn.stop)
    choice = _tool_choice(turn.tool_choice) if turn.tools and "tool_choice" not in without else None
    if choice is not None:
        body["tool_choice"] = choice
    if turn.schema is not None and "schema" not in without:
        body["output_config"] = {"format": {"type": "json_schema", "schema": turn.schema}}
    body |= _sampling(turn, defaults, without)
    if "thinking" not in without:
        thinking = _thinking(turn, body, defaults, may_have_budget="thinking_budget" not in without)
        if thinking is not None:
            body["thinking"] = thinking
    return body


def carried(turn: Turn, defaults: Defaults, without: AbstractSet[str] = frozenset()) -> dict[str, str]:
    """What of this Turn reaches the API, by the Turn's own names, each with the kind of its value.

    A model that refuses one kind may take another: of thinking, of tool choice, a level of effort. The kind is empty
    where that is not known of a parameter.
    """
    body = parameters(turn, defaults, without)
    names = {"stop_sequences": "stop", "output_config": "schema"}
    found = {names.get(field, field): "" for field in body}
    if "thinking" in body:
        found["thinking"] = body["thinking"]["type"]
        if _has_own_budget(turn, body, defaults):
            found["thinking_budget"] = ""
    if "tool_choice" in body:
        found["tool_choice"] = body["tool_choice"]["type"]
    if turn.effort is not None and "effort" not in without:
        found["effort"] = turn.effort
    if "strict" not in without and any(map(_is_strict, turn.tools)):
        found["strict"] = ""
    return found


def dropped(turn: Turn, defaults: Defaults, without: AbstractSet[str] = frozenset()) -> frozenset[str]:
    """What this Turn asks for and does not get: by its own contradictions, or because of `without`."""
    asked = {
        "temperature": turn.temperature not in (None, 1),
        "top_p": turn.top_p not in (None, 1),
        "top_k": turn.top_k is not None,
        "stop": bool(turn.stop),
        "effort": turn.effort is not None,
        "strict": any(map(_is_strict, turn.tools)),
        "thinking": turn.thinking != "default" or turn.thinking_budget is not None,
        # A forced choice has another way: to be told in words.
        "tool_choice": bool(turn.tools)
        and turn.tool_choice in (ToolChoice("none"), ToolChoice("auto", parallel=False)),
    }
    reaching = set(carried(turn, defaults, without))
    wants_thinking = turn.thinking == "shown" or turn.thinking_budget is not None
    thinking = parameters(turn, defaults, without).get("thinking", DISABLED)
    if wants_thinking and thinking == DISABLED:
        reaching.discard("thinking")
    lost = {name for name, wanted in asked.items() if wanted and name not in reaching}
    # With the thinking itself its budget is lost, too.
    if turn.thinking_budget is not None and thinking["type"] == "adaptive":
        lost.add("thinking_budget")
    return frozenset(lost)


def tool_names(turn: Turn) -> tuple[str, ...]:
    """The names of all tools of a Turn."""
    return tuple(str(tool.json.get("name")) if isinstance(tool, ServerTool) else tool.name for tool in turn.tools)


def _has_own_budget(turn: Turn, body: JsonObject, defaults: Defaults) -> bool:
    """Whether the budget is the client's, with a model that could think without one."""
    is_needed = (defaults.thinking or {}).get("type") == "enabled"
    return turn.thinking_budget is not None and body["thinking"]["type"] == "enabled" and not is_needed


def _is_strict(tool: Tool | ServerTool) -> bool:
    return bool(tool.json.get("strict") if isinstance(tool, ServerTool) else tool.strict)


def _sampling(turn: Turn, defaults: Defaults, without: AbstractSet[str]) -> JsonObject:
    # With thinking off the CLI itself sends a temperature of 1 to models that think with a budget, beside which they
    # take no `top_p`.
    has_budget = (defaults.thinking or {}).get("type") == "enabled"
    if turn.thinking == "shown" or turn.thinking_budget is not None:
        return {}
    body: JsonObject = {}
    if turn.temperature not in (None, 1) and "temperature" not in without:
        body["temperature"] = turn.temperature
    elif turn.top_p not in (None, 1) and "top_p" not in without and not (has_budget and turn.top_p < LEAST_TOP_P):
        body["top_p"] = turn.top_p
    if turn.top_k is not None and "top_k" not in without:
        body["top_k"] = turn.top_k
    return body


def _thinking(turn: Turn, body: JsonObject, defaults: Defaults, *, may_have_budget: bool) -> JsonObject | None:
    """The `thinking` field, None where the CLI's own is right.

    The CLI's own budget is not: it knows nothing of the `max_tokens` in the body. A client's budget that the model does
    not take (`may_have_budget` False) is thinking without one.
    """
    own = defaults.thinking or {}
    most = body.get("max_tokens", defaults.max_tokens) - 1
    is_forced = body.get("tool_choice", {}).get("type") in ("any", "tool")
    if turn.thinking_budget is not None and may_have_budget and not is_forced:
        return {"type": "enabled", "budget_tokens": turn.thinking_budget, "display": "summarized"}
    if turn.thinking == "off" or is_forced:
        return DISABLED
    has_budget = own.get("type") == "enabled"
    # With a budget the last message of the assistant's would have to begin with thinking.
    continues = bool(turn.messages) and turn.messages[-1].role == "assistant"
    if has_budget and (most < LEAST_BUDGET or continues):
        return DISABLED
    if turn.thinking == "shown" or turn.thinking_budget is not None:
        shown: JsonObject = {"budget_tokens": min(own["budget_tokens"], most)} if has_budget else {}
        return {"type": own.get("type", "adaptive"), **shown, "display": "summarized"}
    # Later requests find the prompt in the cache only if they think alike.
    has_room = most >= LEAST_BUDGET or turn.prewarms
    if not has_room or "temperature" in body or body.get("top_p", 1) < LEAST_TOP_P or "top_k" in body:
        return DISABLED
    return {**own, "budget_tokens": min(own["budget_tokens"], most)} if has_budget else None


def _tool_choice(choice: ToolChoice) -> JsonObject | None:
    """The API's `tool_choice`, None where its default says the same."""
    kind = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}[choice.mode]
    body: JsonObject = {"type": kind}
    if choice.name is not None:
        body["name"] = choice.name
    if not choice.parallel and kind != "none":
        body["disable_parallel_tool_use"] = True
    return body if body != {"type": "auto"} else None
