"""Tools and tool choice of a Messages request. Pure.

Three kinds: functions of the client's; tools that Anthropic has defined and the client runs (`bash_20250124`), passed
on unchanged; tools that the service runs, of which only web search is supported, where the setting allows it.
"""

from collections.abc import Sequence

from ...errors import BadRequest
from ...events import JsonObject, ServerTool, Tool, ToolChoice
from ..common.json_schema import check_schema
from ..common.json_schema_drafts import upgraded
from ..common.names import api_name
from ..common.repairs import Repairs
from .content import has_only, mark_of
from .schema import Choice

# The client runs these, whatever their version; the search among the client's own tools costs nothing.
CLIENTS = ("bash_", "text_editor_", "computer_", "browser_toolset_", "memory_", "tool_search_tool_")
SEARCHES = ("web_search_", "web_fetch_")


def tools_of(declared: Sequence[JsonObject], *, web_search: bool, repairs: Repairs) -> tuple[Tool | ServerTool, ...]:
    """The tools, in their order. Raises BadRequest for one that is not supported."""
    tools = tuple(_tool(json, f"tools[{index}]", web_search, repairs) for index, json in enumerate(declared))
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
            name = api_name(wanted.name or "")
            if name not in {name_of(tool) for tool in tools}:
                raise BadRequest(f"tool_choice.name: no tool is named {wanted.name!r}.", param="tool_choice.name")
            return ToolChoice("named", name, parallel)


def _tool(json: JsonObject, where: str, web_search: bool, repairs: Repairs) -> Tool | ServerTool:
    kind = json.get("type") or "custom"
    if kind == "custom":
        return _function(json, where, repairs)
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
    raise BadRequest(f"{where}: {kind!r} is a tool that the service runs; it is not supported here.", param=where)


def _function(json: JsonObject, where: str, repairs: Repairs) -> Tool | ServerTool:
    name, description = _name(json, where, repairs), json.get("description", "")
    if description is None:
        description = ""
    if not isinstance(description, str):
        raise BadRequest(f"{where}.custom.description: Input should be a valid string", param=f"{where}.custom")
    schema = _schema(json, f"{where}.custom.input_schema", repairs)
    strict = json.get("strict")
    optional = {key for key in ("type", "description", "strict") if key in json}
    if not has_only(json, {"name", "input_schema", *optional} & json.keys()) or not isinstance(strict, bool | None):
        # Examples, deferred loading, other callers: the Turn has no fields for them.
        return ServerTool({**json, "name": name, "input_schema": schema})
    return Tool(name, description, schema, strict, mark_of(json))


def _name(json: JsonObject, where: str, repairs: Repairs) -> str:
    """The tool's name as the service takes it."""
    name = json.get("name")
    at = f"{where}.custom.name"
    refusal = f"{at}: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
    if not isinstance(name, str) or not name:
        raise BadRequest(refusal, param=at)
    own = api_name(name)
    if own != name:
        repairs.note(at, "sent under another name", refusal=refusal)
    return own


def _schema(json: JsonObject, where: str, repairs: Repairs) -> JsonObject:
    """The schema of a tool's input: of type object, which clients that know OpenAI's tools leave out."""
    given = json.get("input_schema")
    if given is None:
        repairs.note(where, "missing; any object is taken", refusal=f"{where}: Field required")
        given = {}
    if not isinstance(given, dict):
        raise BadRequest(f"{where}: Input should be a valid dictionary", param=where)
    if given.get("type") is None:
        repairs.note(
            where, "type object added", refusal=f"{where}.type: Input should be 'object'", param=f"{where}.type"
        )
        given = {**given, "type": "object"}
    if given["type"] != "object":
        raise BadRequest(f"{where}.type: Input should be 'object'", param=where)
    made = upgraded(given)
    if made is not given:
        repairs.tell(where, "schema upgraded to draft 2020-12")
    check_schema(made, where)
    return made
