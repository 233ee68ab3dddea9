"""The model of a Messages request: types and ranges from the reference of the Messages API.

Unknown fields and unknown keys of blocks are accepted, so that new features of the API pass. What a field *means* is
for `request`, and what a block is for `content`.
"""

from typing import Any, Literal

from pydantic import Field

from ..common.wire_object import Items, Number, WireObject

Content = str | Items[dict[str, Any]]


class MessageParam(WireObject):
    """One message; `system` in the middle of a conversation is the operator's word from there on."""

    role: Literal["user", "assistant", "system"]
    content: Content


class Thinking(WireObject):
    """How the model thinks."""

    type: Literal["enabled", "adaptive", "disabled", "between_tools"]
    budget_tokens: int | None = Field(default=None, ge=1024)
    display: str | None = None


class OutputFormat(WireObject):
    """The form of the answer's text."""

    type: Literal["json_schema"]
    schema_: dict[str, Any] = Field(alias="schema")


class OutputConfig(WireObject):
    """How much work an answer is, and its form."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: OutputFormat | None = None


class Choice(WireObject):
    """Whether and which tool must be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thread(WireObject):
    """A conversation that the service holds ("Message threads", beta since November 2026)."""

    type: Literal["create", "continue"]
    previous_message_id: str | None = None


class Asked(WireObject):
    """What a message and the count of its tokens have in common."""

    model: str = Field(min_length=1)
    messages: Items[MessageParam] = Field(min_length=1)
    system: Content | None = None
    tools: Items[dict[str, Any]] | None = None
    tool_choice: Choice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    thread: Thread | None = None


class CountRequest(Asked):
    """The body of `POST /v1/messages/count_tokens`."""


class MessagesRequest(Asked):
    """The body of `POST /v1/messages`."""

    # 0 fills the prompt cache without an answer.
    max_tokens: int = Field(ge=0)
    stream: bool | None = None
    stop_sequences: Items[str] | None = None
    temperature: Number | None = Field(default=None, ge=0, le=1)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    # Without effect: the CLI sets the identity and the priority.
    metadata: dict[str, Any] | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
