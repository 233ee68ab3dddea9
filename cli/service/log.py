"""The agent's log on macOS: launchd only ever appends to it, so `serve` bounds it at its start. Linux has a journal."""

import os
from collections.abc import Mapping
from pathlib import Path

LABEL = "com.claude-max.proxy"
# Some 30,000 requests.
LIMIT = 5 * 2**20


def log_file(environ: Mapping[str, str]) -> Path:
    """Where launchd writes what the service says."""
    return Path(environ["HOME"]) / "Library/Logs/claude-max/claude-max.log"


def bound(environ: Mapping[str, str] = os.environ) -> None:
    """As the agent of launchd: a log over LIMIT bytes becomes `claude-max.log.1`, and stdout and stderr a new one.

    Elsewhere, and where it cannot be done, nothing.
    """
    # launchd tells each job its label so.
    if environ.get("XPC_SERVICE_NAME") != LABEL or "HOME" not in environ:
        return
    file = log_file(environ)
    try:
        if file.stat().st_size <= LIMIT:
            return
        file.replace(file.with_name(f"{file.name}.1"))
        log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
