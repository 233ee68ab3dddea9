"""The one vocabulary in the middle: a request becomes a Turn, an answer becomes a stream of events.

Frozen dataclasses, no logic. Every API dialect translates to and from these; the engine knows only these. The words
are the field's own: a turn holds messages, a message holds blocks, an answer ends with a stop reason and usage.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a document. Exactly one of `data` (base64, or plain text for `text/plain`) and `url` is set."""

    kind: Literal["image", "document"]
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model made; `arguments` is the parsed JSON object."""

    id: str
    name: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave back; `call_id` is the id of a ToolCall in the assistant message before."""

    call_id: str
    content: tuple[Text | Media, ...]


Block = Text | Media | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. Roles alternate: neighbours of one role are merged by the translators."""

    role: Literal["user", "assistant"]
    content: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's; `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether and which tool must be called; `parallel` False allows one call a message."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str | None = None
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """All that one answer depends on. The last message is the user's; `system` is empty for none.

    `model` is a name the CLI takes (an alias such as `sonnet`, or a full id). In the other fields None means that the
    client did not say. `schema` is a JSON Schema the answer's text must satisfy. `thinking` is on as the model has it,
    asked to be off, or asked to be shown.
    """

    model: str
    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    schema: JsonObject | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    effort: str | None = None
    thinking: Literal["default", "off", "shown"] = "default"


StopReason = Literal["end_turn", "stop_sequence", "max_tokens", "tool_use", "refusal"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the Messages API counts them: `input` excludes both cache counts, `output` includes `reasoning`."""

    input: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        """All tokens the model read, cached or not."""
        return self.input + self.cache_read + self.cache_creation

    def __add__(self, other: "Usage") -> "Usage":
        """The usage of two answers together."""
        return Usage(
            self.input + other.input,
            self.cache_read + other.cache_read,
            self.cache_creation + other.cache_creation,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, slots=True)
class Started:
    """The model began to answer; `model` is the id that really answers.

    `ignored` names the client's parameters that had to be dropped on the way, as the field is called in the Turn.
    """

    model: str
    ignored: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's visible thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """A call begins; `index` counts the calls of this answer from 0."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of a call's arguments, as JSON text."""

    index: int
    json: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete. A failure is raised as a ProxyError instead."""

    reason: StopReason
    usage: Usage


Event = Started | TextDelta | ReasoningDelta | ToolCallStarted | ToolCallDelta | Finished
