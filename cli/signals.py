"""SIGTERM and SIGHUP unwind the stack like an exception: whatever a command has begun is undone before it goes."""

import signal
from typing import NoReturn

# A shell shows a program ended by a signal as 128 and its number.
BY_SIGNAL = 128


class Terminated(SystemExit):
    """SIGTERM, or the terminal was closed; raised where the program stands."""


def undo_when_terminated() -> None:
    """From now on these signals end the program by Terminated, unless they are ignored (`nohup`)."""

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def end(number: int, frame: object) -> NoReturn:
        for each in numbers:
            # Undoing takes a moment, and is not to be left half done.
            signal.signal(each, signal.SIG_IGN)
        raise Terminated(BY_SIGNAL + number)

    for number in numbers:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
