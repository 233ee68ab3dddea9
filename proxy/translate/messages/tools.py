"""Tools of a Messages request, and which of them must be called. Pure.

Three kinds: functions of the client's; tools that Anthropic has defined and the client runs (`bash_20250124`), carried
as they are; tools that the service runs, of which only the search of the web can be had, where the setting allows it.
"""

import re
from collections.abc import Sequence

from ...errors import BadRequest
from ...events import JsonObject, ServerTool, Tool, ToolChoice
from ..common.json_schema import check_schema
from .content import has_only, mark_of
from .schema import Choice

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
# The client runs these, whatever their version; and the search among the client's own tools costs nothing.
CLIENTS = ("bash_", "text_editor_", "computer_", "browser_toolset_", "memory_", "tool_search_tool_")
SEARCHES = ("web_search_", "web_fetch_")


def tools_of(declared: Sequence[JsonObject], *, web_search: bool) -> tuple[Tool | ServerTool, ...]:
    """The tools, in their order. Raises BadRequest for one that cannot be carried."""
    tools = tuple(_tool(json, f"tools[{index}]", web_search) for index, json in enumerate(declared))
    names: set[str] = set()
    for tool in tools:
        name = name_of(tool)
        if name and name in names:
            raise BadRequest(f"tools: Tool names must be unique; {name!r} is given twice.", param="tools")
        names.add(name)
    return tools


def name_of(tool: Tool | ServerTool) -> str:
    """The name that a choice knows it by, empty for a set of tools that has none."""
    return tool.name if isinstance(tool, Tool) else str(tool.json.get("name") or "")


def choice_of(wanted: Choice | None, tools: Sequence[Tool | ServerTool]) -> ToolChoice:
    """The choice. Raises BadRequest where there is no such tool."""
    if wanted is None:
        return ToolChoice()
    parallel = not wanted.disable_parallel_tool_use
    if not tools and wanted.type != "none":
        raise BadRequest("tool_choice: tool_choice may only be specified while providing tools.", param="tool_choice")
    match wanted.type:
        case "auto" | "none" as mode:
            return ToolChoice(mode, parallel=parallel)
        case "any":
            return ToolChoice("required", parallel=parallel)
        case "tool":
            if wanted.name not in {name_of(tool) for tool in tools}:
                raise BadRequest(f"tool_choice.name: no tool is named {wanted.name!r}.", param="tool_choice.name")
            return ToolChoice("named", wanted.name, parallel)


def _tool(json: JsonObject, where: str, web_search: bool) -> Tool | ServerTool:
    kind = json.get("type") or "custom"
    if kind == "custom":
        return _function(json, where)
    if not isinstance(kind, str):
        raise BadRequest(f"{where}.type: Input should be a valid string", param=f"{where}.type")
    if kind.startswith(CLIENTS) or (web_search and kind.startswith(SEARCHES)):
        return ServerTool(json)
    if kind.startswith(SEARCHES):
        raise BadRequest(
            f"{where}: {kind!r} is a tool that the service runs, and searching the web is turned off here.",
            hint="The setting web_search turns it on.",
            param=where,
        )
    raise BadRequest(f"{where}: {kind!r} is a tool that the service runs; it is not carried here.", param=where)


def _function(json: JsonObject, where: str) -> Tool | ServerTool:
    name, schema, description = json.get("name"), json.get("input_schema"), json.get("description", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadRequest(
            f"{where}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'", param=f"{where}.custom.name"
        )
    if not isinstance(description, str):
        raise BadRequest(f"{where}.custom.description: Input should be a valid string", param=f"{where}.custom")
    at = f"{where}.custom.input_schema"
    if not isinstance(schema, dict):
        raise BadRequest(f"{at}: Field required", param=at)
    if schema.get("type") != "object":
        raise BadRequest(f"{at}.type: Input should be 'object'", param=at)
    check_schema(schema, at)
    strict = json.get("strict")
    optional = {key for key in ("type", "description", "strict") if key in json}
    if not has_only(json, {"name", "input_schema", *optional}) or not isinstance(strict, bool | None):
        # Examples, deferred loading, other callers: the vocabulary has no words for them.
        return ServerTool(json)
    return Tool(name, description, schema, strict, mark_of(json))
