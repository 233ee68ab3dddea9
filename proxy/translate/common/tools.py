"""Functions: their declarations, and which of them must be called. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from ...errors import BadRequest
from ...events import JsonObject, Tool, ToolChoice
from ..chat.schema import ChatRequest, FunctionParam
from .json_schema import check_schema

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
LIMIT = 128


def tools_of(request: ChatRequest) -> tuple[Tool, ...]:
    """The request's functions (`tools`, or the legacy `functions`). Raises BadRequest."""
    if request.tools is not None and request.functions is not None:
        raise BadRequest("functions: use `tools` or `functions`, not both.", param="functions")
    named: list[tuple[str, FunctionParam]] = [(f"functions[{i}]", f) for i, f in enumerate(request.functions or ())]
    for index, tool in enumerate(request.tools or ()):
        where = f"tools[{index}]"
        if tool.type != "function":
            raise BadRequest(f"{where}.type: only functions are carried, not {tool.type!r}.", param=f"{where}.type")
        if tool.function is None:
            raise BadRequest(f"{where}.function is missing.", param=f"{where}.function")
        named.append((f"{where}.function", tool.function))
    if len(named) > LIMIT:
        raise BadRequest(f"tools: {len(named)} tools, at most {LIMIT} are allowed.", param="tools")
    tools = tuple(_tool(function, where) for where, function in named)
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            raise BadRequest(f"tools: the name {name!r} is given twice.", param="tools")
    allowed = _allowed(request.tool_choice)
    if allowed is None:
        return tools
    unknown = allowed.difference(names)
    if unknown:
        raise BadRequest(f"tool_choice: no function is named {min(unknown)!r}.", param="tool_choice")
    return tuple(tool for tool in tools if tool.name in allowed)


def _allowed(choice: Any) -> set[str] | None:
    """The names in a `tool_choice` of type `allowed_tools`: the others are not offered. None for any other choice.

    Raises BadRequest where it has none.
    """
    match choice:
        case {"type": "allowed_tools", "allowed_tools": {"tools": list(tools)}}:
            if tools:
                return {str(_function(tool).get("name")) for tool in tools}
            raise BadRequest("tool_choice: allowed_tools names no tool.", param="tool_choice")
        case {"type": "allowed_tools"}:
            raise BadRequest("tool_choice: allowed_tools must name its tools in a list.", param="tool_choice")
    return None


def _function(tool: Any) -> JsonObject:
    """The `function` of an allowed tool; an empty one, which names nothing, for anything else."""
    found = tool.get("function") if isinstance(tool, dict) else None
    return found if isinstance(found, dict) else {}


def _tool(function: FunctionParam, where: str) -> Tool:
    if not _NAME.fullmatch(function.name):
        raise BadRequest(
            f"{where}.name: {function.name!r} must be 1 to 64 letters, digits, dashes or underscores.",
            param=f"{where}.name",
        )
    parameters = {"type": "object", "properties": {}, **(function.parameters or {})}
    if parameters["type"] != "object":
        raise BadRequest(f"{where}.parameters must be a schema of type object.", param=f"{where}.parameters")
    check_schema(parameters, f"{where}.parameters")
    return Tool(function.name, function.description or "", parameters)


def choice_of(request: ChatRequest, tools: Sequence[Tool]) -> ToolChoice:
    """The request's `tool_choice` (or legacy `function_call`) and `parallel_tool_calls`. Raises BadRequest."""
    parallel = request.parallel_tool_calls is not False and request.functions is None
    field = "function_call" if request.tool_choice is None and request.function_call is not None else "tool_choice"
    wanted: Any = request.function_call if field == "function_call" else request.tool_choice
    match wanted:
        case None | "auto":
            return ToolChoice("auto", parallel=parallel)
        case "none":
            return ToolChoice("none", parallel=parallel)
        case "required" if tools:
            return ToolChoice("required", parallel=parallel)
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode}}:
            return ToolChoice(mode, parallel=parallel)
        case {"type": "function", "function": {"name": str(name)}} | {"name": str(name)}:
            if name not in [tool.name for tool in tools]:
                raise BadRequest(f"{field}: no function is named {name!r}.", param=field)
            return ToolChoice("named", name, parallel=parallel)
        case "required":
            raise BadRequest(f"{field}: 'required' needs tools.", param=field)
    raise BadRequest(f"{field}: must be none, auto, required or a function by its name.", param=field)
