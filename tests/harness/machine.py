"""What tests ask of the machine: a free port, an open umask, and to wait for what another process does."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def open_umask() -> Iterator[None]:
    """The umask that hides nothing, for this process and those that it starts meanwhile."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def eventually(asked: Callable[[], T | None], seconds: float, *, said: Callable[[], object] = lambda: "") -> T:
    """Asks again until the answer is true, `seconds` at most; `said` tells what was wrong."""
    deadline = time.monotonic() + seconds
    while not (answer := asked()):
        assert time.monotonic() < deadline, said()
        time.sleep(0.05)
    return answer
