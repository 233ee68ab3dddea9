"""The model of a Responses request: types and ranges from the OpenAI API reference.

Unknown fields are accepted and named in the answer. What a field *means* is for `request`, what an item means for
`items`. Shapes after the `openai` SDK 3.54 (`types/responses`).
"""

from typing import Any, Literal

from pydantic import Field

from ..common.wire_object import Items, Number, WireObject


class Part(WireObject):
    """One content part; which of the other fields must be there depends on `type`."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | dict[str, Any] | None = None
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: str | None = None


class Item(WireObject):
    """One item of the input; without a `type` it is a message. Which other fields must be there depends on that."""

    type: str | None = None
    id: str | None = None
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | Items[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | None = None
    output: str | Items[Part] | None = None
    summary: Items[Part] | None = None
    encrypted_content: str | None = None
    tools: list[Any] | None = None


class ToolParam(WireObject):
    """A tool; which of the other fields must be there depends on `type`."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    function: dict[str, Any] | None = None
    strict: bool | None = None
    format: dict[str, Any] | None = None
    execution: str | None = None
    tools: "Items[ToolParam] | None" = None
    filters: dict[str, Any] | None = None
    user_location: dict[str, Any] | None = None


class Reasoning(WireObject):
    """How much the model thinks, and what of it is shown."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed", "none"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class Format(WireObject):
    """The form of the answer's text."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class TextConfig(WireObject):
    """What the answer's text is like."""

    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class StreamOptions(WireObject):
    """Padding of a stream's events, which is not made here."""

    include_obfuscation: bool | None = None


class PromptCacheOptions(WireObject):
    """How the prompt is cached."""

    prewarm: bool | None = None


class ResponsesRequest(WireObject):
    """The body of `POST /v1/responses`."""

    model: str = Field(min_length=1)
    input: str | Items[Item]
    instructions: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None
    max_output_tokens: int | None = Field(default=None, ge=1)
    max_tool_calls: int | None = Field(default=None, ge=1)
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    tools: Items[ToolParam] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextConfig | None = None
    include: Items[str] | None = None
    prompt_cache_options: PromptCacheOptions | None = None
    metadata: dict[str, str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    # Without effect.
    user: str | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
