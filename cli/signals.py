"""Turns SIGTERM and SIGHUP into an exception, so that a command cleans up before it ends."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import asyncio
    from sys import UnraisableHookArgs
    from types import FrameType

    _Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

# A shell reports a program ended by a signal as 128 plus its number.
BY_SIGNAL = 128
# What Python says of a signal that came at the same time as another, whose handler made it ignored.
IGNORED = "ignored due to race condition"
# Signals that raised an exception. Python drops one that is raised in a callback of its own, as imports have them.
_raised: list[int] = []


class Terminated(SystemExit):
    """SIGTERM, or the terminal was closed; raised in the main thread."""


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """For imports: a signal ends the program at once, because an exception during an import prints noise."""
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
    """Makes them raise Terminated, and Ctrl-C raise KeyboardInterrupt, unless they are ignored (`nohup`).

    Where Python drops such an exception, nothing is printed, and the next signal raises another.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before: dict[int, _Handler] = {}

    def end(number: int, frame: object) -> NoReturn:
        _raised.append(number)
        before.update(ignore())
        raise Terminated(BY_SIGNAL + number)

    def dropped(unraisable: "UnraisableHookArgs") -> None:
        if isinstance(unraisable.exc_value, Terminated):
            for number, handler in before.items():
                signal.signal(number, handler)
        elif not isinstance(unraisable.exc_value, KeyboardInterrupt) and IGNORED not in str(unraisable.exc_value):
            sys.__unraisablehook__(unraisable)

    _handle(end)
    sys.unraisablehook = dropped


def note_interrupts() -> None:
    """Makes `call_when_terminated` know of a Ctrl-C before it, for a program that asyncio is not to interrupt."""

    def interrupt(number: int, frame: object) -> NoReturn:
        _raised.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


def call_when_terminated(loop: "asyncio.AbstractEventLoop", stop: Callable[[int], object]) -> None:
    """Makes the first of them, or SIGINT, call `stop` with its number in the loop, while every task is at an `await`.

    An exception raised in a loop could lose a process that was just started.
    """

    def end(number: int, frame: object) -> None:
        ignore()
        loop.call_soon_threadsafe(stop, number)

    _handle(end, "SIGINT")
    if _raised:
        # Its exception did not end the program.
        ignore()
        stop(_raised[0])


def ignore() -> "dict[int, _Handler]":
    """Ignores further signals: cleaning up takes a moment and must not be interrupted. Returns the handlers before."""
    return _handle(signal.SIG_IGN, "SIGINT")


def _handle(handler: "_Handler", *more: str) -> "dict[int, _Handler]":
    before: dict[int, _Handler] = {}
    for name in ("SIGTERM", "SIGHUP", *more):
        if hasattr(signal, name) and signal.getsignal(number := getattr(signal, name)) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    return before
