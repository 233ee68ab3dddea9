"""Downloads the newest release of the Claude Code CLI: it is in the wheel of claude-agent-sdk, on the package index.

Uses uv, else pip, and its configured index. Writes only to the given folder.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from claude_max.proxy.errors import ServerFault

PACKAGE = "claude-agent-sdk"
# Some 75 MB.
DOWNLOAD_SECONDS = 600.0
# The errors of uv and pip if the index cannot be reached.
NO_NETWORK = ("client error (connect)", "newconnectionerror", "failed to establish", "dns error")
# Their errors if there is no wheel for this platform; both are told not to build one.
NO_WHEEL = ("no wheels", "no matching distribution", "no usable wheels")


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A program in a folder, and the version of the package that it came with."""

    program: Path
    version: str


def download(folder: Path) -> Downloaded:
    """Installs the newest release below `folder`. Raises ServerFault with the installer's message."""
    target = folder / "package"
    command = [*_installer(), "--no-deps", "--only-binary", ":all:", "--target", str(target), PACKAGE]
    try:
        # In the folder, so that the settings of a project in the current folder do not apply.
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ServerFault(f"{PACKAGE} was not downloaded in {DOWNLOAD_SECONDS:g} seconds.") from None
    except OSError as error:
        raise ServerFault(f"{command[0]} does not run: {error.strerror or error}.") from None
    if done.returncode != 0:
        raise ServerFault(_why(done.stderr))
    program = target / "claude_agent_sdk" / "_bundled" / ("claude.exe" if sys.platform == "win32" else "claude")
    if not program.is_file():
        raise ServerFault(f"The newest {PACKAGE} for this platform contains no Claude Code CLI.")
    version = next(target.glob("claude_agent_sdk-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    return Downloaded(program, version)


def _installer() -> list[str]:
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--quiet", "--no-cache", "--python", sys.executable]
    if importlib.util.find_spec("pip") is None:
        raise ServerFault("Downloading needs uv or pip. Install uv: `pipx install uv`.")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-cache-dir")
    return [sys.executable, "-m", "pip", "install", *quiet]


def _why(said: str) -> str:
    """The error, with the installer's last line, without the lines that uv draws before it."""
    last = " ".join(re.sub(r"^[^\w]+", "", line) for line in said.splitlines()[-4:]).strip()
    # This first: pip then says that there is no matching distribution, too.
    if any(words in said.lower() for words in NO_NETWORK):
        return f"{PACKAGE} cannot be downloaded: the package index cannot be reached. Is there a network? {last}"
    if any(words in said.lower() for words in NO_WHEEL):
        return f"{PACKAGE} has no wheel for this platform: {last}"
    return f"{PACKAGE} cannot be downloaded: {last}"
