"""Services of the npm package `claude-max-api-proxy`, which this project replaces and which takes the same port."""

import plistlib
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "claude-max-api"
PORT = 3456


@dataclass(frozen=True, slots=True)
class LegacyService:
    """A service file of the npm package, and the command that removes it."""

    file: Path
    port: int
    undo: str


def legacy_services(folder: Path, port: int) -> list[LegacyService]:
    """Those in `folder` (LaunchAgents, or systemd's user units) that use `port`."""
    found = (*_agents(sorted(folder.glob("*.plist"))), *_units(sorted(folder.glob("*.service"))))
    return [legacy for legacy in found if legacy.port == port]


def _agents(paths: Iterable[Path]) -> Iterator[LegacyService]:
    for path in paths:
        try:
            said = plistlib.loads(path.read_bytes())
            words = [str(word) for word in [said.get("Program", ""), *said.get("ProgramArguments", [])]]
            label = str(said.get("Label", path.stem))
        except (OSError, ValueError, TypeError, AttributeError):
            continue
        if any(MARK in word for word in (label, *words)):
            undo = f'launchctl bootout "gui/$(id -u)/{label}"; rm {shlex.quote(str(path))}'
            yield LegacyService(path, _port([*words, *map(str, said.get("EnvironmentVariables", {}).values())]), undo)


def _units(paths: Iterable[Path]) -> Iterator[LegacyService]:
    for path in paths:
        try:
            said = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        if MARK in path.name or re.search(rf"^ExecStart=.*{MARK}", said, re.MULTILINE):
            undo = f"systemctl --user disable --now {path.name}; rm {shlex.quote(str(path))}"
            started = re.findall(r"^(?:ExecStart|Environment)=(.*)$", said, re.MULTILINE)
            yield LegacyService(path, _port(re.split(r'[\s="]+', " ".join(started))), undo)


def _port(words: Iterable[str]) -> int:
    # `claude-max-api [port]`
    return next((int(word) for word in words if word.isdecimal() and 1 <= int(word) <= 65535), PORT)
