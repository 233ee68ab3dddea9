"""The environment of the service's process, in which the doctor looks for `claude`; and detecting that process."""

import contextlib
import os
from collections.abc import Mapping

import psutil

from .log import LABEL
from .manager import Manager


def environment_of(manager: Manager) -> dict[str, str]:
    """The environment of the running process; if none is running, the one it would be started with.

    May contain the user's token: never show it.
    """
    pid = manager.state().pid
    if pid is not None:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(pid).environ()
    return manager.environment()


def is_service(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether launchd or systemd started this process as the service.

    systemd (248 and later) sets a variable to the pid of each process that it starts; processes that inherit the
    variable have another pid.
    """
    return environ.get("XPC_SERVICE_NAME") == LABEL or environ.get("SYSTEMD_EXEC_PID") == str(os.getpid())
