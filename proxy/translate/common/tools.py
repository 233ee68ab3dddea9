"""Functions and tool choice, as the service requires them. Pure; takes plain values."""

import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from ...errors import BadRequest
from ...events import CacheMark, JsonObject, Tool, ToolChoice
from .json_schema import check_schema
from .json_schema_drafts import upgraded
from .names import api_name
from .repairs import REFUSING, Repairs

_OPENAI_LONGEST = 64
_PLACE = re.compile(r"\btools\.(\d{1,4})\b")
# OpenAI's limit; the service has no limit.
_OPENAI_MOST = 128


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a client declares it. `where` is its path in the body; its fields are named `where.name`, …"""

    where: str
    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None
    cache: CacheMark | None = None


def own_names(names: Sequence[str]) -> dict[str, str]:
    """The client's names by the service's, where they differ, to translate the calls of an answer."""
    return {api_name(name): name for name in names if api_name(name) != name}


def declared(functions: Sequence[Function], field: str = "tools", repairs: Repairs = REFUSING) -> tuple[Tool, ...]:
    """The tools that a body declares in `field`. Raises BadRequest for one that is not supported."""
    if len(functions) > _OPENAI_MOST and repairs.strict:
        raise BadRequest(f"{field}: {len(functions)} tools, at most {_OPENAI_MOST} are allowed.", param=field)
    tools = tuple(_tool(function, repairs) for function in functions)
    twice = [name for name, count in Counter(function.name for function in functions).items() if count > 1]
    if twice:
        raise BadRequest(f"{field}: the name {twice[0]!r} is given twice.", param=field)
    return tools


def naming_tools(message: str, names: Sequence[str]) -> str:
    """The service's words about `tools.37`, with the tool's name: among 200 tools its place says little."""

    def named(found: re.Match[str]) -> str:
        place = int(found[1])
        return f"{found[0]} ({names[place]})" if place < len(names) else found[0]

    return _PLACE.sub(named, message)


def restricted(tools: Sequence[Tool], allowed: AbstractSet[str], field: str = "tool_choice") -> tuple[Tool, ...]:
    """Those of the tools that are allowed. Raises BadRequest where `allowed` has a name that no tool has."""
    unknown = {name for name in allowed if api_name(name) not in {tool.name for tool in tools}}
    if unknown:
        raise BadRequest(f"{field}: no function is named {min(unknown)!r}.", param=field)
    names = {api_name(name) for name in allowed}
    return tuple(tool for tool in tools if tool.name in names)


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
    if mode == "named" and api_name(name or "") not in [tool.name for tool in tools]:
        raise BadRequest(f"{field}: no function is named {name!r}.", param=field)
    return ToolChoice(mode, None if name is None else api_name(name), parallel)


def _tool(function: Function, repairs: Repairs) -> Tool:
    where = function.where
    own = api_name(function.name)
    # With 200 tools the index alone would not help.
    called = f"the tool {function.name[:_OPENAI_MOST]!r}"
    if not own or ((own != function.name or len(own) > _OPENAI_LONGEST) and repairs.strict):
        raise BadRequest(
            f"{where}.name: {function.name!r} must be 1 to 64 letters, digits, dashes or underscores.",
            param=f"{where}.name",
        )
    if own != function.name:
        repairs.note(f"{where}.name", "sent under another name")
    parameters = {"type": "object", "properties": {}, **_given(function, repairs)}
    if parameters["type"] != "object":
        raise BadRequest(
            f"{where}.parameters: {called} must have a schema of type object.", param=f"{where}.parameters"
        )
    check_schema(parameters, f"{where}.parameters", called)
    return Tool(own, function.description or "", parameters, function.strict, function.cache)


def _given(function: Function, repairs: Repairs) -> JsonObject:
    given = function.parameters or {}
    made = upgraded(given)
    if made is not given:
        repairs.tell(f"{function.where}.parameters", "schema upgraded to draft 2020-12")
    return made
