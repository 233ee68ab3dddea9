"""Chooses the service manager of this machine; has the messages if there is none."""

import os
import shutil
import sys
from collections.abc import Mapping

from .launchd import Launchd
from .manager import Manager
from .spec import ServiceError
from .steps import Machine, Silent
from .systemd import SYSTEMCTL, Systemd

BY_HAND = "Start it by hand, or with another process manager: `claude-max serve`"


def choose(machine: Machine | None = None, platform: str = sys.platform) -> Manager:
    """The manager of this machine. Raises ServiceError, with the manual alternative, if there is none."""
    machine = machine or Machine()
    if "SUDO_USER" in machine.environ and platform != "win32" and os.geteuid() == 0:
        raise ServiceError("The service belongs to your user: run the same command without sudo.")
    if "HOME" not in machine.environ:
        raise ServiceError("HOME is not set, so this user cannot have a service.")
    if platform == "darwin":
        return Launchd(machine, os.getuid())
    if platform == "win32":
        raise ServiceError(f"Services are not supported on Windows yet. {BY_HAND}")
    if shutil.which("systemctl", path=machine.environ.get("PATH", os.defpath)) is None:
        raise ServiceError(f"This machine has no systemd. {BY_HAND}")
    said = machine.ask([*SYSTEMCTL, "show", "--property=Version"])
    if said.returncode != 0:
        raise ServiceError(
            f"Your user's systemd cannot be reached ({_reason(said.stderr, machine.environ)}). {BY_HAND}"
        )
    return Systemd(machine)


def unasked(machine: Machine, platform: str = sys.platform) -> Manager | None:
    """The manager of this platform if it cannot be reached here, as in a container; None if there is none.

    Only for output: nothing is installed with it.
    """
    known = platform not in ("darwin", "win32") and "HOME" in machine.environ
    return Systemd(Silent(environ=machine.environ)) if known else None


def is_installed(machine: Machine) -> bool:
    """Whether the service has a file; the manager itself, which is slow, is not asked if it can be avoided.

    Raises ServiceError.
    """
    return (unasked(machine) or choose(machine)).file.is_file()


def _reason(said: str, environ: Mapping[str, str]) -> str:
    why = " ".join(said.split()).rstrip(".") or "it says nothing"
    if "XDG_RUNTIME_DIR" not in environ:
        why += "; XDG_RUNTIME_DIR is not set, as after `su`: log in as this user instead"
    return why
