"""The installed `claude-max`, run to its end: what it said on which stream, and its exit code."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .forked import start
from .proxy import home_environment

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
    stdin: bytes | None = None,
) -> Ended:
    """Runs it with a home of its own and nothing of the developer's; a variable that is None is left out."""
    environment = {**home_environment(home), **(environ or {})}
    given = {name: value for name, value in environment.items() if value is not None}
    return run(arguments, given, seconds, cwd, stdin)


def run(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    seconds: float = RUN_SECONDS,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    command: str = "claude-max",
) -> Ended:
    """Runs it with this environment, and `stdin` in a pipe. Raises TimeoutExpired."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        process = start(arguments, environ, command=command, cwd=cwd, stdin=given, stdout=out, stderr=err)
        try:
            if process.stdin is not None:
                # It may end without having read all.
                with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                    pipe.write(stdin or b"")
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        out.seek(0)
        err.seek(0)
        return Ended(code, out.read().decode(), err.read().decode())


def stand_in(folder: Path, says: str = "2.1.332 (Claude Code)", *, name: str = "claude") -> Path:
    """A tiny program that answers `--version` as told, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program
