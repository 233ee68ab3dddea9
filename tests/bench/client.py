"""What a client sees: one streamed request, timed; many at once; the processes that run meanwhile.

Plain http.client and a new connection for each request, so that the client's own time (under a millisecond) does not
hide the ratios.
"""

import contextlib
import http.client
import itertools
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

MODEL = "claude-sonnet-4"  # an id both servers know
SAMPLE_SECONDS = 0.02
_numbers = itertools.count(1)

Message = dict[str, str]


def system() -> Message:
    """A system prompt nobody sent before."""
    return {"role": "system", "content": f"You are assistant number {next(_numbers)}. {'Be brief and kind. ' * 20}"}


def user(text: str = "", said: str = "one two three four") -> Message:
    """A user message nobody sent before, answered with `said`."""
    return {"role": "user", "content": f"Question {next(_numbers)} {text}\nscripted: {json.dumps({'text': said})}"}


def slow(seconds: float) -> Message:
    """A user message whose answer takes so long."""
    directive = {"words": round(seconds * 10), "pause": 0.1}
    return {"role": "user", "content": f"Question {next(_numbers)}\nscripted: {json.dumps(directive)}"}


@dataclass(frozen=True)
class Answer:
    """`first`: seconds to the first piece of content. `whole`: to the end of the response."""

    first: float
    whole: float
    text: str


def ask(url: str, *messages: Message, seconds: float = 120) -> Answer:
    """One streamed chat completion. Raises RuntimeError when there is no answer."""
    host = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", host.port or 80, timeout=seconds)
    body = json.dumps({"model": MODEL, "stream": True, "messages": messages}).encode()
    first, said = None, []
    began = time.perf_counter()
    try:
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {response.read(300)!r}")
        while line := response.readline():
            content = _content(line)
            if content:
                first = first or time.perf_counter() - began
                said.append(content)
        whole = time.perf_counter() - began
    finally:
        connection.close()
    if first is None:
        raise RuntimeError("no content came")
    return Answer(first, whole, "".join(said))


def _content(line: bytes) -> str:
    if not line.startswith(b"data: {"):
        return ""
    chunk: dict[str, Any] = json.loads(line[6:])
    if "error" in chunk:
        raise RuntimeError(chunk["error"])
    return "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))


@dataclass(frozen=True)
class Batch:
    """How a batch went: requests a second, and each request's answer."""

    rate: float
    answers: Sequence[Answer]


def batch(url: str, requests: int, at_once: int) -> Batch:
    """So many unrelated requests, each with a system prompt of its own, `at_once` at a time."""
    questions = [(system(), user()) for _ in range(requests)]
    with ThreadPoolExecutor(at_once) as threads:
        began = time.perf_counter()
        answers = list(threads.map(lambda question: ask(url, *question), questions))
        seconds = time.perf_counter() - began
    return Batch(requests / seconds, answers)


def claudes(server: int, claude: Path) -> list[psutil.Process]:
    """The CLI processes that a server started; not what they start themselves, some of it for under 0.1 s."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(server).children():
            with contextlib.suppress(psutil.Error):
                if child.exe() == str(claude):
                    found.append(child)
    return found


@dataclass
class Crowd:
    """The most processes seen at once, and the most memory they held together, in bytes."""

    processes: int = 0
    memory: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)


@contextmanager
def counted(server: int, claude: Path) -> Iterator[Crowd]:
    """Counts the CLI's processes below a server, from outside and all the while; costs a little processor time."""
    crowd = Crowd()

    def look() -> None:
        while not crowd._stop.wait(SAMPLE_SECONDS):
            found = claudes(server, claude)
            memory = 0
            for process in found:
                with contextlib.suppress(psutil.Error):
                    memory += process.memory_info().rss
            crowd.processes, crowd.memory = max(crowd.processes, len(found)), max(crowd.memory, memory)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield crowd
    finally:
        crowd._stop.set()
        thread.join()
