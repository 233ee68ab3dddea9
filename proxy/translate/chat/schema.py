"""The model of a chat completions request: types and ranges from the OpenAI API reference.

Unknown fields are accepted, as OpenAI-compatible servers do, and named in the answer. What a field *means* is for
`request`.
"""

from typing import Any, Literal

from pydantic import Field

from ..common.openai_completions import StreamOptions, Unused
from ..common.wire_object import Items, Number, WireObject


class Part(WireObject):
    """One content part; which of the other fields must be there depends on `type`.

    From `source` on: the blocks of Anthropic's Messages API, which Cursor sends here where a model's name contains
    `claude`.
    """

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: dict[str, Any] | str | None = None
    file: dict[str, Any] | None = None
    source: dict[str, Any] | None = None
    title: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    content: Any = None
    is_error: bool | None = None
    cache_control: Any = None


class FunctionCall(WireObject):
    """A call: `arguments` is JSON text; some clients send the object itself."""

    name: str
    arguments: Any = None


class CustomCall(WireObject):
    """A call of a custom tool: `input` is any text."""

    name: str
    input: str = ""


class ToolCallParam(WireObject):
    """A past call in an assistant message; ids come in any form."""

    id: str | int | None = None
    type: str | None = None
    function: FunctionCall | None = None
    custom: CustomCall | None = None


class MessageParam(WireObject):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Items[Part] | None = None
    name: str | None = None
    tool_calls: Items[ToolCallParam] | None = None
    function_call: FunctionCall | None = None
    tool_call_id: str | int | None = None
    refusal: str | None = None


class FunctionParam(WireObject):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    cache_control: Any = None


class CustomParam(WireObject):
    """A custom tool, whose input is any text."""

    name: str
    description: str | None = None
    format: dict[str, Any] | None = None


class ToolParam(WireObject):
    """A tool: a function, a custom tool, or one as other APIs declare it (`name` beside the type, `input_schema`)."""

    type: str | None = None
    function: FunctionParam | None = None
    custom: CustomParam | None = None
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    cache_control: Any = None


class JsonSchemaParam(WireObject):
    """The schema of a structured answer."""

    name: str = "response"
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class ResponseFormat(WireObject):
    """The form of the answer's text; `schema` beside the type is llama.cpp's, `value` TGI's."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaParam | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    value: dict[str, Any] | None = None


class SearchOptions(WireObject):
    """The service's own web search; `user_location` holds the place in `approximate`."""

    user_location: dict[str, Any] | None = None


class ChatRequest(Unused):
    """The body of `POST /v1/chat/completions`; `system` is Anthropic's."""

    model: str = Field(min_length=1)
    messages: Items[MessageParam] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    system: str | Items[Part] | None = None
    stop: str | Items[str] | None = None
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    n: int | None = Field(default=None, ge=1, le=128)
    tools: Items[ToolParam] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    functions: Items[FunctionParam] | None = None
    function_call: str | dict[str, Any] | None = None
    response_format: ResponseFormat | None = None
    web_search_options: SearchOptions | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    # Without effect, as Unused.
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    service_tier: str | None = None
    # Refused if it asks for audio.
    modalities: Items[str] | None = None
    audio: dict[str, Any] | None = None
