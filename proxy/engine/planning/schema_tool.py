"""Structured output for a model, or a schema, that `output_config.format` does not take. Pure.

The model is offered a tool whose arguments are the answer and is made to call it; the arguments become the content once
they satisfy the client's whole schema. The API demands an object at the root of a tool's schema, so another root is
wrapped in one and unwrapped again.
"""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from ...events import (
    BlockCompleted,
    Event,
    Finished,
    JsonObject,
    Message,
    Started,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    ToolChoice,
    ToolResult,
    Turn,
    Usage,
)
from ...json_text import compact, parsed
from .body import tool_names

NAME = "structured_answer"
DESCRIPTION = "Gives the answer. Its arguments are the answer itself."
VALUE = "value"
MISFIT = "The arguments do not satisfy the tool's schema. Call it again, with arguments that do."
_WRAPPER = re.compile(rf'\s*\{{\s*"{VALUE}"\s*:\s*(.*)\}}\s*', re.DOTALL)
# Keywords that hold schemas by names of the client's, and those that hold values and no schema.
_NAMING = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_VALUES = ("const", "enum", "default", "examples")
_COMBINED = ("$ref", "allOf", "anyOf", "enum", "oneOf", "not", "const", "if")


class Misfit(Exception):
    """The model's arguments do not satisfy the schema, or it made no call."""


def offered(turn: Turn) -> Turn:
    """The Turn with its schema as a tool that must be called, or one of the client's own tools instead."""
    assert turn.schema is not None
    if turn.tool_choice.mode == "named":
        # The client's choice leaves no room for an answer.
        return replace(turn, schema=None)
    parameters = _wrapped(turn.schema) if is_wrapped(turn.schema) else turn.schema
    tool = Tool(name_for(turn), DESCRIPTION, parameters)
    if turn.tools and turn.tool_choice.mode != "none":
        choice = ToolChoice("required", parallel=turn.tool_choice.parallel)
        return replace(turn, schema=None, tools=(*turn.tools, tool), tool_choice=choice)
    return replace(turn, schema=None, tools=(*turn.tools, tool), tool_choice=ToolChoice("named", tool.name))


def name_for(turn: Turn) -> str:
    """The tool's name: one that none of the client's tools has."""
    name, taken = NAME, tool_names(turn)
    while name in taken:
        name += "_"
    return name


class AsContent:
    """An answer to an `offered` Turn, as an answer to the Turn itself. Fed events, returns what the client is to see.

    Nothing but Started is shown before the answer is whole: an attempt that does not fit may be made again.
    """

    def __init__(self, turn: Turn, spent: Usage = Usage()) -> None:  # noqa: B008 - frozen
        """`spent` is what earlier attempts used."""
        self._schema = turn.schema
        self._name = name_for(turn)
        self._held: list[Event] = []
        self._index: int | None = None
        self._hidden: set[int] = set()
        self._call_id: str | None = None
        self._arguments = ""
        self.usage = spent

    def again(self, offered: Turn) -> Turn:
        """The Turn of the next attempt: the model sees what it gave, and that it does not fit."""
        try:
            arguments = parsed(self._arguments or "{}")
        except ValueError:
            arguments = {}
        if self._call_id is None or not isinstance(arguments, dict) or offered.messages[-1].role == "assistant":
            return offered
        call = Message("assistant", (ToolCall(self._call_id, self._name, arguments),))
        refusal = Message("user", (ToolResult(self._call_id, (Text(MISFIT),), is_error=True),))
        return replace(offered, messages=(*offered.messages, call, refusal))

    def feed(self, event: Event) -> list[Event]:
        """The events to show. Raises Misfit, with `usage` brought up to date."""
        match event:
            case Started():
                return [event]
            case ToolCallStarted(index, id, name) if name == self._name:
                # A model that calls it twice has given its answer with the first.
                self._hidden.add(index)
                if self._index is None:
                    self._index, self._call_id = index, id
            case ToolCallDelta(index, json) if index in self._hidden:
                self._arguments += json if index == self._index else ""
            case Finished(reason, usage):
                self.usage += usage
                return self._end(event, reason)
            case _:
                self._held.append(event)
        return []

    def _end(self, event: Finished, reason: str) -> list[Event]:
        whole = replace(event, usage=self.usage)
        calls = _only_calls(self._held)
        if calls:
            return [*_renumbered(calls), whole]
        if reason in ("max_tokens", "refusal", "model_context_window_exceeded"):
            # Half an object is of no use, but it is what a native answer would have at this point.
            return [TextDelta(self._arguments), BlockCompleted(), whole] if self._arguments else [*self._held, whole]
        if self._index is None:
            raise Misfit
        return [TextDelta(self._content()), BlockCompleted(), replace(whole, reason="end_turn")]

    def _content(self) -> str:
        assert self._schema is not None
        text = self._arguments or "{}"
        try:
            value = parsed(text)
            if is_wrapped(self._schema):
                value = value[VALUE]
                text = _unwrapped(text, value)
        except (ValueError, KeyError, TypeError):
            raise Misfit from None
        if not satisfies(self._schema, value):
            raise Misfit
        return text


