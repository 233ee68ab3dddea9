"""The models of ollama's requests: types from its api/types.go (August 2026).

Unknown fields and options are accepted, as ollama does. What a field *means* is for `request`.
"""

from typing import Any, Literal

from pydantic import Field

from ..common.wire_object import Items, Number, WireObject


class Function(WireObject):
    """A function, or a call of one: `arguments` is an object here, not text."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    # PHP clients write an empty object as [].
    arguments: dict[str, Any] | list[Any] | str | None = None


class ToolParam(WireObject):
    """A tool; only functions are supported."""

    type: str = "function"
    function: Function


class CallParam(WireObject):
    """A past call. Most clients send no id."""

    id: str | None = None
    function: Function


class MessageParam(WireObject):
    """One message of the conversation; a result names its call by id, by the tool's name, or by its place."""

    role: str
    content: str | None = None
    thinking: str | None = None
    images: Items[str] | None = None
    tool_calls: Items[CallParam] | None = None
    tool_name: str | None = None
    name: str | None = None
    tool_call_id: str | None = None


class Options(WireObject):
    """Parameters of the model; ollama takes a whole number for a float, and one text for a list of stops."""

    num_predict: int | None = None
    stop: str | Items[str] | None = None
    temperature: Number | None = Field(default=None, ge=0)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    top_k: int | None = None


class Asked(WireObject):
    """What chats and completions have in common; streamed unless `stream` is false."""

    model: str = Field(min_length=1)
    stream: bool | None = None
    format: Literal["json", ""] | dict[str, Any] | None = None
    options: Options | None = None
    think: bool | str | None = None
    # Without effect: models are not loaded or unloaded here.
    keep_alive: int | float | str | None = None


class OllamaChatRequest(Asked):
    """The body of `POST /api/chat`."""

    messages: Items[MessageParam] | None = None
    tools: Items[ToolParam] | None = None


class OllamaGenerateRequest(Asked):
    """The body of `POST /api/generate`."""

    prompt: str | None = None
    system: str | None = None
    suffix: str | None = None
    images: Items[str] | None = None


class OllamaShowRequest(WireObject):
    """The body of `POST /api/show`; `name` is the older word."""

    model: str | None = None
    name: str | None = None
