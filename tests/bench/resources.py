"""Processor time and memory of a server and its processes, and of the commands.

Measurements, as latency.py has them.
"""

import json
import time

import psutil

from .bursts import FIRST_TOKEN, LONG
from .client import CannotError, ask, at_once, system, user
from .latency import Samples
from .servers import Server
from .usage import Ran, counted, memory, processor, run

REQUESTS = 20
LOADED = 16
AFTER = 60.0
CHATS = 3
UNKNOWN_COMMAND = 2  # the exit code, of an older checkout


def requests(server: Server) -> Samples:
    """New conversations one after the other, until the work behind the last answer is done."""
    before = server.rest()
    for _ in range(REQUESTS):
        ask(server.url, system(), user())
    used = server.rest().since(before)
    yield "cpu request", used.server / REQUESTS * 1000
    yield "cpu request below", used.below / REQUESTS * 1000


def loaded(server: Server) -> Samples:
    """A fresh server at rest, and the most while answers stream at the pace of a model."""
    proxy = psutil.Process(server.pid)
    yield "memory server", memory([proxy])
    yield "memory claudes", memory(server.claudes())
    answer = {"words": 60, "pause": LONG / 60, "first_byte": FIRST_TOKEN}
    with counted(server.pid, server.claude) as crowd:
        at_once(server.url, [(system(), user(**answer)) for _ in range(LOADED)])
    server.loaded, server.used = time.monotonic(), server.rest()
    yield "memory load", crowd.memory
    yield "processes", crowd.processes


def afterwards(server: Server) -> Samples:
    """The same server a while after that."""
    time.sleep(max(0.0, server.loaded + AFTER - time.monotonic()))
    yield "memory after", memory([psutil.Process(server.pid), *server.claudes()])
    if server.used is not None:
        used = processor(server.pid).since(server.used)
        yield "cpu after", used.server + used.below


def help_pages(server: Server) -> Samples:
    """`--help` of every command that it has: the slowest."""
    if not server.help:
        raise CannotError("it has no command line")
    ran = [run([*command, "--help"], server.environment, server.folder) for command in server.help]
    ran = [each for each in ran if each.code != UNKNOWN_COMMAND]
    if any(each.code for each in ran):
        raise CannotError("--help fails")
    yield "help", max(each.wall for each in ran)
    yield "help cpu", max(each.cpu for each in ran)


def chats(server: Server) -> Samples:
    """`chat` with one question, asked of the server that runs."""
    if not server.chat:
        raise CannotError("it has no chat")
    for _ in range(CHATS):
        before = server.api.api.arrived
        ran = _run(server, *server.chat, f"Hello\nscripted: {json.dumps({'text': 'Hello.'})}")
        if server.api.api.arrived == before:
            raise CannotError("chat asked no model")
        yield "chat", ran.wall
        yield "chat cpu", ran.cpu


def _run(server: Server, *command: str) -> Ran:
    ran = run(command, server.environment, server.folder)
    if ran.code:
        raise CannotError(f"{' '.join(command)} ended with {ran.code}")
    return ran
