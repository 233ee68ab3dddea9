"""macOS: a LaunchAgent of the user's own, in the domain of their login at the screen (`gui/UID`).

launchd.plist(5) and launchctl(1). `launchctl print` has no stable format; only three lines of it are read.
"""

import plistlib
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..signals import BY_SIGNAL
from .log import LABEL, log_file
from .manager import ANEW, State
from .spec import Service, ServiceError
from .steps import Machine, MakeFolder, Remove, Run, Step, UntilFails, Write

# EIO and EALREADY: exit codes of `launchctl bootstrap` while the previous job is still ending.
STILL_GOING = frozenset({5, 37})
# Exit codes of `bootout` for a job that is slow to end ("Operation now in progress") or has just ended; a later step
# checks that it is gone.
GOING = frozenset({3, 36, 113})


class Launchd:
    """The service in launchd."""

    name = "launchd"
    secrets: Path | None = None
    language = "en_US.UTF-8"
    # The template's ThrottleInterval: the minimum time between two starts, also for manual ones.
    put_off = 30.0

    def __init__(self, machine: Machine, uid: int) -> None:
        home = Path(machine.environ["HOME"])
        self._machine = machine
        self._domain = f"gui/{uid}"
        self._target = f"gui/{uid}/{LABEL}"
        self.file = home / f"Library/LaunchAgents/{LABEL}.plist"
        self.log = log_file(machine.environ)
        self.search: tuple[str, ...] = (
            str(home / ".local/bin"),
            *("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"),
        )
        # The CLI finds its login in the keychain by USER (anthropics/claude-code issue 88434), and launchd does not
        # set it in every session.
        self.told: Mapping[str, str] = {
            name: machine.environ[name] for name in ("USER", "LOGNAME") if name in machine.environ
        }

    def files(self) -> list[Path]:
        """The property list."""
        return [self.file] if self.file.is_file() else []

    def render(self, service: Service) -> bytes:
        """The property list, filled in as data."""
        template = files("claude_max.templates").joinpath(f"{LABEL}.plist").read_bytes()
        filled = plistlib.loads(template) | {
            "ProgramArguments": list(service.command),
            "EnvironmentVariables": dict(service.environment),
            "StandardOutPath": str(self.log),
            "StandardErrorPath": str(self.log),
        }
        return plistlib.dumps(filled, sort_keys=False)

    def state(self) -> State:
        """As `launchctl print` says."""
        said = self._machine.ask(["launchctl", "print", self._target])
        if said.returncode != 0:
            return State(self.file.is_file(), loaded=False, running=False)
        pid, ended = _number(said.stdout, "pid"), _number(said.stdout, "last exit code")
        killed = _number(said.stdout, "last terminating signal")
        last = BY_SIGNAL + killed if killed is not None else ended
        return State(self.file.is_file(), True, pid is not None, pid, last)

    def install(self, content: bytes) -> list[Step]:
        """A job that is loaded keeps its old file until it is booted out."""
        state = self.state()
        same = state.installed and self.file.read_bytes() == content
        if same and state.loaded:
            return [] if state.running else [Run(("launchctl", "kickstart", self._target))]
        steps: list[Step] = self._out() if state.loaded else []
        if not same:
            steps += [MakeFolder(self.log.parent), Write(self.file, content)]
        # A label that was once disabled stays disabled across installs, and `bootstrap` only reports "Input/output
        # error".
        steps.append(Run(("launchctl", "enable", self._target)))
        steps.append(Run(("launchctl", "bootstrap", self._domain, str(self.file)), STILL_GOING))
        return steps

    def uninstall(self) -> list[Step]:
        """Logs stay."""
        state = self.state()
        out: list[Step] = self._out() if state.loaded else []
        return [*out, Remove(self.file)] if state.installed else out

    def restart(self) -> list[Step]:
        """`kickstart` knows only jobs that are loaded."""
        if self.state().loaded:
            return [Run(("launchctl", "kickstart", "-k", self._target))]
        return self.install(self.file.read_bytes())

    def logs(self, lines: int, *, follow: bool) -> tuple[str, ...]:
        """launchd keeps no log of its own: standard error goes to a file."""
        return ("tail", "-n", str(lines), *(("-F",) if follow else ()), str(self.log))

    def command(self) -> tuple[str, ...]:
        """ProgramArguments."""
        return tuple(str(word) for word in self._installed().get("ProgramArguments", ()))

    def environment(self) -> dict[str, str]:
        """The environment that launchd gives every agent, plus the property list's."""
        given = ("HOME", "USER", "LOGNAME", "SHELL", "TMPDIR")
        base = {name: self._machine.environ[name] for name in given if name in self._machine.environ}
        return base | {str(name): str(value) for name, value in self._installed()["EnvironmentVariables"].items()}

    def hints(self) -> list[str]:
        """Nothing: a LaunchAgent runs while its user is logged in, and the keychain is open then."""
        return []

    def _out(self) -> list[Step]:
        return [
            Run(("launchctl", "bootout", self._target), fine=GOING),
            UntilFails(("launchctl", "print", self._target)),
        ]

    def _installed(self) -> dict[str, Any]:
        try:
            return {"EnvironmentVariables": {}, **plistlib.loads(self.file.read_bytes())}
        except (OSError, ValueError, TypeError) as error:
            raise ServiceError(f"{self.file} cannot be read ({error}). {ANEW}") from None


def _number(text: str, name: str) -> int | None:
    # One tab: the service's own lines, not nested ones. A signal has its name first: "Terminated: 15".
    found = re.search(rf"^\t{name} = (?:[A-Z][^\d\n]*: )?(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else None
