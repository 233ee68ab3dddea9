"""Functions and tool choice of a chat request. Pure.

Besides OpenAI's own forms, those that clients send here: Anthropic's (`name` and `input_schema`), the Responses API's
(`name` and `parameters` beside the type), and custom tools, which become a function of one text.
"""

from collections.abc import Sequence
from typing import Any

from ...errors import BadRequest
from ...events import JsonObject, Tool, ToolChoice
from ..common.repairs import REFUSING, Repairs
from ..common.tools import Function, choice, declared, restricted
from .content import mark_of
from .schema import ChatRequest, CustomParam, ToolParam

INPUT: JsonObject = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}
# Other names for the same choice: Anthropic's, and those that other servers accept.
_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required", "": "auto"}


def tools_of(request: ChatRequest, repairs: Repairs = REFUSING) -> tuple[Tool, ...]:
    """The request's functions (`tools`, or the legacy `functions`). Raises BadRequest."""
    tools = declared(functions_of(request), repairs=repairs)
    allowed = _allowed(request.tool_choice)
    return tools if allowed is None else restricted(tools, allowed)


def functions_of(request: ChatRequest) -> list[Function]:
    """The request's functions under the client's own names. Raises BadRequest."""
    if request.tools and request.functions:
        raise BadRequest("functions: use `tools` or `functions`, not both.", param="functions")
    found = [
        Function(f"functions[{index}]", each.name, each.description, each.parameters)
        for index, each in enumerate(request.functions or ())
    ]
    return found + [_function(tool, f"tools[{index}]") for index, tool in enumerate(request.tools or ())]


def custom_names(request: ChatRequest) -> frozenset[str]:
    """The names of the custom tools."""
    return frozenset(tool.custom.name for tool in request.tools or () if tool.custom is not None)


def _function(tool: ToolParam, where: str) -> Function:
    mark = mark_of(tool.cache_control)
    if tool.custom is not None:
        return Function(f"{where}.custom", tool.custom.name, _described(tool.custom), INPUT, cache=mark)
    if tool.function is not None:
        own = tool.function
        mark = mark or mark_of(own.cache_control)
        return Function(f"{where}.function", own.name, own.description, own.parameters, cache=mark)
    if tool.type not in (None, "function", "custom"):
        name = f" ({tool.name!r})" if tool.name else ""
        raise BadRequest(f"{where}.type: only functions are supported, not {tool.type!r}{name}.", param=f"{where}.type")
    if tool.name is None:
        raise BadRequest(f"{where}.function is missing.", param=f"{where}.function")
    return Function(where, tool.name, tool.description, tool.input_schema or tool.parameters, cache=mark)


def _described(custom: CustomParam) -> str:
    """The description, with the grammar that the input must follow: Claude models take none by themselves."""
    grammar = (custom.format or {}).get("grammar")
    if not isinstance(grammar, dict):
        return custom.description or ""
    told = f"The input must follow this {grammar.get('syntax')} grammar:\n{grammar.get('definition')}"
    return f"{custom.description}\n\n{told}" if custom.description else told


def _allowed(wanted: Any) -> set[str] | None:
    """The names in a `tool_choice` of type `allowed_tools`: the others are not offered. None for any other choice.

    Raises BadRequest where it has none.
    """
    match wanted:
        case {"type": "allowed_tools", "allowed_tools": {"tools": list(tools)}}:
            if tools:
                return {str(_named(tool).get("name")) for tool in tools}
            raise BadRequest("tool_choice: allowed_tools names no tool.", param="tool_choice")
        case {"type": "allowed_tools"}:
            raise BadRequest("tool_choice: allowed_tools must name its tools in a list.", param="tool_choice")
    return None


def _named(tool: Any) -> JsonObject:
    """The `function` (or `custom`) of an allowed tool; an empty one, which names nothing, for anything else."""
    found = tool.get("function") or tool.get("custom") if isinstance(tool, dict) else None
    return found if isinstance(found, dict) else {}


def choice_of(request: ChatRequest, tools: Sequence[Tool]) -> ToolChoice:
    """The request's `tool_choice` (or legacy `function_call`) and `parallel_tool_calls`. Raises BadRequest."""
    parallel = request.parallel_tool_calls is not False and not request.functions
    field = "function_call" if request.tool_choice is None and request.function_call is not None else "tool_choice"
    wanted: Any = request.function_call if field == "function_call" else request.tool_choice
    if isinstance(wanted, dict):
        parallel = parallel and wanted.get("disable_parallel_tool_use") is not True
    match wanted:
        case None:
            return ToolChoice("auto", parallel=parallel)
        case str(mode) | {"type": str(mode)} if mode in _MODES:
            if _MODES[mode] == "required":
                return choice("required", tools, parallel=parallel, field=field)
            return ToolChoice("none" if _MODES[mode] == "none" else "auto", parallel=parallel)
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode}}:
            return ToolChoice(mode, parallel=parallel)
        case (
            {"type": "function", "function": {"name": str(name)}}
            | {"type": "custom", "custom": {"name": str(name)}}
            | {"name": str(name)}
        ):
            return choice("named", tools, name=name, parallel=parallel, field=field)
    raise BadRequest(f"{field}: must be none, auto, required or a function by its name.", param=field)
