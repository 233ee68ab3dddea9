"""Tools of a request: functions, custom tools and namespaces of both, the service's web search. Pure.

The service supports functions only, each with one name. So a custom tool, whose input is plain text, is offered as a
function of one string, and tools of a namespace are prefixed with its name. `names` maps them back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import BadRequest
from ...events import JsonObject, ServerTool, Tool, ToolChoice
from ..common.names import api_name, digest
from ..common.repairs import REFUSING, Repairs
from ..common.tools import Function, choice, declared, restricted
from ..common.validation import shaped
from ..common.web_search import NAME as SEARCH_NAME
from ..common.web_search import search_tool
from .schema import ToolParam

WEB_SEARCH = ("web_search", "web_search_preview")
# Codex's search for tools that it has not offered yet; an item of the next request has the results.
TOOL_SEARCH = "tool_search"
# The only argument of the function that represents a custom tool.
INPUT = "input"
NAME_LENGTH = 64
# Tools that OpenAI's servers run themselves, and what to do without them.
HOSTED: Mapping[str, str] = {
    "file_search": "There are no vector stores here; send files as input_file parts, or offer a function.",
    "code_interpreter": "There is no sandbox here; offer a function that runs code.",
    "computer": "Offer functions for what the computer is to do.",
    "computer_use_preview": "Offer functions for what the computer is to do.",
    "image_generation": "Claude models make no images.",
    "mcp": "Let the client connect to the MCP server and offer its tools as functions.",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A tool as the client knows it. `kind` is the type of its calls, without `_call`."""

    name: str
    namespace: str | None = None
    kind: Literal["function", "custom_tool", "tool_search"] = "function"


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What is offered to the model; `names` has the client's tool for each name of the service's."""

    functions: tuple[Tool, ...] = ()
    search: ServerTool | None = None
    names: Mapping[str, Named] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    @property
    def tools(self) -> tuple[Tool | ServerTool, ...]:
        """All of them."""
        return self.functions if self.search is None else (*self.functions, self.search)


def flat_name(name: str, namespace: str | None) -> str:
    """The service's name of a tool, the same for the same two names."""
    if not namespace:
        return name
    whole = f"{namespace}{name}" if namespace.endswith("__") else f"{namespace}__{name}"
    return whole if len(whole) <= NAME_LENGTH else f"{whole[: NAME_LENGTH - 13]}_{digest(whole)[:12]}"


def toolbox(
    tools: Sequence[tuple[str, ToolParam]],
    *,
    web_search: bool,
    searches: int | None = None,
    repairs: Repairs = REFUSING,
) -> Toolbox:
    """What a request offers; each tool with its path. Raises BadRequest.

    Without `web_search` the service's own is left out and named: coding agents offer it in every request. `searches` is
    how many of them an answer may hold.
    """
    functions: list[Function] = []
    names: dict[str, Named] = {}
    search: ServerTool | None = None
    ignored: list[str] = []
    for where, tool in tools:
        kind = _undated(tool.type)
        if kind in WEB_SEARCH:
            if web_search:
                search = _search(tool, searches)
            else:
                ignored.append(f"tools.{tool.type}")
            continue
        if kind == TOOL_SEARCH and tool.execution != "client":
            # OpenAI's servers would search tools that are all offered here.
            ignored.append(f"tools.{tool.type}")
            continue
        for at, each, space in _members(where, tool):
            function, named = _function(at, each, space, repairs)
            if api_name(function.name) in names and not where.startswith("tools["):
                # A tool that a client's search found again is already offered.
                continue
            functions.append(function)
            names[api_name(function.name)] = named
    return Toolbox(declared(functions, repairs=repairs), search, names, tuple(dict.fromkeys(ignored)))


def _undated(kind: str) -> str:
    """`web_search_2025_08_26` and `web_search_preview_2025_03_11` are versions of one tool."""
    return next((name for name in reversed(WEB_SEARCH) if kind.startswith(f"{name}_20")), kind)


def _members(where: str, tool: ToolParam) -> Iterator[tuple[str, ToolParam, ToolParam | None]]:
    """A tool itself, or those of a namespace: each with its path and its namespace."""
    if tool.type != "namespace":
        yield where, tool, None
        return
    _require_name(where, tool)
    for index, member in enumerate(tool.tools or ()):
        if index == 0 and tool.description:
            # The description of the namespace is sent once, with its first tool.
            about = f"{tool.name}: {tool.description}"
            member = member.model_copy(update={"description": f"{about}\n\n{member.description or ''}".strip()})
        yield f"{where}.tools[{index}]", member, tool


