"""The agent's log on macOS: launchd only ever appends to it, so `serve` bounds it at its start. Linux has a journal."""

import os
from collections.abc import Mapping
from pathlib import Path

LABEL = "com.claude-max.proxy"
# Some 30,000 requests.
LIMIT = 5 * 2**20


def log_file(environ: Mapping[str, str]) -> Path:
    """The file to which launchd writes the service's output."""
    return Path(environ["HOME"]) / "Library/Logs/claude-max/claude-max.log"


def bound(environ: Mapping[str, str] = os.environ) -> None:
    """In a launchd agent: renames a log over LIMIT bytes to `claude-max.log.1`, and redirects stdout and stderr to a
    new one.

    Does nothing elsewhere, or if that fails.
    """
    # launchd sets this to the job's label.
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
