"""Functions of a chat request: their declarations, and which of them must be called. Pure."""

from collections.abc import Sequence
from typing import Any

from ...errors import BadRequest
from ...events import JsonObject, Tool, ToolChoice
from ..common.tools import Function, choice, declared, restricted
from .schema import ChatRequest


def tools_of(request: ChatRequest) -> tuple[Tool, ...]:
    """The request's functions (`tools`, or the legacy `functions`). Raises BadRequest."""
    if request.tools is not None and request.functions is not None:
        raise BadRequest("functions: use `tools` or `functions`, not both.", param="functions")
    named = [(f"functions[{index}]", function) for index, function in enumerate(request.functions or ())]
    for index, tool in enumerate(request.tools or ()):
        where = f"tools[{index}]"
        if tool.type != "function":
            raise BadRequest(f"{where}.type: only functions are carried, not {tool.type!r}.", param=f"{where}.type")
        if tool.function is None:
            raise BadRequest(f"{where}.function is missing.", param=f"{where}.function")
        named.append((f"{where}.function", tool.function))
    tools = declared([Function(where, each.name, each.description, each.parameters) for where, each in named])
    allowed = _allowed(request.tool_choice)
    return tools if allowed is None else restricted(tools, allowed)


def _allowed(wanted: Any) -> set[str] | None:
    """The names in a `tool_choice` of type `allowed_tools`: the others are not offered. None for any other choice.

    Raises BadRequest where it has none.
    """
    match wanted:
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
        case "required":
            return choice("required", tools, parallel=parallel, field=field)
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode}}:
            return ToolChoice(mode, parallel=parallel)
        case {"type": "function", "function": {"name": str(name)}} | {"name": str(name)}:
            return choice("named", tools, name=name, parallel=parallel, field=field)
    raise BadRequest(f"{field}: must be none, auto, required or a function by its name.", param=field)