def _function(where: str, tool: ToolParam, space: ToolParam | None, repairs: Repairs) -> tuple[Function, Named]:
    if tool.type == "function" and tool.name is None and isinstance((tool.function or {}).get("name"), str):
        inner = shaped(ToolParam, {**(tool.function or {}), "type": "function"})
        repairs.note(where, "tool in the form of chat completions", refusal=f"{where}.name is missing.")
        return _function(f"{where}.function", inner, space, repairs)
    if tool.type == TOOL_SEARCH:
        named = Named(TOOL_SEARCH, None, "tool_search")
        return Function(where, TOOL_SEARCH, tool.description, tool.parameters), named
    if tool.type not in ("function", "custom"):
        raise BadRequest(
            f"{where}.type: the tool {tool.type!r} cannot be run here.",
            hint=HOSTED.get(tool.type, "Offer it as a function or a custom tool."),
            param=f"{where}.type",
        )
    name = _require_name(where, tool)
    namespace = None if space is None else space.name
    flat = flat_name(name, namespace)
    if tool.type == "custom":
        return Function(where, flat, _described(tool), _one_string(tool)), Named(name, namespace, "custom_tool")
    # Only if strict is requested: the service supports fewer schemas then.
    return Function(where, flat, tool.description, tool.parameters, tool.strict or None), Named(name, namespace)


def _require_name(where: str, tool: ToolParam) -> str:
    if not tool.name:
        raise BadRequest(f"{where}.name is missing.", param=f"{where}.name")
    return tool.name


def _one_string(tool: ToolParam) -> JsonObject:
    return {
        "type": "object",
        "properties": {INPUT: {"type": "string", "description": f"The whole input of {tool.name}, as plain text."}},
        "required": [INPUT],
        "additionalProperties": False,
    }


def _described(tool: ToolParam) -> str:
    """A custom tool's description. It includes the grammar, which the model may still violate."""
    match tool.format:
        case {"type": "grammar", "syntax": str(syntax), "definition": str(definition)}:
            rule = f"The input must match this {syntax} grammar:\n{definition}"
            return f"{tool.description}\n\n{rule}" if tool.description else rule
    return tool.description or ""


def _search(tool: ToolParam, searches: int | None) -> ServerTool:
    domains = (tool.filters or {}).get("allowed_domains") or ()
    return search_tool(domains=domains, place=tool.user_location, most=searches)


def chosen(wanted: Any, box: Toolbox, *, parallel: bool) -> tuple[Toolbox, ToolChoice]:
    """What `tool_choice` leaves of the tools, and the choice; in other APIs' words too. Raises BadRequest."""
    match wanted:
        case None | "auto" | "" | {"type": "auto"}:
            return box, ToolChoice("auto", parallel=parallel)
        case "none" | {"type": "none"}:
            return box, ToolChoice("none", parallel=parallel)
        case "required" | "any" | {"type": "required" | "any"}:
            if box.search is not None:
                return box, ToolChoice("required", parallel=parallel)
            return box, choice("required", box.functions, parallel=parallel)
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(allowed)} if allowed:
            return _allowed(box, allowed), ToolChoice(mode, parallel=parallel)
        case (
            {"type": "function" | "custom" | "tool", "name": str(name)}
            | {"type": "function", "function": {"name": str(name)}}
            | {"type": "custom", "custom": {"name": str(name)}}
        ):
            space = wanted.get("namespace")
            flat = flat_name(name, space if isinstance(space, str) else None)
            return box, choice("named", box.functions, name=flat, parallel=parallel)
        case {"type": str(kind)} if _undated(kind) in WEB_SEARCH:
            if box.search is None:
                raise BadRequest(
                    "tool_choice: web search is off.",
                    hint="The setting web_search turns it on; offer the tool in `tools` too.",
                    param="tool_choice",
                )
            return box, ToolChoice("named", SEARCH_NAME, parallel)
    raise BadRequest(
        "tool_choice: must be none, auto, required, a tool by its name, or allowed_tools with a mode and tools.",
        param="tool_choice",
    )


def _allowed(box: Toolbox, allowed: list[Any]) -> Toolbox:
    """The box without the tools that are not in `allowed`."""
    functions = {_flat(each) for each in allowed if _kind(each) not in WEB_SEARCH}
    searches = any(_kind(each) in WEB_SEARCH for each in allowed)
    kept = restricted(box.functions, functions)
    return Toolbox(kept, box.search if searches else None, box.names, box.ignored)


def _kind(tool: Any) -> str:
    kind = tool.get("type") if isinstance(tool, dict) else None
    return _undated(kind) if isinstance(kind, str) else ""


def _flat(tool: Any) -> str:
    """The service's name of an allowed tool; "" for anything that names none."""
    match tool:
        case {"name": str(name), "namespace": str(space)}:
            return flat_name(name, space)
        case {"name": str(name)}:
            return name
    return ""
