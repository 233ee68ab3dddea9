"""The conversation: its exchanges, the attachments for the next question, and request bodies.

Pure: no I/O, no clock. An exchange is recorded completely or not at all. A stopped answer is recorded and marked; a
failed one is not recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claude_max.proxy.events import JsonObject


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a content part of the chat completions API, and its display name."""

    name: str
    part: JsonObject


@dataclass(frozen=True, slots=True)
class Question:
    """The user's message in one turn."""

    text: str
    attachments: tuple[Attachment, ...] = ()

    @property
    def message(self) -> JsonObject:
        """As a message of a request: attachments first, because models do better when the question comes last."""
        if not self.attachments:
            return {"role": "user", "content": self.text}
        parts = [attachment.part for attachment in self.attachments]
        return {"role": "user", "content": [*parts, {"type": "text", "text": self.text}]}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, its answer and the model that gave it; `stopped`: the user ended it early."""

    question: Question
    answer: str
    model: str
    stopped: bool = False


@dataclass(slots=True)
class Tokens:
    """Token counts from the API. `uncounted` answers were stopped before it reported any."""

    answers: int = 0
    uncounted: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0

    def add(self, usage: Mapping[str, Any] | None) -> None:
        """Counts one answer, by its `usage` object."""
        self.answers += 1
        if usage is None:
            self.uncounted += 1
            return
        self.prompt += usage.get("prompt_tokens") or 0
        self.completion += usage.get("completion_tokens") or 0
        self.cached += (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        self.reasoning += (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0

    def __str__(self) -> str:
        """One line for a person."""
        if not self.answers:
            return "No questions yet."
        line = (
            f"{self.answers} answer{'s' * (self.answers != 1)}: {self.prompt:,} tokens in ({self.cached:,} of them "
            f"cached), {self.completion:,} out ({self.reasoning:,} of them thinking)."
        )
        return f"{line} {self.uncounted} stopped early and not counted." if self.uncounted else line


@dataclass(slots=True)
class Session:
    """The state of a chat. `attached` goes with the next question."""

    model: str = "default"
    system: str = ""
    effort: str | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    attached: list[Attachment] = field(default_factory=list)
    tokens: Tokens = field(default_factory=Tokens)

    def question(self, text: str) -> Question:
        """The next question, with everything attached."""
        return Question(text, tuple(self.attached))

    def body(self, question: Question, *, stream: bool, schema: JsonObject | None = None) -> JsonObject:
        """The request body for `question`; `schema` is a JSON Schema the answer must satisfy."""
        body: JsonObject = {"model": self.model, "messages": [*self._history(), question.message], "stream": stream}
        if stream:
            body["stream_options"] = {"include_usage": True}
        if self.effort is not None:
            body["reasoning_effort"] = self.effort
        if schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        return body

    def record(self, exchange: Exchange, usage: Mapping[str, Any] | None) -> None:
        """Records an exchange and clears the attachments."""
        self.exchanges.append(exchange)
        self.attached.clear()
        self.tokens.add(usage)

    def undo(self) -> Question | None:
        """Removes the last exchange, attaches its files again and returns its question; None if there is none.

        Its tokens stay counted.
        """
        if not self.exchanges:
            return None
        question = self.exchanges.pop().question
        self.attached = [*question.attachments, *self.attached]
        return question

    def clear(self) -> None:
        """A new conversation, with the same model, system prompt and effort."""
        self.exchanges.clear()
        self.attached.clear()
        self.tokens = Tokens()

    def transcript(self) -> str:
        """The conversation as a Markdown document."""
        parts = ["# Chat"]
        if self.system:
            parts += ["## System", self.system]
        for exchange in self.exchanges:
            parts += ["## You", exchange.question.text]
            if exchange.question.attachments:
                parts.append(f"*(attached: {names(exchange.question.attachments)})*")
            parts += [f"## {exchange.model or 'Claude'}", exchange.answer.strip()]
            if exchange.stopped:
                parts.append("*(stopped here)*")
        return "\n\n".join(parts) + "\n"

    def _history(self) -> list[JsonObject]:
        messages: list[JsonObject] = [{"role": "system", "content": self.system}] if self.system else []
        for exchange in self.exchanges:
            messages.append(exchange.question.message)
            if exchange.answer.strip():
                messages.append({"role": "assistant", "content": exchange.answer})
        return messages


def names(attachments: Sequence[Attachment]) -> str:
    """The names, in one line."""
    return ", ".join(attachment.name for attachment in attachments)
