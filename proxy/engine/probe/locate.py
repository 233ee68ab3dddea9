"""Finds the `claude` program: the one named, else one on PATH or in the usual places, else the bundled one.

Only looks at files and runs `--version`.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import CliTooOld, CliUnavailable
from ..wire.versions import MINIMUM, Version, dotted, version_of

VERSION_SECONDS = 10.0
# As the README has it: a CLI, or this program with one.
INSTALL_COMMANDS = (
    "npm install -g @anthropic-ai/claude-code",
    "uv tool install '.[cli]'   # in the folder of claude-max",
)
INSTALL = f"Install it with `{INSTALL_COMMANDS[0]}`, or take the one of the [cli] extra: `{INSTALL_COMMANDS[1]}`."
UPDATE = "Update it with `claude update`."
TOO_OLD = f"at least {dotted(MINIMUM)} is needed, because older ones read local files named in a prompt"

# What `Cli.source` may be, besides those in the usual places.
NAMED = "the one you named"
ON_PATH = "PATH"
BUNDLED = "the [cli] extra"


@dataclass(frozen=True, slots=True)
class Cli:
    """A program that was found and said its version."""

    path: Path
    version: Version
    source: str

    @property
    def version_text(self) -> str:
        """As `claude --version` prints it: "2.1.330"."""
        return dotted(self.version)


def locate(explicit: str | None, environ: Mapping[str, str]) -> Cli:
    """The program to run. Raises CliUnavailable with what was wrong with each candidate and the command that fixes it.

    One that the user named is taken or refused, never replaced by another.
    """
    if explicit is not None:
        return check(Path(explicit).expanduser(), NAMED)
    failures: list[CliUnavailable] = []
    for path, source in candidates(environ):
        try:
            return check(path, source)
        except CliUnavailable as error:
            failures.append(error)
    if failures:
        kind = CliTooOld if any(isinstance(error, CliTooOld) for error in failures) else CliUnavailable
        raise kind("No usable Claude Code CLI. " + " ".join(error.message for error in failures))
    raise CliUnavailable(f"The Claude Code CLI was not found on PATH or in the usual places. {INSTALL}")


def check(path: Path, source: str, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cli:
    """As `identify`. Raises CliTooOld, too, when it is older than MINIMUM."""
    cli = identify(path, source, environ, cwd)
    if cli.version < MINIMUM:
        raise CliTooOld(f"{path} is Claude Code {cli.version_text}; {TOO_OLD}. {UPDATE}")
    return cli


def identify(path: Path, source: str, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cli:
    """Runs `PATH --version`. Raises CliUnavailable when it does not run, or says no version."""
    # Workers run in other folders, and a bare name would be looked for on PATH.
    path = path.absolute()
    if not path.is_file():
        raise CliUnavailable(f"There is no Claude Code CLI at {path}. {INSTALL}")
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_SECONDS,
            stdin=subprocess.DEVNULL,
            env=environ,
            cwd=cwd,
            check=False,
        )
    except OSError as error:
        raise CliUnavailable(f"{path} does not run: {error.strerror or error}. {INSTALL}") from None
    except subprocess.TimeoutExpired:
        raise CliUnavailable(f"{path} did not say its version in {VERSION_SECONDS:g} seconds. {INSTALL}") from None
    version = version_of(done.stdout)
    if version is None:
        raise CliUnavailable(f"{path} did not say its version (exit code {done.returncode}). {INSTALL}")
    return Cli(path, version, source)


def candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Every `claude` this machine may have, best first, each once."""
    seen: set[Path] = set()
    for path, source in _everywhere(environ):
        real = path.resolve()
        if path.is_file() and real not in seen:
            seen.add(real)
            yield path, source


def _everywhere(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("claude", path=folder) if folder else None
        if found:
            yield Path(found), ON_PATH
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    name = "claude.exe" if sys.platform == "win32" else "claude"
    for place in (home / ".local/bin", home / ".claude/local", Path("/opt/homebrew/bin"), Path("/usr/local/bin"),
                  home / ".npm-global/bin", home / ".bun/bin", home / ".volta/bin"):  # fmt: skip
        yield place / name, "a usual place"
    bundle = importlib.util.find_spec("claude_agent_sdk")
    if bundle is not None and bundle.origin:
        yield Path(bundle.origin).parent / "_bundled" / name, BUNDLED
