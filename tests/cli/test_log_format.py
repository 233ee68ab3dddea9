"""The log: one short line a request on a terminal, JSON lines elsewhere; nothing in it commands the terminal."""

import json
import logging
import sys
from typing import Any

import pytest

from claude_max.cli.log_format import JsonLines, TextLines

FACTS: dict[str, Any] = {
    "id": "req_1",
    "client": "OpenAI/Python",
    "method": "POST",
    "path": "/v1/chat/completions",
    "dialect": "chat",
    "status": 200,
    "model": "claude-sonnet-5-5",
    "prompt_tokens": 1234,
    "cached_tokens": 1000,
    "completion_tokens": 56,
    "ms": 2100,
}
ERROR = {"code": "overloaded", "message": "The service is overloaded."}


def record(message: str = "x", level: int = logging.INFO, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("claude_max.http", level, "", 0, message, (), None)
    made.__dict__.update(more)
    return made


def text(**facts: Any) -> str:
    line = TextLines(coloured=False).format(record(request={**FACTS, **facts}))
    return line.partition(" ")[2]


def test_a_request_is_one_short_line() -> None:
    wanted = "OpenAI/Python chat claude-sonnet-5-5 200 1,234 (1,000 cached)→56 tokens 2.1 s"
    assert text() == wanted
    assert text(ignored="seed, user", repaired="ids") == f"{wanted} ignored: seed, user repaired: ids"


def test_what_is_no_dialect_shows_its_path() -> None:
    bare = {"method": "GET", "path": "/health", "status": 200, "ms": 1, "client": ""}
    assert TextLines(coloured=False).format(record(request=bare)).endswith(" - GET /health 200 0.0 s")


def test_an_error_has_its_code_and_sentence() -> None:
    assert text(status=503, error=ERROR).endswith(" 2.1 s overloaded: The service is overloaded.")
    assert " 503 " in text(status=503, error=ERROR)


def test_a_stream_that_failed_is_not_a_200() -> None:
    assert " stream failed " in text(error=ERROR)
    assert " 200 " not in text(error=ERROR)


@pytest.mark.parametrize(("status", "colour"), [(200, "32"), (404, "35"), (502, "31")])
def test_the_status_is_coloured(status: int, colour: str) -> None:
    line = TextLines(coloured=True).format(record(request={**FACTS, "status": status}))
    assert f"\x1b[{colour}m{status}\x1b[0m" in line


def test_nothing_commands_the_terminal() -> None:
    assert "\x1b" not in text(model="a\x1b[2J", client="b\x1b]0;c\x07")
    assert "\x1b" not in TextLines(coloured=False).format(record("prompt\n\x1b[2J"))


def test_an_error_is_red_and_keeps_its_traceback() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        failing = record("it failed", logging.ERROR)
        failing.exc_info = sys.exc_info()
    assert "\x1b[31mit failed\x1b[0m\nTraceback" in TextLines(coloured=True).format(failing)
    assert json.loads(JsonLines().format(failing))["exception"].endswith("ValueError: why")


def test_json_lines_hold_the_facts() -> None:
    line = json.loads(JsonLines().format(record(request={**FACTS, "error": ERROR})))
    assert {**FACTS, "error": ERROR}.items() <= line.items()
    assert (line["level"], line["message"]) == ("info", "request")
    assert line["time"].endswith("+00:00")
    plain = json.loads(JsonLines().format(record("two\nlines")))
    assert plain["message"] == "two\nlines"
