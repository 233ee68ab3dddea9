"""Checks the package index for a newer claude-max, at most once a day.

Off unless `update_check` is set. A background process runs this module to ask the index, so that no command waits. The
result is reported the next time. Only the name of the package is sent.
"""

import contextlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
from platformdirs import user_cache_path

from claude_max.proxy.config import ConfigError, load
from claude_max.proxy.text_files import replace_text

PACKAGE = "claude-max-toolkit"
PYPI = "https://pypi.org/simple"
# Variables that set another index for uv and pip; the first one that is set is used.
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
# The index's pages as JSON: the Simple Repository API (PEP 691).
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
EVERY = 24 * 60 * 60
ASKING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Known:
    """The time of the last query, in seconds since 1970, and the newest version; "" for none."""

    asked: float = 0.0
    newest: str = ""


def file() -> Path:
    """Where it is kept."""
    return user_cache_path("claude-max") / "update.json"


def notice() -> str | None:
    """One line on a newer version, None if none is known or `update_check` is off. Starts a query if one is due."""
    try:
        if not load().update_check:
            return None
    except ConfigError:
        return None
    known, now = _recall(), time.time()
    if not 0 <= now - known.asked < EVERY and _remember(Known(now, known.newest)):
        _ask_beside()
    here = version(PACKAGE)
    if not known.newest or Version(known.newest) <= Version(here):
        return None
    return f"claude-max {known.newest} is available: `{upgrade_command(sys.prefix)}`"


def upgrade_command(prefix: str) -> str:
    """The command that upgrades an installation in that folder."""
    folders = Path(prefix).as_posix()
    if "/uv/tools/" in folders:
        return f"uv tool upgrade {PACKAGE}"
    if "/pipx/venvs/" in folders:
        return f"pipx upgrade {PACKAGE}"
    if "/Cellar/" in folders:
        return "brew upgrade claude-max"
    return f"pip install --upgrade {PACKAGE}"


def newest_of(files: Iterable[Mapping[str, Any]], python: str) -> str:
    """The newest release among the `files` of a package's page that are not withdrawn and take this Python; "" if none.

    Only final releases: a pre-release (`1.0rc1`) is not offered as an upgrade.
    """
    found = [_version_of(str(each.get("filename"))) for each in files if not each.get("yanked") and _fits(each, python)]
    releases = [each for each in found if each is not None and not each.is_prerelease]
    return str(max(releases)) if releases else ""


def _fits(file: Mapping[str, Any], python: str) -> bool:
    return SpecifierSet(str(file.get("requires-python") or "")).contains(python, prereleases=True)


def _version_of(name: str) -> Version | None:
    with contextlib.suppress(ValueError):
        return parse_wheel_filename(name)[1] if name.endswith(".whl") else parse_sdist_filename(name)[1]
    return None


def _recall() -> Known:
    try:
        found = orjson.loads(file().read_bytes())
        known = Known(float(found["asked"]), str(found["newest"]))
        if known.newest:
            Version(known.newest)
    except (OSError, ValueError, KeyError, TypeError):
        return Known()
    return known


def _remember(known: Known) -> bool:
    """Whether it could be stored: otherwise every command would query the index."""
    try:
        file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_text(file(), orjson.dumps(asdict(known)).decode())
    except OSError:
        return False
    return True


def _ask_beside() -> None:
    """Starts this module in a process that outlives the command."""
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NO_WINDOW}
    nothing = subprocess.DEVNULL
    with contextlib.suppress(OSError):
        # -P: imports nothing from the current folder.
        subprocess.Popen([sys.executable, "-P", "-m", __name__], stdin=nothing, stdout=nothing, stderr=nothing, **apart)


def _ask() -> None:
    """Queries the index and stores the result; after any failure it tries again the next day."""
    import httpx2

    index = next((os.environ[name] for name in INDEX_VARIABLES if os.environ.get(name)), PYPI)
    with contextlib.suppress(httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError, AttributeError):
        page = httpx2.get(
            f"{index.rstrip('/')}/{PACKAGE}/",
            headers={"Accept": SIMPLE_JSON, "User-Agent": f"claude-max/{version(PACKAGE)}"},
            timeout=ASKING_SECONDS,
            follow_redirects=True,
        )
        page.raise_for_status()
        _remember(Known(time.time(), newest_of(page.json()["files"], platform.python_version())))


if __name__ == "__main__":
    _ask()
