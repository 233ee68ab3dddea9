"""The format of the server's log: one short line per request on a terminal, JSON lines everywhere else.

The record of a request has its fields in `record.request` (see routes/journal.py); all other records are a sentence.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

from .output import err, folded, printable

LogFormat = Literal["auto", "text", "json"]
DIM, BOLD, RED, GREEN, MAGENTA = "2", "1", "31", "32", "35"
LEVELS = {"WARNING": MAGENTA, "ERROR": RED, "CRITICAL": RED}


def configure(level: str, form: LogFormat) -> None:
    """Logs to stderr in that form; "auto" is text on a terminal and JSON elsewhere."""
    text = form == "text" or (form == "auto" and err.is_terminal)
    handler = logging.StreamHandler()
    handler.setFormatter(TextLines(coloured=err.color_system is not None) if text else JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """One JSON object per record: time (UTC, ISO 8601), level, logger, message, and the fields of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts: dict[str, Any] = getattr(record, "request", None) or {}
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": "request" if facts else record.getMessage(),
            **facts,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Local time and a sentence; for a request: client, dialect, model, status, tokens, seconds and the error."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback or a prompt may follow in lines of its own."""
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        when = self._in(DIM, clock)
        facts: dict[str, Any] | None = getattr(record, "request", None)
        if facts is not None:
            return f"{when} {self._request(facts)}"
        level = LEVELS.get(record.levelname)
        message = printable(record.getMessage())
        if err.is_terminal and "\n" not in message:
            message = folded(f"{clock} {message}", err.width).removeprefix(f"{clock} ")
        said = f"{self._in(level, message)}" if level else message
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{when} {said}{trace}"

    def _request(self, facts: dict[str, Any]) -> str:
        status, error = facts["status"], facts.get("error")
        colour = RED if status >= 500 or (error and status < 400) else MAGENTA if status >= 400 else GREEN
        parts = [
            _word(facts.get("client") or "-"),
            _word(facts.get("dialect") or f"{facts['method']} {facts['path']}"),
            self._in(BOLD, _word(facts["model"])) if facts.get("model") else "",
            self._in(colour, "stream failed" if error and status < 400 else str(status)),
        ]
        if "completion_tokens" in facts:
            cached = f" ({facts['cached_tokens']:,} cached)" if facts["cached_tokens"] else ""
            parts.append(f"{facts['prompt_tokens']:,}{cached}→{facts['completion_tokens']:,} tokens")
        parts.append(f"{facts['ms'] / 1000:.1f} s")
        if error:
            parts.append(self._in(colour, f"{error['code']}: {_word(error['message'])}"))
        parts += [self._in(DIM, f"{key}: {_word(facts[key])}") for key in ("ignored", "repaired") if facts.get(key)]
        return " ".join(part for part in parts if part)

    def _in(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._coloured else text


def _word(text: object) -> str:
    """On one line, without terminal control characters."""
    return " ".join(printable(str(text)).split())
