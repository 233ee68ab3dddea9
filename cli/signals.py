"""An end from outside, made orderly: whatever a command has begun is undone before it goes."""

import signal
from typing import NoReturn


class Terminated(SystemExit):
    """SIGTERM, or the terminal was closed; raised where the program stands."""


def undo_when_terminated() -> None:
    """From now on these signals end the program by Terminated, unless they are ignored (`nohup`)."""

    def end(number: int, frame: object) -> NoReturn:
        raise Terminated(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
