"""How every command speaks: data on stdout, talk on stderr, one line for what went wrong, and what exit codes mean.

A command computes a Result, a frozen dataclass; `render` is the only place that prints one, as JSON or for people.
Nothing here knows what any command does.
"""

import dataclasses
import io
import json as jsonlib
import logging
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.text import Text

from claude_max.proxy.errors import CliUnavailable, NotSignedIn, ProxyError

for _stream in (sys.stdout, sys.stderr):
    # A terminal that knows no "✓" shows something else for it; it is no reason to end with a traceback.
    if isinstance(_stream, io.TextIOWrapper):
        _stream.reconfigure(errors="backslashreplace")

# rich honours NO_COLOR and COLUMNS by itself, and uses no colour in a pipe.
out = Console()
talk = Console(stderr=True)


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    NO_CLI = 3
    NEEDS_LOGIN = 4
    PORT_TAKEN = 5


MEANINGS: Mapping[Exit, str] = {
    Exit.FINE: "fine",
    Exit.FAILED: "failed",
    Exit.USAGE: "wrong arguments or settings",
    Exit.NO_CLI: "no usable claude",
    Exit.NEEDS_LOGIN: "claude is not signed in",
    Exit.PORT_TAKEN: "the port is taken",
}


@dataclass(frozen=True, slots=True)
class Result(ABC):
    """What a command found out. Its fields are what `--json` prints."""

    @abstractmethod
    def drawn(self) -> Iterable[RenderableType]:
        """The form for people. A Text is one line that is never broken, so that commands and paths can be copied."""

    @property
    def exit(self) -> Exit:
        """The command's exit code."""
        return Exit.FINE

    def data(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return dataclasses.asdict(self)


def render(command: Callable[[], Result], *, json: bool, doing: str = "") -> NoReturn:
    """Runs a command, prints what it returns or why it failed, and ends with its exit code.

    `doing` is shown on a terminal's stderr while it runs.
    """
    from claude_max.proxy.config import ConfigError

    # asyncio's notes on futures and connections are for whoever writes this program.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        if doing and talk.is_terminal:
            with talk.status(doing):
                result = command()
        else:
            result = command()
    except ConfigError as error:
        stop(str(error), Exit.USAGE, json=json)
    except CliUnavailable as error:
        stop(error.message, Exit.NO_CLI, json=json)
    except NotSignedIn as error:
        stop(error.message, Exit.NEEDS_LOGIN, json=json)
    except ProxyError as error:
        stop(error.message, Exit.FAILED, json=json)
    try:
        if json:
            _print_json(result.data())
        else:
            for part in result.drawn():
                out.print(part, soft_wrap=isinstance(part, Text), highlight=False)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What waits to be written would be tried once more at the end, with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        stop(f"The output cannot be written: {error.strerror}.", Exit.FAILED)
    raise typer.Exit(result.exit)


def stop(message: str, code: Exit, *, json: bool = False) -> NoReturn:
    """Ends the command with one line on stderr; with `json` also as an object on stdout."""
    complain(message, code, json=json)
    raise typer.Exit(code)


def complain(message: str, code: int, *, json: bool = False) -> None:
    """One line for what went wrong, without ending anything."""
    if json:
        _print_json({"error": {"message": message, "exit_code": int(code)}})
    talk.print(f"[bold red]claude-max:[/] {escape(message)}", soft_wrap=True, highlight=False)


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(jsonlib.dumps(value, indent=2, ensure_ascii=False, default=str))
