"""One structured line for each request in the log: who asked what when, and what came of it.

Never prompts, answers or keys; `log_content` adds prompts and answers in lines of their own.
"""

import logging
import time
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.requests import Request

from ..events import Turn, Usage

log = logging.getLogger("claude_max.http")

SHOWN = 200


@dataclass(slots=True)
class Entry:
    """What is known of one request; filled in on its way. Times in milliseconds since it came."""

    id: str
    method: str
    path: str
    status: int = 499
    model: str = ""
    usage: Usage | None = None
    first: int | None = None
    begun: float = field(default_factory=time.monotonic)

    def elapsed(self) -> int:
        """Milliseconds since the request came."""
        return round((time.monotonic() - self.begun) * 1000)

    def line(self) -> str:
        """`key=value` pairs; what does not apply is left out. Status 499 is a client that left before an answer."""
        facts: dict[str, object] = {"id": self.id, "method": self.method, "path": self.path, "status": self.status}
        if self.model:
            # A client's word until the model has answered; a space or a line break in it would be another fact.
            facts["model"] = quote(self.model[:SHOWN], safe="[]:@/")
        if self.usage is not None:
            facts |= {"prompt_tokens": self.usage.prompt, "cached_tokens": self.usage.cache_read}
            facts["completion_tokens"] = self.usage.output
        if self.first is not None:
            facts["first_ms"] = self.first
        return " ".join(f"{key}={value}" for key, value in {**facts, "ms": self.elapsed()}.items())


def entry_of(request: Request) -> Entry:
    """The entry of the request at hand, which the guard has made."""
    found: Entry = request.state.journal
    return found


def log_prompt(entry: Entry, turn: Turn) -> None:
    """The whole prompt; only called when the user asked for it."""
    log.info("id=%s system=%r messages=%r", entry.id, turn.system, turn.messages)


def log_answer(entry: Entry, text: str) -> None:
    """The answer's text; only called when the user asked for it."""
    log.info("id=%s answer=%r", entry.id, text)
