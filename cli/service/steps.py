"""Steps that change the machine, as data, so that they can be shown before they are run; and running them.

Which steps to take is decided in `launchd` and `systemd`; only this file writes, removes and runs.
"""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from .spec import ServiceError

# systemctl waits for a service to stop (TimeoutStopSec=20), launchctl for a process to go.
RUN_SECONDS = 60.0
# `launchctl bootout` answers before the job is gone (5 s seen on macOS 26); until then `bootstrap` fails with an
# input/output error. Longer than ExitTimeOut of the property list.
FINISH_SECONDS = 30.0
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """Creates a folder with mode 0700, and its parents."""

    path: Path


@dataclass(frozen=True, slots=True)
class Write:
    """Writes a file atomically."""

    path: Path
    content: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """Removes a file, if it exists."""

    path: Path


@dataclass(frozen=True, slots=True)
class Run:
    """Runs a command; its failure ends the action.

    Exit codes in `again` are retried until FINISH_SECONDS; those in `fine` count as success.
    """

    argv: tuple[str, ...]
    again: frozenset[int] = frozenset()
    fine: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class UntilFails:
    """Waits until a command fails: `launchctl print` does so once the job is gone."""

    argv: tuple[str, ...]


Step: TypeAlias = MakeFolder | Write | Remove | Run | UntilFails
Completed: TypeAlias = "subprocess.CompletedProcess[str]"


@dataclass(frozen=True, slots=True)
class Machine:
    """Runs commands and reads the clock; tests replace it."""

    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def ask(self, argv: Sequence[str]) -> Completed:
        """Runs a command and captures its output, in English. Raises ServiceError if it cannot be run at all."""
        try:
            return subprocess.run(
                argv,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=RUN_SECONDS,
                check=False,
                env={**self.environ, "LC_ALL": "C.UTF-8"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = error.strerror if isinstance(error, OSError) else f"it did not end within {RUN_SECONDS:.0f} s"
            raise ServiceError(f"`{shlex.join(argv)}` could not be run: {why}.") from None

    def show(self, argv: Sequence[str]) -> int:
        """Runs a command that writes to the user's own terminal or pipe, until it ends or Ctrl-C."""
        try:
            return subprocess.run(argv, stdin=subprocess.DEVNULL, check=False, env=self.environ).returncode
        except KeyboardInterrupt:
            return 0
        except OSError as error:
            raise ServiceError(f"`{shlex.join(argv)}` could not be run: {error.strerror}.") from None

    def perform(self, steps: Sequence[Step]) -> None:
        """Takes the steps in order. Raises ServiceError at the first that fails."""
        for step in steps:
            try:
                self._take(step)
            except OSError as error:
                raise ServiceError(f"{error.filename or shown(step)}: {error.strerror or error}.") from None

    def _take(self, step: Step) -> None:
        match step:
            case MakeFolder(path):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            case Write(path, content):
                path.parent.mkdir(parents=True, exist_ok=True)
                beside = path.with_name(f".{path.name}.new")
                # Private until it has the mode of the file that it replaces.
                beside.touch(mode=0o600)
                if path.exists():
                    shutil.copymode(path, beside)
                else:
                    beside.chmod(0o644)
                beside.write_bytes(content)
                beside.replace(path)
            case Remove(path):
                path.unlink(missing_ok=True)
            case Run(argv, again, fine):
                done = self._until(argv, lambda code: code not in again)
                if done.returncode not in {0, *fine}:
                    said = " ".join((done.stderr or done.stdout).split())
                    raise ServiceError(f"`{shlex.join(argv)}` failed with exit code {done.returncode}: {said}")
            case UntilFails(argv):
                if self._until(argv, lambda code: code != 0).returncode == 0:
                    raise ServiceError(f"The service did not end within {FINISH_SECONDS:.0f} s (`{shlex.join(argv)}`).")

    def _until(self, argv: Sequence[str], good: Callable[[int], bool]) -> Completed:
        deadline = self.clock() + FINISH_SECONDS
        while not good((done := self.ask(argv)).returncode) and self.clock() < deadline:
            self.pause(POLL_SECONDS)
        return done


class Silent(Machine):
    """A machine whose programs print nothing."""

    def ask(self, argv: Sequence[str]) -> Completed:
        """Runs nothing."""
        return subprocess.CompletedProcess(argv, 0, "", "")


def shown(step: Step) -> str:
    """The step as a shell command."""
    match step:
        case MakeFolder(path):
            return shlex.join(["mkdir", "-p", str(path)])
        case Write(path):
            return f"write {path}"
        case Remove(path):
            return shlex.join(["rm", "-f", str(path)])
        case Run(argv):
            return shlex.join(argv)
        case UntilFails(argv):
            return f"wait until `{shlex.join(argv)}` fails"
