"""The interface of a service manager, implemented by `launchd` and `systemd`. Types only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .spec import Service
from .steps import Step

ANEW = "Recreate it: `claude-max uninstall-agent && claude-max install-agent`"


@dataclass(frozen=True, slots=True)
class State:
    """The manager's view of the service.

    `last_exit` is None if it has never ended; for a signal it is the shell's exit code.
    """

    installed: bool
    loaded: bool
    running: bool
    pid: int | None = None
    last_exit: int | None = None


class Manager(Protocol):
    """Queries the machine and decides on steps; does not run them."""

    name: str
    file: Path
    # The file from which the service reads secrets; None if the platform has none.
    secrets: Path | None
    # Folders of PATH, after the folder of `claude` itself.
    search: tuple[str, ...]
    language: str
    # Seconds by which it may delay a start.
    put_off: float
    # Variables that the platform does not set for the service, and that the CLI needs.
    told: Mapping[str, str]

    def files(self) -> list[Path]:
        """The existing files that configure the installed service."""

    def render(self, service: Service) -> bytes:
        """The whole service file."""

    def state(self) -> State:
        """Installed, loaded, running."""

    def install(self, content: bytes) -> list[Step]:
        """Steps from the current state to this file, loaded and running; none if that is already so."""

    def uninstall(self) -> list[Step]:
        """Steps that remove the service."""

    def restart(self) -> list[Step]:
        """Steps that start a new process of the installed service."""

    def logs(self, lines: int, *, follow: bool) -> tuple[str, ...]:
        """The command that prints the last lines."""

    def command(self) -> tuple[str, ...]:
        """The command line of the installed service. Raises ServiceError if the file cannot be read."""

    def environment(self) -> dict[str, str]:
        """The environment the installed service would be started with now."""

    def hints(self) -> list[str]:
        """Notes for the user after installing."""
