"""Many requests at once: rates, first tokens, and the ends of answers that stream when the server is stopped.

Measurements, as latency.py has them.
"""

import contextlib
import functools
import statistics
import threading
import time
from collections.abc import Callable

from .client import CannotError, ask, at_once, batch, system, user
from .latency import Samples
from .servers import Server

REQUESTS, IN_FLIGHT = 12, 8
MANY, MANY_IN_FLIGHT = 40, 16
FIRST_TOKEN, LONG = 0.7, 3.0  # seconds of a realistic answer, to its first token and from there to its end
STREAMS, TOKENS, PAUSE = 8, 500, 0.01
ENDED_STREAMS, ENDED_LONG = 4, 10.0


def batches(server: Server) -> Samples:
    """One batch soon after the start, and another one."""
    for prefix in ("cold ", ""):
        server.rest()
        done = batch(server.url, REQUESTS, IN_FLIGHT)
        yield f"{prefix}rate", done.rate
        yield f"{prefix}p50", statistics.median(answer.first for answer in done.answers)


def many(server: Server) -> Samples:
    """A larger batch on a fresh server."""
    done = batch(server.url, MANY, MANY_IN_FLIGHT)
    yield "many", done.rate
    yield "many p50", statistics.median(answer.first for answer in done.answers)


def realistic(number: int, server: Server) -> Samples:
    """So many answers at the pace of a model, begun together on a fresh server."""
    words = round(LONG * 20)
    answer = {"words": words, "pause": LONG / words, "first_byte": FIRST_TOKEN}
    firsts = sorted(each.first for each in at_once(server.url, [(system(), user(**answer)) for _ in range(number)]))
    yield f"at once {number}", firsts[-1] - FIRST_TOKEN
    if number > 1:
        yield f"apart {number}", firsts[-1] - firsts[0]


def realistic_at_once(number: int) -> Callable[[Server], Samples]:
    """The measurement of so many."""
    return functools.partial(realistic, number)


def streams(server: Server) -> Samples:
    """Streams side by side at a steady pace: the rate that arrives, and the processor time of a token."""
    at_once(server.url, [(system(), user()) for _ in range(STREAMS)])
    before = server.rest()
    began = time.perf_counter()
    answers = at_once(server.url, [(system(), user(words=TOKENS, pause=PAUSE)) for _ in range(STREAMS)])
    seconds = time.perf_counter() - began
    if any(len(answer.text.split()) != TOKENS for answer in answers):
        raise CannotError("tokens are lost")
    used, tokens = server.rest().since(before), STREAMS * TOKENS
    yield "stream rate", tokens / seconds
    yield "cpu token", used.server / tokens * 1e6
    yield "cpu token below", used.below / tokens * 1e6


def gone(server: Server) -> Samples:
    """SIGTERM while answers are streamed. The server is gone afterwards."""
    server.rest()
    before = server.api.api.arrived
    answer = {"words": round(ENDED_LONG * 10), "pause": 0.1}

    def run() -> None:
        with contextlib.suppress(CannotError, ValueError):
            ask(server.url, system(), user(**answer))

    clients = [threading.Thread(target=run, daemon=True) for _ in range(ENDED_STREAMS)]
    for client in clients:
        client.start()
    server.api.wait_for(before + ENDED_STREAMS, 60)
    time.sleep(0.3)
    yield "gone", server.end()
    for client in clients:
        client.join(30)
