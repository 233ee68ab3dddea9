"""SIGTERM and SIGHUP unwind the stack like an exception: whatever a command has begun is undone before it goes."""

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import asyncio

# A shell shows a program ended by a signal as 128 and its number.
BY_SIGNAL = 128


class Terminated(SystemExit):
    """SIGTERM, or the terminal was closed; raised where the program stands."""


def undo_when_terminated() -> None:
    """From now on these signals end the program by Terminated, unless they are ignored (`nohup`)."""

    def end(number: int, frame: object) -> NoReturn:
        ignore()
        raise Terminated(BY_SIGNAL + number)

    _handle(end)


def cancel_when_terminated(task: "asyncio.Task[Any]") -> None:
    """From now on they, and SIGINT, cancel `task`: raised in an event loop, an exception loses what was just begun."""

    def end(number: int, frame: object) -> None:
        ignore()
        task.get_loop().call_soon_threadsafe(task.cancel)

    _handle(end, "SIGINT")


def ignore() -> None:
    """Undoing takes a moment, and is not to be left half done."""
    _handle(signal.SIG_IGN, "SIGINT")


def _handle(handler: Callable[[int, object], None] | signal.Handlers, *more: str) -> None:
    for name in ("SIGTERM", "SIGHUP", *more):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), handler)
