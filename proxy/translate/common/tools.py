"""Functions, and which of them must be called: what the service demands of them. Pure, and fed with plain values."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from ...errors import BadRequest
from ...events import CacheMark, JsonObject, Tool, ToolChoice
from .json_schema import check_schema

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
LIMIT = 128


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a client declares it. `where` is its path in the body; its fields are told as `where.name`, …"""

    where: str
    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None
    cache: CacheMark | None = None


def declared(functions: Sequence[Function], field: str = "tools") -> tuple[Tool, ...]:
    """The tools that a body declares in `field`. Raises BadRequest for one that cannot be carried."""
    if len(functions) > LIMIT:
        raise BadRequest(f"{field}: {len(functions)} tools, at most {LIMIT} are allowed.", param=field)
    tools = tuple(_tool(function) for function in functions)
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            raise BadRequest(f"{field}: the name {name!r} is given twice.", param=field)
    return tools


def restricted(tools: Sequence[Tool], allowed: AbstractSet[str], field: str = "tool_choice") -> tuple[Tool, ...]:
    """Those of the tools that are allowed. Raises BadRequest where `allowed` has a name that no tool has."""
    unknown = allowed - {tool.name for tool in tools}
    if unknown:
        raise BadRequest(f"{field}: no function is named {min(unknown)!r}.", param=field)
    return tuple(tool for tool in tools if tool.name in allowed)


def choice(
    mode: Literal["auto", "none", "required", "named"],
    tools: Sequence[Tool],
    *,
    name: str | None = None,
    parallel: bool = True,
    field: str = "tool_choice",
) -> ToolChoice:
    """The choice that `field` asks for. Raises BadRequest where there is no tool to choose."""
    if mode == "required" and not tools:
        raise BadRequest(f"{field}: 'required' needs tools.", param=field)
    if mode == "named" and name not in [tool.name for tool in tools]:
        raise BadRequest(f"{field}: no function is named {name!r}.", param=field)
    return ToolChoice(mode, name, parallel)


def _tool(function: Function) -> Tool:
    where = function.where
    if not _NAME.fullmatch(function.name):
        raise BadRequest(
            f"{where}.name: {function.name!r} must be 1 to 64 letters, digits, dashes or underscores.",
            param=f"{where}.name",
        )
    parameters = {"type": "object", "properties": {}, **(function.parameters or {})}
    if parameters["type"] != "object":
        raise BadRequest(f"{where}.parameters must be a schema of type object.", param=f"{where}.parameters")
    check_schema(parameters, f"{where}.parameters")
    return Tool(function.name, function.description or "", parameters, function.strict, function.cache)
