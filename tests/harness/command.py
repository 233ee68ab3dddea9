"""The installed `claude-max`, run to its end: what it said on which stream, and its exit code."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .proxy import home_environment, installed

RUN_SECONDS = 60.0


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """All of stdout as one JSON value."""
        return json.loads(self.out)


def claude_max(
    home: Path,
    *arguments: str,
    environ: Mapping[str, str | None] | None = None,
    seconds: float = RUN_SECONDS,
    cwd: Path | None = None,
) -> Ended:
    """Runs it with a home of its own and nothing of the developer's; a variable that is None is left out."""
    environment = {**home_environment(home), **(environ or {})}
    done = subprocess.run(
        [installed(), *arguments],
        env={name: value for name, value in environment.items() if value is not None},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def stand_in(folder: Path, says: str = "2.1.332 (Claude Code)", *, name: str = "claude") -> Path:
    """A tiny program that answers `--version` as told, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program
