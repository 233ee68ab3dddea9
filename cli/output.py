"""How every command speaks: data on stdout, talk on stderr, one line for what went wrong, and what exit codes mean."""

from enum import IntEnum
from typing import NoReturn

import typer
from rich.console import Console

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


def stop(message: str, code: Exit) -> NoReturn:
    """Ends the command with one line on stderr."""
    talk.print(f"[bold red]claude-max:[/] {_plain(message)}", soft_wrap=True)
    raise typer.Exit(code)


def _plain(message: str) -> str:
    return message.replace("[", r"\[")
