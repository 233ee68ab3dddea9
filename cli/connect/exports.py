"""`claude-max env`: the variables for OpenAI clients, in the syntax of a shell.

ANTHROPIC_BASE_URL is not set: a proxy started from the same shell would send its requests to itself.
"""

import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from claude_max.proxy.config import ConfigError

from ..output import Result
from .recipe import Target

# OPENAI_API_BASE is the older name of the first; some programs still read only that.
VARIABLES: Mapping[str, str] = {
    "OPENAI_BASE_URL": "{url}/v1",
    "OPENAI_API_BASE": "{url}/v1",
    "OPENAI_API_KEY": "{key}",
}


def _posix(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    plain = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{plain}'"


def _powershell(name: str, value: str) -> str:
    plain = value.replace("'", "''")
    return f"$env:{name} = '{plain}'"


SHELLS: Mapping[str, Callable[[str, str], str]] = {
    "bash": _posix,
    "zsh": _posix,
    "fish": _fish,
    "powershell": _powershell,
}


@dataclass(frozen=True, slots=True)
class Exports(Result):
    """The variables, and the shell that they are written for."""

    shell: str
    variables: dict[str, str]

    def view(self) -> Iterable[RenderableType]:
        """One line per variable, for `eval`."""
        yield from (Text(SHELLS[self.shell](name, value)) for name, value in self.variables.items())


def exports(target: Target, shell: str | None, environ: Mapping[str, str] = os.environ) -> Exports:
    """The variables for a shell, or for the one that SHELL names. Raises ConfigError for an unknown one."""
    from .fill import filled

    chosen = shell or _usual(environ)
    if chosen not in SHELLS:
        raise ConfigError(f"Unknown shell {chosen!r}. Available: {', '.join(SHELLS)}.")
    return Exports(chosen, {name: str(filled(value, target)) for name, value in VARIABLES.items()})


def _usual(environ: Mapping[str, str]) -> str:
    if os.name == "nt" and not environ.get("SHELL"):
        return "powershell"
    name = environ.get("SHELL", "").replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    return "powershell" if name == "pwsh" else name if name in SHELLS else "bash"
