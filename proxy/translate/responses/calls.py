"""Calls of functions and custom tools in an unfinished answer. Pure."""

from collections.abc import Mapping

from ...events import JsonObject
from ..common.conversation import arguments_of
from .custom import InputText
from .output import OutputItem, Told
from .tools import Named


class CallItem(OutputItem):
    """A call of a function."""

    prefix = "fc"

    def __init__(self, id: str, call_id: str, named: Named) -> None:
        super().__init__(id)
        self._call_id = call_id
        self._named = named
        self._json: list[str] = []

    def argue(self, json: str) -> list[Told]:
        """More of its arguments."""
        self._json.append(json)
        return [("response.function_call_arguments.delta", {"delta": json})]

    def _closed(self, status: str) -> list[Told]:
        # A call without arguments is sent as `{}`, which every client can parse.
        told = [] if self._json else self.argue("{}")
        self.status = status
        done = {"name": self._named.name, "arguments": "".join(self._json)}
        return [*told, ("response.function_call_arguments.done", done)]

    def _form(self) -> JsonObject:
        said = {"arguments": "".join(self._json), "call_id": self._call_id}
        return {"type": "function_call", "status": self.status, **said, **_names(self._named)}


class CustomItem(OutputItem):
    """A call of a custom tool: the string in the arguments of the function that represents it."""

    prefix = "ctc"

    def __init__(self, id: str, call_id: str, named: Named) -> None:
        super().__init__(id)
        self._call_id = call_id
        self._named = named
        self._arguments = InputText()
        self._text: list[str] = []

    def argue(self, json: str) -> list[Told]:
        """More of the function's arguments."""
        return self._say(self._arguments.feed(json))

    def _closed(self, status: str) -> list[Told]:
        told = self._say(self._arguments.rest())
        self.status = status
        return [*told, ("response.custom_tool_call_input.done", {"input": "".join(self._text)})]

    def _form(self) -> JsonObject:
        said = {"call_id": self._call_id, "input": "".join(self._text)}
        return {"type": "custom_tool_call", "status": self.status, **said, **_names(self._named)}

    def _say(self, text: str) -> list[Told]:
        self._text.append(text)
        return [("response.custom_tool_call_input.delta", {"delta": text})] if text else []


class SearchCallItem(OutputItem):
    """A call of the client's search for tools. Its arguments are an object, so they come whole."""

    prefix = "tsc"

    def __init__(self, id: str, call_id: str, named: Named) -> None:
        super().__init__(id)
        self._call_id = call_id
        self._json: list[str] = []

    def argue(self, json: str) -> list[Told]:
        """More of its arguments, which are sent only when they are complete."""
        self._json.append(json)
        return []

    def _form(self) -> JsonObject:
        whole = {} if self.status == "in_progress" else arguments_of("".join(self._json))
        said = {"execution": "client", "call_id": self._call_id, "arguments": whole}
        return {"type": "tool_search_call", "status": self.status, **said}


CALLS: Mapping[str, type[CallItem] | type[CustomItem] | type[SearchCallItem]] = {
    "function": CallItem,
    "custom_tool": CustomItem,
    "tool_search": SearchCallItem,
}


def _names(named: Named) -> JsonObject:
    """The tool's name, and its namespace where it has one."""
    return {"name": named.name} if named.namespace is None else {"name": named.name, "namespace": named.namespace}
