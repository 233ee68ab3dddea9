"""What a client sees: one streamed request, timed; many at once.

Plain http.client and a new connection for each request, so that the client's own time (under a millisecond) does not
hide the ratios.
"""

import http.client
import itertools
import json
import threading
import time
import urllib.parse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

MODEL = "sonnet"  # a name that every server knows
SECONDS = 60.0  # without a byte before a request counts as failed
_numbers = itertools.count(1)

Message = dict[str, Any]


class CannotError(RuntimeError):
    """The server does not do what the row measures, or answers with an error; the message says why."""


def system(text: str = "Be brief and kind. " * 20) -> Message:
    """A system prompt nobody sent before."""
    return {"role": "system", "content": f"You are assistant number {next(_numbers)}. {text}"}


def user(text: str = "", /, **directive: Any) -> Message:
    """A user message nobody sent before, answered as `directive` says (proxy/scripted/directive_keys.py)."""
    answer = directive or {"text": "one two three four"}
    return {"role": "user", "content": f"{plain(text)['content']}\nscripted: {json.dumps(answer)}"}


def plain(text: str = "") -> Message:
    """A user message nobody sent before, to which the scripted service answers what the request's fields ask for."""
    return {"role": "user", "content": f"Question {next(_numbers)} {text}".strip()}


@dataclass(frozen=True)
class Answer:
    """`first`: seconds to the first piece of content or of a call. `whole`: to the end of the response."""

    first: float
    whole: float
    text: str
    call: str | None = None


def ask(url: str, *messages: Message, **fields: Any) -> Answer:
    """One streamed chat completion; the time begins when its body is made. Raises CannotError without an answer."""
    port = urllib.parse.urlsplit(url).port
    body = json.dumps({"model": MODEL, "stream": True, "messages": messages, **fields}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    first, said, call = None, [], None
    began = time.perf_counter()
    try:
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise CannotError(f"{response.status}: {response.read(200).decode(errors='replace')}")
        while line := response.readline():
            for delta in _deltas(line):
                calls = delta.get("tool_calls")
                if content := delta.get("content"):
                    said.append(content)
                if first is None and (content or calls):
                    first = time.perf_counter() - began
                if calls and call is None:
                    call = calls[0].get("id")
        whole = time.perf_counter() - began
    except (OSError, http.client.HTTPException) as why:
        raise CannotError(f"{type(why).__name__}: {why}") from None
    finally:
        connection.close()
    if first is None:
        raise CannotError("an answer without content")
    return Answer(first, whole, "".join(said), call)


def _deltas(line: bytes) -> list[dict[str, Any]]:
    if not line.startswith(b"data: {"):
        return []
    chunk: dict[str, Any] = json.loads(line[6:])
    if "error" in chunk:
        raise CannotError(str(chunk["error"])[:200])
    return [choice.get("delta") or {} for choice in chunk.get("choices") or ()]


def at_once(url: str, conversations: Sequence[Sequence[Message]]) -> list[Answer]:
    """All of them begun together; the answers in the same order."""
    together = threading.Barrier(len(conversations))

    def begin(messages: Sequence[Message]) -> Answer:
        together.wait()
        return ask(url, *messages)

    with ThreadPoolExecutor(len(conversations)) as threads:
        return list(threads.map(begin, conversations))


@dataclass(frozen=True)
class Batch:
    """How a batch went: requests a second, and each request's answer."""

    rate: float
    answers: Sequence[Answer]


def batch(url: str, requests: int, in_flight: int) -> Batch:
    """So many unrelated requests, each with a system prompt of its own, `in_flight` at a time."""
    questions = [(system(), user()) for _ in range(requests)]
    with ThreadPoolExecutor(in_flight) as threads:
        began = time.perf_counter()
        answers = list(threads.map(lambda question: ask(url, *question), questions))
        seconds = time.perf_counter() - began
    return Batch(requests / seconds, answers)
