"""`claude-max login`: runs the CLI's own sign-in, with the program that the proxy uses, which may not be on PATH.

`claude` reads and writes the terminal directly: nothing of it is read or kept here.
"""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from rich.console import RenderableType

from claude_max.proxy.config import load
from claude_max.proxy.engine.probe.locate import locate

from .output import Exit, Result, render


@dataclass(frozen=True, slots=True)
class SignIn(Result):
    """How `claude` ended; it prints its own messages."""

    code: int

    @property
    def exit(self) -> Exit:
        """NEEDS_LOGIN unless it ended well."""
        return Exit.FINE if self.code == 0 else Exit.NEEDS_LOGIN

    def view(self) -> Iterable[RenderableType]:
        """No further output."""
        return ()


def login(*, token: bool) -> NoReturn:
    """Runs `claude auth login` or `claude setup-token`. Exits NO_CLI, or NEEDS_LOGIN if it fails."""

    def sign_in() -> SignIn:
        program = locate(load().claude_path, os.environ).path
        words = ("setup-token",) if token else ("auth", "login")
        try:
            return SignIn(subprocess.run([program, *words], check=False).returncode)
        except KeyboardInterrupt:
            return SignIn(-1)

    render(sign_in, json=False)
