"""What the real API refuses about a request: parameters, tools, thinking. Pure.

A scripted API that took everything would let a proxy pass its tests and fail its users. The rules are those that are
publicly documented or known from reports, worded like the real messages; rules_messages.py has those of the
conversation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .reply import Failure
from .rules_messages import complaints

Body = Mapping[str, Any]
EFFORTS = ("low", "medium", "high", "xhigh", "max")  # what `initialize` lists for every model (Claude Code 2.1.330)
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def refusal(body: Body) -> Failure | None:
    """The 400 the real API would answer to `body` (a POST /v1/messages), for the first rule it breaks; else None."""
    for rule in (_limits, _conversation, _tools, _tool_choice, _sampling, _thinking, _effort):
        for message in rule(body):
            return Failure(400, "invalid_request_error", message)
    return None


def unsupported(body: Body, refuse: frozenset[str]) -> Failure | None:
    """The 400 of a model that does not take a parameter, for the first of `refuse` that `body` carries; else None.

    Each entry is a dotted path into the body (`temperature`, `output_config.format`; `effort` is short for
    `output_config.effort`), may end in `=value` (`thinking.type=disabled`), and may begin with a part of a model's name
    and a colon (`haiku:temperature`), to be refused by those models only.
    """
    for entry in sorted(refuse):
        model, _, parameter = entry.rpartition(":")
        if model not in str(body.get("model", "")):
            continue
        path, _, wanted = parameter.partition("=")
        value: Any = body
        for part in ("output_config.effort" if path == "effort" else path).split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and (not wanted or str(value) == wanted):
            return Failure(400, "invalid_request_error", f"{path}: this model does not support {parameter}")
    return None


def _conversation(body: Body) -> Iterator[str]:
    yield from complaints(body.get("messages"))
    system = body.get("system")
    for place, block in enumerate(system if isinstance(system, list) else ()):
        if not (isinstance(block, Mapping) and block.get("text")):
            yield f"system.{place}: text content blocks must be non-empty"


def _limits(body: Body) -> Iterator[str]:
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model: Field required"
    if "max_tokens" not in body:
        yield "max_tokens: Field required"
    elif not _is_number(body["max_tokens"], int):
        yield "max_tokens: Input should be a valid integer"
    elif body["max_tokens"] < 1:
        yield "max_tokens: Input should be greater than or equal to 1"
    stops = body.get("stop_sequences", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        yield "stop_sequences: Input should be a valid list of strings"
    elif not all(stop.strip() for stop in stops):
        yield "stop_sequences: each stop sequence must contain non-whitespace"


def _tools(body: Body) -> Iterator[str]:
    tools = body.get("tools", [])
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        yield "tools: Input should be a valid list"
        return
    for place, tool in enumerate(tools):
        if not isinstance(tool.get("name"), str) or not _TOOL_NAME.fullmatch(tool["name"]):
            yield f"tools.{place}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        # Tools with a type of their own run on Anthropic's side and bring no schema.
        if tool.get("type", "custom") == "custom":
            schema = tool.get("input_schema")
            if not isinstance(schema, dict):
                yield f"tools.{place}.custom.input_schema: Field required"
            elif schema.get("type") != "object":
                yield f"tools.{place}.custom.input_schema.type: Input should be 'object'"
    if len({tool.get("name") for tool in tools}) < len(tools):
        yield "tools: Tool names must be unique."


def _tool_choice(body: Body) -> Iterator[str]:
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type") if isinstance(choice, dict) else None
    if kind not in ("auto", "any", "tool", "none"):
        yield "tool_choice: Input tag does not match any of the expected tags: 'auto', 'any', 'tool', 'none'"
    elif not body.get("tools"):
        yield "tool_choice: tool_choice may only be specified while providing tools"
    elif kind == "tool" and choice.get("name") not in [tool["name"] for tool in body["tools"]]:
        yield f"tool_choice: Tool '{choice.get('name')}' not found in provided tools"
    elif kind in ("any", "tool") and _thinks(body):
        yield "Thinking may not be enabled when tool_choice forces tool use."


def _sampling(body: Body) -> Iterator[str]:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is not None and not (_is_number(value, (int, float)) and 0 <= value <= 1):
            yield f"{name}: range: 0..1"


def _thinking(body: Body) -> Iterator[str]:
    thinking = body.get("thinking")
    if thinking is None:
        return
    if not isinstance(thinking, dict) or thinking.get("type") not in ("enabled", "adaptive", "disabled"):
        yield "thinking: Input tag does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'"
        return
    if not _thinks(body):
        return
    if body.get("temperature") not in (None, 1):
        yield "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode."
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        yield "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    if thinking["type"] == "enabled":
        budget: Any = thinking.get("budget_tokens")
        if not _is_number(budget, int):
            yield "thinking.enabled.budget_tokens: Field required"
        elif budget < 1024:
            yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        elif budget >= body["max_tokens"]:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."


def _effort(body: Body) -> Iterator[str]:
    config = body.get("output_config") or {}
    effort = config.get("effort") if isinstance(config, dict) else config
    if effort is not None and effort not in EFFORTS:
        yield f"output_config.effort: Input should be {', '.join(map(repr, EFFORTS[:-1]))} or {EFFORTS[-1]!r}"


def _thinks(body: Body) -> bool:
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def _is_number(value: Any, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)
