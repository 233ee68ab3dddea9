"""`claude-max logs`: the log of the background server or of the service."""

import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import typer

from . import background
from .output import Exit, fail, print_error, writing
from .service import actions
from .service.choose import choose, is_installed
from .service.spec import ServiceError
from .service.steps import Machine

POLL_SECONDS = 0.2
# Block size when reading from the end: a log line is about 400 bytes.
BLOCK = 64 * 1024
TERMINAL = "A server in a terminal logs to that terminal."


def logs(*, lines: int, follow: bool) -> NoReturn:
    """Prints the last lines; with `follow` also new ones, until Ctrl-C. Exits FAILED if there is no log."""
    log = background.log_file()
    if background.running() is not None:
        _print(log, lines, follow=follow)
    machine = Machine()
    try:
        # Without a service there is no need to query its manager.
        if is_installed(machine):
            raise typer.Exit(actions.logs(choose(machine), machine, lines=lines, follow=follow))
    except ServiceError as error:
        if not log.exists():
            fail(error.message, error.code)
    if log.exists() and not follow:
        print_error(
            f"No server of `claude-max start` is running; this is the log of the last one. {TERMINAL}", Exit.FINE
        )
        _print(log, lines, follow=False)
    fail(
        f"There is no log to show: neither the service nor a server of `claude-max start` is running. {TERMINAL}",
        Exit.FAILED,
    )


def _print(log: Path, lines: int, *, follow: bool) -> NoReturn:
    try:
        last = last_lines(log, lines)
    except OSError as error:
        fail(f"{log} cannot be read: {error.strerror or error}.", Exit.FAILED)
    try:
        with writing():
            at = _write(last)
            while follow:
                time.sleep(POLL_SECONDS)
                at = _more(log, at)
    except KeyboardInterrupt:
        pass
    raise typer.Exit(Exit.FINE)


def last_lines(log: Path, lines: int) -> tuple[bytes, int]:
    """The last lines of a file, and its size. Reads no more than needed. Raises OSError."""
    with log.open("rb") as file:
        size = at = file.seek(0, os.SEEK_END)
        found = b""
        # One line break more than lines: the one before the first.
        while at > 0 and found.count(b"\n") <= lines:
            step = min(BLOCK, at)
            at -= step
            file.seek(at)
            found = file.read(step) + found
    kept = found.splitlines(keepends=True)
    return b"".join(kept[-lines:] if lines else []), size


def _more(log: Path, at: int) -> int:
    """Prints what was appended; starts over when a new server truncates the file."""
    try:
        size = log.stat().st_size
        if size == at:
            return at
        with log.open("rb") as file:
            file.seek(at if size > at else 0)
            said = file.read()
            return _write((said, file.tell()))
    except FileNotFoundError:
        return 0


def _write(said: tuple[bytes, int]) -> int:
    sys.stdout.write(said[0].decode("utf-8", "replace"))
    sys.stdout.flush()
    return said[1]
