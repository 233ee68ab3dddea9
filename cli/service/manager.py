"""What `launchd` and `systemd` have in common: how the rest of the room sees a service manager. Types only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .spec import Service
from .steps import Step

ANEW = "Recreate it: `claude-max uninstall-agent && claude-max install-agent`"


@dataclass(frozen=True, slots=True)
class State:
    """What the manager says of the service now.

    `last_exit` is None while it has never ended, and as a shell has it where a signal ended it.
    """

    installed: bool
    loaded: bool
    running: bool
    pid: int | None = None
    last_exit: int | None = None


class Manager(Protocol):
    """Asks the machine, and decides on steps; takes none itself."""

    name: str
    file: Path
    # The file that the service reads secrets from; None where there is nothing of the kind.
    secrets: Path | None
    # Where programs are found, after the folder of `claude` itself.
    search: tuple[str, ...]
    language: str
    # Seconds by which it may put a start off.
    put_off: float
    # What the platform does not tell the service, and the CLI must know.
    told: Mapping[str, str]

    def files(self) -> list[Path]:
        """The files that say what the installed service runs with; those that exist."""

    def render(self, service: Service) -> bytes:
        """The whole service file."""

    def state(self) -> State:
        """Installed, loaded, running."""

    def install(self, content: bytes) -> list[Step]:
        """From what is there now to this file, loaded and running; nothing where that is so already."""

    def uninstall(self) -> list[Step]:
        """From what is there now to nothing."""

    def restart(self) -> list[Step]:
        """A new process of the installed service."""

    def logs(self, lines: int, *, follow: bool) -> tuple[str, ...]:
        """The command that prints the last lines."""

    def command(self) -> tuple[str, ...]:
        """The words the installed service runs. Raises ServiceError when the file cannot be read."""

    def environment(self) -> dict[str, str]:
        """The environment the installed service would be started with now."""

    def hints(self) -> list[str]:
        """What a person may want to know after installing."""
