"""Where a client's files are on this machine, and whether they may be written."""

import contextlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .recipe import File, Recipe


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment and home folder of the user, and the platform as in `sys.platform`.

    Programs in the folder `not_theirs` are not the user's clients, even if it is on PATH.
    """

    environ: Mapping[str, str]
    home: Path
    platform: str = sys.platform
    not_theirs: Path | None = None

    def expand(self, place: str) -> Path | None:
        """A place of a recipe as a path; None if one of its variables is not set."""
        known = {"CONFIG": self._config(), "APP": self._app(), **self.environ}
        names = re.findall(r"\$(\w+)", place)
        if any(not known.get(name) for name in names):
            return None
        text = re.sub(r"\$(\w+)", lambda found: str(known[found[1]]), place)
        return self.home / text[2:] if text.startswith("~/") else Path(text)

    def where(self, file: File) -> Path:
        """The path of a client's file, which need not exist."""
        for place in file.moved:
            if (path := self.expand(place)) is not None:
                return path
        possible = [path for place in file.places if (path := self.expand(place)) is not None]
        return next((path for path in possible if os.path.lexists(path)), possible[0])

    def found(self, recipe: Recipe) -> bool:
        """Whether a client seems to be on this machine."""
        folders = self.environ.get("PATH", os.defpath).split(os.pathsep)
        path = os.pathsep.join(each for each in folders if self.not_theirs is None or Path(each) != self.not_theirs)
        if any(shutil.which(program, path=path) for program in recipe.programs):
            return True
        places = [self.expand(trace) for trace in recipe.traces]
        return any(place is not None and place.exists() for place in places)

    def _config(self) -> str:
        configured = self.environ.get("XDG_CONFIG_HOME", "")
        return configured if Path(configured).is_absolute() else str(self.home / ".config")

    def _app(self) -> str:
        match self.platform:
            case "darwin":
                return str(self.home / "Library" / "Application Support")
            case "win32":
                return self.environ.get("APPDATA") or str(self.home / "AppData" / "Roaming")
            case _:
                return self._config()


class Refused(Exception):
    """Why a file is left alone; one sentence."""


def target_of(path: Path) -> Path:
    """The file to write, with links resolved. Raises Refused for a broken or circular link."""
    try:
        found = path.resolve()
    except (OSError, RuntimeError):
        raise Refused(f"{path} is a link that leads to itself") from None
    if path.is_symlink() and not found.exists() and not found.parent.exists():
        raise Refused(f"{path} is a link to {found}, which does not exist")
    return found


def text_of(target: Path) -> str | None:
    """A file's text, including a byte-order mark; None if there is no file. Raises Refused."""
    try:
        return target.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise Refused(f"{target} is not UTF-8 text") from None
    except IsADirectoryError:
        raise Refused(f"{target} is a folder") from None
    except OSError as error:
        raise Refused(f"{target} cannot be read: {error.strerror}") from None


def check_writable(target: Path) -> None:
    """Raises Refused if the file or its folder is read-only or belongs to another user."""
    try:
        known = target.stat()
    except OSError:
        known = None
    if known is not None:
        if os.name == "posix" and known.st_uid != os.geteuid():
            raise Refused(f"{target} belongs to {_owner(known.st_uid)}")
        # Not only the system's permission: root may write everything.
        if not known.st_mode & stat.S_IWUSR or not os.access(target, os.W_OK):
            raise Refused(f"{target} is read-only")
    folder = target.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise Refused(f"{folder} is not a folder")
    if not os.access(folder, os.W_OK) or not folder.stat().st_mode & stat.S_IWUSR:
        raise Refused(f"the folder {folder} is read-only")


def missing_folders(target: Path) -> tuple[Path, ...]:
    """The folders that must be created for a file, innermost first."""
    found = []
    folder = target.parent
    while not folder.exists() and folder != folder.parent:
        found.append(folder)
        folder = folder.parent
    return tuple(found)


def _owner(uid: int) -> str:
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        return f"the user {pwd.getpwuid(uid).pw_name}"
    return f"the user {uid}"
