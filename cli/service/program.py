"""Which `claude-max` a service file may name: one that still exists, and is still the right one, after an upgrade.

Links are not resolved: ~/.local/bin/claude-max or /opt/homebrew/bin/claude-max outlives its target.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from claude_max.proxy.engine.probe.locate import INSTALL_COMMANDS

from .spec import ServiceError

NAME = "claude-max"
INSTALL = f"Install it permanently: `{INSTALL_COMMANDS[1]}`"


def program(environ: Mapping[str, str], *, started_as: str = "", prefix: str = "", interpreter: str = "") -> str:
    """The absolute path of this program.

    The defaults are those of this process. Raises ServiceError if it is in a temporary environment (uvx, pipx run, a
    temporary folder).
    """
    interpreter = interpreter or sys.executable
    found = _found(started_as or sys.argv[0], Path(interpreter), environ)
    if found is None:
        raise ServiceError(f"No {NAME} command beside {interpreter}. {INSTALL}.")
    for place in (Path(prefix or sys.prefix), found):
        if _passing(place, environ):
            raise ServiceError(
                f"This claude-max runs from {place}, which is temporary. {INSTALL}, then `{NAME} install-agent`"
            )
    return str(found)


def _found(started_as: str, interpreter: Path, environ: Mapping[str, str]) -> Path | None:
    here = Path(os.path.abspath(started_as))  # noqa: PTH100 - Path.resolve would follow links
    if here.name == NAME and os.access(here, os.X_OK):
        return here
    beside = shutil.which(NAME, path=str(interpreter.parent))
    if beside is None:
        return None
    # The same program, under a name that outlives this environment.
    on_path = shutil.which(NAME, path=environ.get("PATH", os.defpath))
    return Path(on_path if on_path and Path(on_path).samefile(beside) else beside)


def _passing(place: Path, environ: Mapping[str, str]) -> bool:
    real = place.resolve()
    return any(real.is_relative_to(folder) for folder in _thrown_away(environ))


def _thrown_away(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME") or Path.home())
    named = (environ.get(name) for name in ("UV_CACHE_DIR", "XDG_CACHE_HOME"))
    usual = (home / ".cache", home / "Library/Caches", home / ".local/pipx/.cache")
    for folder in (*named, *usual, environ.get("TMPDIR") or "/tmp"):  # noqa: S108 - compared, not used
        if folder:
            yield Path(folder).resolve()
