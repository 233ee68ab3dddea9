"""What the service's own process has: its environment, in which the doctor looks for `claude`; and that it is one."""

import contextlib
import os
from collections.abc import Mapping

import psutil

from .log import LABEL
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


def is_service(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this very process was started by launchd or systemd as the service.

    systemd (248 and later) tells each process that it starts its own number; what inherits the variable has another.
    """
    return environ.get("XPC_SERVICE_NAME") == LABEL or environ.get("SYSTEMD_EXEC_PID") == str(os.getpid())
