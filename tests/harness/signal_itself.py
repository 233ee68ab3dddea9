"""Runs the installed `claude-max serve`, which sends itself a signal at a moment of its start.

For `start(..., through=(*SIGNAL_ITSELF, moment, signal))`; the moments are the keys of MOMENTS.
"""

import os
import runpy
import signal
import sys
import weakref
from collections.abc import Callable
from typing import Any

from claude_max.cli import serve

SIGNAL_ITSELF = (sys.executable, __file__)
AFTER = "after the callback"


def before_the_server(number: int) -> None:
    """The CLI has been examined, and the server is about to be made."""
    made = vars(serve)["create_app"]

    def create_app(*given: Any) -> Any:
        os.kill(os.getpid(), number)
        return made(*given)

    vars(serve)["create_app"] = create_app


class Module:
    """Something with a weak reference, as the lock of an import is."""


def in_a_callback(number: int) -> None:
    """The CLI is about to be looked for. Python drops an exception that is raised in a callback; AFTER tells that."""
    found = vars(serve)["locate"]

    def locate(*given: Any) -> Any:
        module = Module()
        seen = weakref.ref(module, lambda _: os.kill(os.getpid(), number))
        del module
        assert seen() is None
        print(AFTER, file=sys.stderr)
        return found(*given)

    vars(serve)["locate"] = locate


MOMENTS: dict[str, Callable[[int], None]] = {"before the server": before_the_server, "in a callback": in_a_callback}

if __name__ == "__main__":
    _, moment, sign, *sys.argv = sys.argv
    MOMENTS[moment](signal.Signals[sign])
    runpy.run_path(sys.argv[0], run_name="__main__")