def _unwrapped(text: str, value: object) -> str:
    """The text of the value in the wrapper, as the model wrote it: an integer may have more than 64 bits."""
    found = _WRAPPER.fullmatch(text)
    with contextlib.suppress(ValueError):
        if found is not None and parsed(found[1]) == value:
            return found[1].rstrip()
    return compact(value)


def satisfies(schema: JsonObject, value: object) -> bool:
    """Whether a value fits a schema; True where the schema's patterns are of a language that is not known here."""
    try:
        validator = Draft202012Validator(schema, retriever=_fetch_nothing)
        try:
            return bool(validator.is_valid(value))
        except UnicodeEncodeError:
            # Half a character, which the validator does not take. As `compact` has it.
            return bool(validator.is_valid(parsed(compact(value))))
    except ValidationError:
        return True


def _fetch_nothing(uri: str) -> Any:
    """The validator asks the network for a reference that it does not find in the schema."""
    raise LookupError(uri)


def is_wrapped(schema: JsonObject) -> bool:
    """Whether a tool cannot have this schema at its root."""
    return schema.get("type") != "object" or any(key in schema for key in _COMBINED)


def _wrapped(schema: JsonObject) -> JsonObject:
    root = schema.get("$id")
    inner = _moved({key: item for key, item in schema.items() if key != "$id"}, root if isinstance(root, str) else "")
    wrapper: JsonObject = {"type": "object", "properties": {VALUE: inner}, "required": [VALUE]}
    return {**wrapper, "additionalProperties": False}


def _moved(value: Any, root: str) -> Any:
    """The schema with its local references pointing to where it stands now; `root` is the `$id` that it had.

    A part with its own `$id` is unchanged: its references are relative to that.
    """
    if isinstance(value, list):
        return [_moved(item, root) for item in value]
    if not isinstance(value, dict) or isinstance(value.get("$id"), str):
        return value
    made: JsonObject = {}
    for key, item in value.items():
        if key == "$ref" and isinstance(item, str):
            made[key] = _pointed(item, root)
        elif key in _NAMING and isinstance(item, dict):
            made[key] = {name: _moved(each, root) for name, each in item.items()}
        elif key in _VALUES:
            made[key] = item
        elif key != "$schema":
            made[key] = _moved(item, root)
    return made


def _pointed(reference: str, root: str) -> str:
    base, _, pointer = reference.partition("#")
    if base not in ("", root) or pointer[:1].isalpha():
        return reference
    return f"#/properties/{VALUE}{pointer}"


def _only_calls(held: Sequence[Event]) -> list[Event]:
    """The calls, each with the end of its block; the ends of other blocks go with these."""
    found: list[Event] = []
    is_call = False
    for event in held:
        is_call = is_call or isinstance(event, ToolCallStarted)
        if is_call and isinstance(event, ToolCallStarted | ToolCallDelta | BlockCompleted):
            found.append(event)
        if isinstance(event, BlockCompleted):
            is_call = False
    return found


def _renumbered(calls: list[Event]) -> list[Event]:
    """The client's own calls, counted from 0 without those of the schema's tool between them."""
    found: list[Event] = []
    index = -1
    for call in calls:
        if isinstance(call, ToolCallStarted):
            index += 1
        found.append(replace(call, index=index) if isinstance(call, ToolCallStarted | ToolCallDelta) else call)
    return found
