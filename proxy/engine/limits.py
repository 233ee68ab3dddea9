"""What a Turn asks for beyond its text, as settings of a running CLI. Pure.

`apply_flag_settings` takes `model`, `effortLevel` and `env`; two variables carry the rest:
CLAUDE_CODE_MAX_OUTPUT_TOKENS sets `max_tokens`, CLAUDE_CODE_EXTRA_BODY (documented by Claude Code) is a JSON object
merged into the API request. Values stay until they are reset key by key, so a change is always computed from what the
worker holds. The extra body can override anything, `model` included: it is composed here, field by field, and never
holds a client's own fields.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import orjson

from ..events import JsonObject, ToolChoice, Turn

MAX_TOKENS = "CLAUDE_CODE_MAX_OUTPUT_TOKENS"
EXTRA_BODY = "CLAUDE_CODE_EXTRA_BODY"

# The API's smallest thinking budget: below it the CLI itself asks for what the API refuses (2.1.330, Haiku 4.5).
THINKING_ROOM = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings a worker runs with. Empty strings and None mean the CLI's own default."""

    model: str
    effort: str | None = None
    max_tokens: int | None = None
    extra_body: str = ""


def limits(turn: Turn, without: AbstractSet[str] = frozenset()) -> Limits:
    """The settings this Turn needs; `without` names what its model refuses (keys of `negotiate.WORDS`)."""
    body = extra_body(turn, without)
    return Limits(
        model=turn.model,
        effort=turn.effort if "effort" not in without else None,
        max_tokens=turn.max_tokens,
        extra_body=orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode() if body else "",
    )


def extra_body(turn: Turn, without: AbstractSet[str] = frozenset()) -> JsonObject:
    """The API fields of this Turn that the CLI has no setting for.

    The API refuses a forced tool choice, a `temperature` other than 1 and `top_p` below 0.95 while thinking is on, and
    under a small token limit thinking would leave nothing for the answer; so each of these turns thinking off, unless
    the client asked for thinking by an effort.
    """
    body: JsonObject = {}
    if turn.stop and "stop" not in without:
        body["stop_sequences"] = list(turn.stop)
    choice = _tool_choice(turn.tool_choice) if turn.tools and "tool_choice" not in without else None
    is_forced = choice is not None and choice["type"] in ("any", "tool")
    if choice is not None:
        body["tool_choice"] = choice
    if turn.schema is not None and "schema" not in without:
        body["output_config"] = {"format": {"type": "json_schema", "schema": turn.schema}}
    if turn.thinking != "shown":
        if turn.temperature is not None and "temperature" not in without:
            body["temperature"] = turn.temperature
        if turn.top_p is not None and "top_p" not in without:
            body["top_p"] = turn.top_p
    if "thinking" not in without:
        if turn.thinking == "shown" and not is_forced:
            body["thinking"] = {"type": "adaptive", "display": "summarized"}
        elif turn.thinking == "off" or is_forced or _excludes_thinking(turn, body):
            body["thinking"] = {"type": "disabled"}
    return body


def carried(turn: Turn, without: AbstractSet[str] = frozenset()) -> frozenset[str]:
    """What of this Turn reaches the API, by the Turn's own names."""
    body = extra_body(turn, without)
    names = {"stop_sequences": "stop", "output_config": "schema"}
    effort = {"effort"} if turn.effort and "effort" not in without else set()
    return frozenset({names.get(field, field) for field in body} | effort)


def dropped(turn: Turn, without: AbstractSet[str] = frozenset()) -> frozenset[str]:
    """What this Turn asks for and does not get: by its own contradictions, or because of `without`."""
    asked = {
        "temperature": turn.temperature not in (None, 1),
        "top_p": turn.top_p not in (None, 1),
        "stop": bool(turn.stop),
        "effort": turn.effort is not None,
        "thinking": turn.thinking != "default",
        # A forced choice has another way: to be told in words.
        "tool_choice": bool(turn.tools)
        and turn.tool_choice in (ToolChoice("none"), ToolChoice("auto", parallel=False)),
    }
    reaching = set(carried(turn, without))
    if turn.thinking == "shown" and extra_body(turn, without).get("thinking") == {"type": "disabled"}:
        reaching.discard("thinking")
    return frozenset(name for name, wanted in asked.items() if wanted and name not in reaching)


def change(held: Limits | None, wanted: Limits) -> JsonObject:
    """The `settings` of an `apply_flag_settings` request that turns `held` into `wanted`; empty when nothing differs.

    `held` None means a process that was never told anything.
    """
    settings: JsonObject = {}
    env: JsonObject = {}
    before = held or Limits(model="")
    if before.model != wanted.model:
        settings["model"] = wanted.model
    if before.effort != wanted.effort:
        settings["effortLevel"] = wanted.effort
    if before.max_tokens != wanted.max_tokens:
        env[MAX_TOKENS] = "" if wanted.max_tokens is None else str(wanted.max_tokens)
    if before.extra_body != wanted.extra_body:
        env[EXTRA_BODY] = wanted.extra_body
    return {**settings, "env": env} if env else settings


def _excludes_thinking(turn: Turn, body: JsonObject) -> bool:
    small = turn.max_tokens is not None and turn.max_tokens <= THINKING_ROOM
    return small or body.get("temperature", 1) != 1 or body.get("top_p", 1) < 0.95


def _tool_choice(choice: ToolChoice) -> JsonObject | None:
    """The API's `tool_choice`, None where its default says the same."""
    kind = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}[choice.mode]
    body: JsonObject = {"type": kind}
    if choice.name is not None:
        body["name"] = choice.name
    if not choice.parallel and kind != "none":
        body["disable_parallel_tool_use"] = True
    return body if body != {"type": "auto"} else None
