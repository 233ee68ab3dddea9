"""Output of all commands: data on stdout, messages on stderr, one line for an error, and the exit codes.

A command computes a Result, a frozen dataclass; `render` is the only place that prints one, as JSON or as text. Nothing
here depends on a command.
"""

import contextlib
import dataclasses
import io
import json as jsonlib
import logging
import os
import re
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.segment import Segment, SegmentLines
from rich.text import Text

from claude_max.proxy.errors import CliUnavailable, NotSignedIn, ProxyError

# A closed stream (`>&-`) is None, and the next file or socket would get its descriptor.
if sys.stdin is None:
    sys.stdin = open(os.open(os.devnull, os.O_RDONLY))  # noqa: PTH123, SIM115 - as long as the program
if sys.stdout is None:
    # Opened for reading, so that a write fails as it would on the closed stream.
    sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")  # noqa: PTH123, SIM115
if sys.stderr is None:
    sys.stderr = open(os.open(os.devnull, os.O_WRONLY), "w")  # noqa: PTH123, SIM115

for _stream in (sys.stdout, sys.stderr):
    # A terminal that cannot show "✓" gets an escape instead of a traceback.
    if isinstance(_stream, io.TextIOWrapper):
        _stream.reconfigure(errors="backslashreplace")

NAME = "claude-max"
# In every object that `--json` prints: within one number no field is renamed or removed, or changes its type.
SCHEMA = 1
# Wider than any line, so that output to a pipe or a file is not cut or wrapped.
UNBOUNDED = 100_000
# Legible on a light and on a dark background; yellow, cyan and white are not (tests/cli/test_colours.py).
WARN, COMMAND = "magenta", "bold"
# C0 and C1 controls but newline and tab; a lone escape character is enough to retitle or reprogram a terminal.
_CONTROLS = dict.fromkeys([*(c for c in range(32) if c not in (9, 10)), *range(127, 160)])


def _console(*, stderr: bool) -> Console:
    # rich honours NO_COLOR and COLUMNS by itself, and uses no colour in a pipe.
    bounded = "COLUMNS" in os.environ or (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=None if bounded else UNBOUNDED)


out = _console(stderr=False)
err = _console(stderr=True)


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    NO_CLI = 3
    NEEDS_LOGIN = 4
    PORT_TAKEN = 5
    WRONG_KEY = 6


MEANINGS: Mapping[Exit, str] = {
    Exit.FINE: "fine",
    Exit.FAILED: "failed",
    Exit.USAGE: "wrong arguments or settings",
    Exit.NO_CLI: "no usable claude",
    Exit.NEEDS_LOGIN: "claude is not signed in",
    Exit.PORT_TAKEN: "the port is in use",
    Exit.WRONG_KEY: "the proxy requires another key",
}


@dataclass(frozen=True, slots=True)
class Result(ABC):
    """The result of a command. `--json` prints its fields."""

    @abstractmethod
    def view(self) -> Iterable[RenderableType]:
        """The text output. A Text is one line that is never wrapped, so that commands and paths can be copied."""

    @property
    def exit(self) -> Exit:
        """The command's exit code."""
        return Exit.FINE

    def data(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return dataclasses.asdict(self)


def render(command: Callable[[], Result], *, json: bool, doing: str = "") -> NoReturn:
    """Runs a command, prints its result or error, and exits with its exit code.

    `doing` is shown on stderr while it runs, if that is a terminal.
    """
    from claude_max.proxy.config import ConfigError

    # asyncio's warnings on futures and connections are for developers.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        if doing and err.is_terminal:
            with err.status(doing):
                result = command()
        else:
            result = command()
    except ConfigError as error:
        fail(str(error), Exit.USAGE, json=json)
    except CliUnavailable as error:
        fail(error.message, Exit.NO_CLI, json=json, api=error)
    except NotSignedIn as error:
        fail(error.message, Exit.NEEDS_LOGIN, json=json, api=error)
    except ProxyError as error:
        fail(error.message, Exit.FAILED, json=json, api=error)
    with writing():
        if json:
            print_json(result.data())
        else:
            for part in result.view():
                _show(part)
    raise typer.Exit(result.exit)


def render_text(command: Callable[[], str]) -> NoReturn:
    """Runs a command whose whole output is a text for programs, such as CSV."""
    from claude_max.proxy.config import ConfigError

    try:
        text = command()
    except ConfigError as error:
        fail(str(error), Exit.USAGE)
    except ProxyError as error:
        fail(error.message, Exit.FAILED)
    with writing():
        typer.echo(text, nl=False)
    raise typer.Exit(Exit.FINE)


def fail(message: str, code: Exit, *, json: bool = False, api: object = None) -> NoReturn:
    """Ends the command with one line on stderr; with `json` also as an object on stdout.

    `api` is the API error it comes from, with its `code` and `type`.
    """
    print_error(message, code, json=json, api=api)
    raise typer.Exit(code)


def print_error(message: str, code: int, *, json: bool = False, api: object = None) -> None:
    """Prints one line for an error without exiting; on a terminal wrapped between words."""
    if json:
        known = {"code": getattr(api, "code", None), "type": getattr(api, "type", None)}
        with writing():
            print_json({"error": {"message": message, "exit_code": int(code), **known}})
    line = spoken(f"{NAME}: {printable(message)}")
    line.stylize("bold red", 0, len(NAME) + 1)
    err.print(line, soft_wrap=True, highlight=False)


def printable(text: str) -> str:
    """`text` without control characters: it may come from anywhere, and must not control the terminal."""
    return text.translate(_CONTROLS)


def spoken(text: str) -> Text:
    """A message, to print with `soft_wrap`: for a terminal it is already wrapped between words."""
    return Text(folded(text, err.width) if err.is_terminal else text)


def folded(text: str, width: int) -> str:
    """`text` in lines of `width` characters.

    Paths, and commands in backquotes, are not split, because people copy them; the terminal wraps longer ones.
    """
    kept = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", "\0"), text)
    lines = [textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in kept.split("\n")]
    return "\n".join(line for broken in lines for line in broken).replace("\0", " ")


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Wraps code that writes to stdout.

    If a write fails, the command ends with FAILED and one line. A closed pipe (`| head`) needs no line.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # Python would flush the rest again at exit, with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not isinstance(error, BrokenPipeError):
            print_error(f"The output cannot be written: {error.strerror}.", Exit.FAILED)
        raise typer.Exit(Exit.FAILED) from None


def _show(part: RenderableType) -> None:
    if isinstance(part, Text):
        out.print(part, soft_wrap=True, highlight=False)
        return
    rows = [trimmed(row) for row in out.render_lines(part, pad=False)]
    out.print(SegmentLines(rows, new_lines=True), end="")


def trimmed(row: list[Segment]) -> list[Segment]:
    """A row without trailing blanks."""
    while row and not row[-1].text.strip():
        row = row[:-1]
    return [*row[:-1], Segment(row[-1].text.rstrip(), row[-1].style)] if row else []


def print_json(value: Mapping[str, Any]) -> None:
    """An object as `--json` prints it, with the number of its schema."""
    typer.echo(jsonlib.dumps({"schema": SCHEMA, **value}, indent=2, ensure_ascii=False, default=str))
