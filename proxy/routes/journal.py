"""One structured log line per request.

Never prompts, answers or keys; `log_content` adds prompts and answers in separate records. How a line looks is up
to the formatter: a record carries the facts as `record.request`.
"""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from .. import errors
from ..events import Turn, Usage

log = logging.getLogger("claude_max.http")

SHOWN = 200
QUIET = "/page/"
# The dialect of a path; other paths are logged unchanged.
DIALECTS = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/api/": "ollama",
}
_current: ContextVar["Entry | None"] = ContextVar("entry", default=None)


@dataclass(slots=True)
class Entry:
    """What is known of one request; filled in on its way. Times in milliseconds since it came."""

    id: str
    method: str
    path: str
    status: int = 499
    model: str = ""
    asked: str = ""
    usage: Usage | None = None
    first: int | None = None
    total: int | None = None
    begun: float = field(default_factory=time.monotonic)
    client: str = ""
    error: errors.ProxyError | None = None
    ignored: str = ""
    repaired: str = ""

    def __post_init__(self) -> None:
        _current.set(self)

    def elapsed(self) -> int:
        """Milliseconds since the request came."""
        return round((time.monotonic() - self.begun) * 1000)

    def take(self, headers: Mapping[str, str]) -> None:
        """What the response's headers say was ignored and repaired."""
        self.ignored = headers.get("x-claude-max-ignored") or ""
        self.repaired = headers.get("x-claude-max-repaired") or ""

    def facts(self) -> dict[str, Any]:
        """What does not apply is left out. Status 499 is a client that left before an answer.

        `error` beside a status below 400 is that of a stream that ended in it.
        """
        dialect = next((name for path, name in DIALECTS.items() if self.path.startswith(path)), None)
        facts: dict[str, Any] = {"id": self.id, "client": self.client[:SHOWN], "method": self.method, "path": self.path}
        facts |= {"dialect": dialect} if dialect else {}
        facts["status"] = self.status
        if self.model:
            # The client's name for it until the model has answered.
            facts["model"] = quote(self.model[:SHOWN], safe="[]:@/")
        if self.usage is not None:
            facts |= {"prompt_tokens": self.usage.prompt, "cached_tokens": self.usage.cache_read}
            facts["completion_tokens"] = self.usage.output
        if self.first is not None:
            facts["first_ms"] = self.first
        facts["ms"] = self.elapsed()
        if self.error is not None:
            facts["error"] = {"code": self.error.kind, "message": self._sentence(self.error)}
        facts |= {"ignored": self.ignored} if self.ignored else {}
        facts |= {"repaired": self.repaired} if self.repaired else {}
        return facts

    @staticmethod
    def _sentence(error: errors.ProxyError) -> str:
        """The error's own, but for a 400, which may quote the request: then only the field that it names."""
        return (error.param or "") if error.status == 400 else error.message

    def line(self) -> str:
        """`key=value` pairs, for a formatter that does not know the facts."""
        return " ".join(f"{key}={value}" for key, value in self.facts().items())

    def write(self) -> None:
        """Logs the request, which is over. The page, and who watches, ask every second: only where that fails."""
        self.total = self.elapsed()
        is_quiet = self.path.startswith(QUIET) and self.status < 400
        log.log(logging.DEBUG if is_quiet else logging.INFO, "%s", self.line(), extra={"request": self.facts()})


def failed(error: errors.ProxyError) -> None:
    """The current request ends in this error; also in the middle of a stream."""
    if (entry := _current.get()) is not None:
        entry.error = error


def client_of(headers: Mapping[str, str]) -> str:
    """The program that asks, by the first word of its `User-Agent`."""
    return (headers.get("user-agent", "").split() or [""])[0]


def entry_of(request: Request) -> Entry:
    """The entry of the current request, which the guard has made."""
    found: Entry = request.state.journal
    return found


def log_prompt(entry: Entry, turn: Turn) -> None:
    """The whole prompt; only called when the user asked for it."""
    log.info("%s prompt\n%s", entry.id, "\n".join(_prompt(turn)))


def log_answer(entry: Entry, text: str) -> None:
    """The answer's text; only called when the user asked for it."""
    log.info("%s answer\n%s", entry.id, _indented(text))


def _prompt(turn: Turn) -> Iterable[str]:
    if turn.system:
        yield f"  [system]\n{_indented(turn.system)}"
    for message in turn.messages:
        yield f"  [{message.role}]\n" + "\n".join(_indented(_block(block)) for block in message.content)


def _block(block: Any) -> str:
    """A block as a person reads it: its text, or what it is."""
    if hasattr(block, "arguments"):
        return f"calls {block.name}({json.dumps(block.arguments, ensure_ascii=False)})"
    if hasattr(block, "call_id"):
        return f"result of {block.call_id}: " + "\n".join(_block(each) for each in block.content)
    text = getattr(block, "text", None)
    return text if isinstance(text, str) else f"({getattr(block, 'kind', type(block).__name__)})"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
