"""The dialect-neutral types: a request becomes a Turn, an answer becomes a stream of events.

Frozen dataclasses, no logic. Every API dialect translates to and from these; the engine uses only these. The names are
the usual ones: a turn has messages, a message has blocks, an answer ends with a stop reason and usage.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]


# A prompt cache mark on a block (`cache_control` of the Messages API): how long the prefix up to it is kept.
CacheMark = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, never empty."""

    text: str
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a document. Exactly one of `data` (base64, or plain text for `text/plain`) and `url` is set."""

    kind: Literal["image", "document"]
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model's thinking, unchanged: the service refuses it if the signature or the text was altered."""

    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class RedactedThinking:
    """Thinking that the service encrypted; carried back unchanged."""

    data: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model made; `arguments` is the parsed JSON object."""

    id: str
    name: str
    arguments: JsonObject
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class OpaqueBlock:
    """A content block of the Messages API that has no type of its own here (`server_tool_use`, `search_result`, …).

    `json` travels as it is, in both directions.
    """

    json: JsonObject


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call; `call_id` is the id of a ToolCall in the previous assistant message."""

    call_id: str
    content: tuple[Text | Media | OpaqueBlock, ...]
    is_error: bool = False
    cache: CacheMark | None = None


Block = Text | Media | Thinking | RedactedThinking | ToolCall | ToolResult | OpaqueBlock


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Adjacent messages may have the same role; the service merges them. A `system` message is an instruction by the
    operator within a conversation, which not every model accepts.
    """

    role: Literal["user", "assistant", "system"]
    content: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's; `parameters` is a JSON Schema of type object. `strict` None means not said."""

    name: str
    description: str
    parameters: JsonObject
    strict: bool | None = None
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A tool that the service runs itself (web search); `json` is its declaration in the Messages API."""

    json: JsonObject


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether and which tool must be called; `parallel` False allows one call a message."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str | None = None
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """All that one answer depends on. `system` is empty for none.

    The last message is the user's, or the assistant's where the model is to continue it. `model` is a name the CLI
    takes (an alias such as `sonnet`, or a full id). In the other fields None means that the client did not say.
    `schema` is a JSON Schema the answer's text must satisfy. `thinking` is on as the model has it, asked to be off, or
    asked to be shown; `thinking_budget` is in tokens. `carries_thinking` says that the client itself answers
    for the model's thinking in its history: none is added to it, and none left out where the service refuses it.
    `ask_to_continue` allows a short user message behind a last message of the assistant's, where the model does not
    continue one. `prewarms` says that the answer is not wanted, only the prompt in the service's cache.
    """

    model: str
    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[Tool | ServerTool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    schema: JsonObject | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    effort: str | None = None
    thinking: Literal["default", "off", "shown"] = "default"
    thinking_budget: int | None = None
    carries_thinking: bool = False
    ask_to_continue: bool = False
    prewarms: bool = False


# As the Messages API names them.
StopReason = Literal[
    "end_turn", "stop_sequence", "max_tokens", "model_context_window_exceeded", "tool_use", "pause_turn", "refusal"
]


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
        """All input tokens, cached or not."""
        return self.input + self.cache_read + self.cache_creation

    def __add__(self, other: "Usage") -> "Usage":
        """The sum of two usages."""
        return Usage(
            self.input + other.input,
            self.cache_read + other.cache_read,
            self.cache_creation + other.cache_creation,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, slots=True)
class Started:
    """The model began to answer; `model` is the id that really answers, `id` the service's id of the message.

    `ignored` names the client's parameters that had to be dropped on the way, as the field is called in the Turn.
    `repaired` says in short phrases what was changed on the way. `usage` is what the service counted so far: the
    input, and next to no output.
    """

    model: str
    ignored: frozenset[str] = field(default_factory=frozenset)
    repaired: frozenset[str] = field(default_factory=frozenset)
    id: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text."""

    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation of the text block that is being written, as the Messages API has it."""

    json: JsonObject


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's visible thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningSigned:
    """The signature of the thinking block that is being written; it may have no visible text at all."""

    signature: str


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
class BlockCompleted:
    """A content block ended, the one the deltas before belong to.

    Blocks come one after another. `block` is set for the two kinds that come whole, without deltas: RedactedThinking
    and OpaqueBlock.
    """

    block: RedactedThinking | OpaqueBlock | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete. A failure is raised as a ProxyError instead.

    `stop_sequence` is the one of the Turn's that ended it. `unknown` is the service's own word for a reason that
    StopReason does not have; `reason` is `end_turn` then.
    """

    reason: StopReason
    usage: Usage
    stop_sequence: str | None = None
    unknown: str = ""


Event = (
    Started
    | TextDelta
    | Citation
    | ReasoningDelta
    | ReasoningSigned
    | ToolCallStarted
    | ToolCallDelta
    | BlockCompleted
    | Finished
)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the CLI lists for this login.

    `name` is what a Turn's `model` takes (an alias such as `sonnet`), `id` the full id it stands for today. None means
    that the CLI has not said it: the two windows (tokens) are known once a model has answered.
    """

    name: str
    id: str
    display_name: str = ""
    description: str = ""
    efforts: tuple[str, ...] = ()
    thinking_off: bool | None = None
    context_window: int | None = None
    max_output: int | None = None
