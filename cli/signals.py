"""SIGTERM and SIGHUP unwind the stack like an exception: whatever a command has begun is undone before it goes."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import asyncio

# A shell shows a program ended by a signal as 128 and its number.
BY_SIGNAL = 128


class Terminated(SystemExit):
    """SIGTERM, or the terminal was closed; raised where the program stands."""


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Around imports: a signal ends the program at once, because an exception in the middle of them leaves noise."""
    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def undo_when_terminated() -> None:
    """From now on they raise Terminated, and Ctrl-C raises KeyboardInterrupt, unless they are ignored (`nohup`)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def end(number: int, frame: object) -> NoReturn:
        ignore()
        raise Terminated(BY_SIGNAL + number)

    _handle(end)


def call_when_terminated(loop: "asyncio.AbstractEventLoop", stop: Callable[[], object]) -> None:
    """From now on the first of them, or SIGINT, calls `stop` in the loop, where every task stands at an `await`.

    Raised in a loop, an exception loses what was just begun.
    """

    def end(number: int, frame: object) -> None:
        ignore()
        loop.call_soon_threadsafe(stop)

    _handle(end, "SIGINT")


def ignore() -> None:
    """Undoing takes a moment, and is not to be left half done."""
    _handle(signal.SIG_IGN, "SIGINT")


def _handle(handler: Callable[[int, object], None] | signal.Handlers, *more: str) -> None:
    for name in ("SIGTERM", "SIGHUP", *more):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), handler)
