"""What tests ask of the machine: a free port, an open umask, and to wait for what another process does."""

import contextlib
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def free_port() -> int:
    """A port that nobody listens on, below those that are given out for port 0: another test's server may get one."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


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
