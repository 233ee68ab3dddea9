"""The environment that the service itself has, in which the doctor then looks for `claude` and its login."""

import contextlib

import psutil

from .manager import Manager


def environment_of(manager: Manager) -> dict[str, str]:
    """The running process's own environment; where none runs, the one it would be started with.

    May hold the user's token: never show it.
    """
    pid = manager.state().pid
    if pid is not None:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(pid).environ()
    return manager.environment()
