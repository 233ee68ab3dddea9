"""The command and environment of the service, made from the user's own.

Pure: no files, no processes. A Service must not contain secrets: it is written to a file that backups and other
programs read.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from claude_max.proxy.config import PREFIX, Settings

from ..output import Exit

# Without these the service would read a different configuration than the user's, or not reach the network.
CARRIED = (
    "LANG", "LC_ALL", "LC_CTYPE",
    "CLAUDE_CONFIG_DIR",
    "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR",
    f"{PREFIX}CONFIG",
    *(f"{PREFIX}{name.upper()}" for name in Settings.model_fields if name != "api_key"),
)  # fmt: skip

TOKEN = "CLAUDE_CODE_OAUTH_TOKEN"  # noqa: S105 - a name
KEY = f"{PREFIX}API_KEY"


class ServiceError(Exception):
    """Why the service cannot be installed, changed or reached: one line, with the command that fixes it."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Service:
    """A program with its arguments, and the variables it needs besides the platform's own."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        for value in (*self.command, *self.environment.values()):
            if not writable(value):
                raise ServiceError(f"A service file cannot contain {value!r}: it has control characters.")


def writable(value: str) -> bool:
    """Whether a service file can contain it: no control characters, and valid Unicode."""
    return not any(char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in value)


def arguments(*, port: int | None, claude_path: str | None) -> tuple[str, ...]:
    """`serve` with the flags that were given; other settings come from the configuration file."""
    flags: list[str] = []
    if port is not None:
        flags += ["--port", str(port)]
    if claude_path is not None:
        flags += ["--claude-path", claude_path]
    return ("serve", *flags)


def environment(inherited: Mapping[str, str], search: Sequence[str], language: str) -> dict[str, str]:
    """The service's environment: PATH from the folders in `search`, and the user's variables that it needs."""
    carried = {name: inherited[name] for name in CARRIED if name in inherited and _harmless(name, inherited[name])}
    return {"PATH": ":".join(dict.fromkeys(search)), "LANG": language, **carried}


def left_out(inherited: Mapping[str, str], *, secrets: Path | None, config: Path) -> list[str]:
    """The user's variables that the service will not get, each with a safe way to provide it.

    `secrets` is the file from which systemd reads variables; None if the platform has none.
    """
    notes: list[str] = []
    if TOKEN in inherited:
        why = f"{TOKEN} is a secret and is not written to the service's file."
        notes.append(f"{why} Sign in once with `claude-max login`; the service will find that login.")
        if secrets is not None:
            file, folder = shlex.quote(str(secrets)), shlex.quote(str(secrets.parent))
            write = f"umask 077; mkdir -p {folder}; printf '{TOKEN}=%s\\n' \"${TOKEN}\" >> {file}"
            notes[-1] += f" Or give it the token: ({write}), then `claude-max service restart`."
    if KEY in inherited:
        notes.append(f'{KEY} is a secret: write `api_key = "..."` into {config} and make the file private (chmod 600).')
    if "ANTHROPIC_BASE_URL" in inherited:
        notes.append("ANTHROPIC_BASE_URL is set here but not in the service, which connects to Anthropic.")
    return notes + [
        f"{name} contains a password or cannot be written to a file; it is not set in the service."
        for name in CARRIED
        if name in inherited and not _harmless(name, inherited[name])
    ]


def _harmless(name: str, value: str) -> bool:
    if not writable(value):
        return False
    if not name.lower().endswith("_proxy"):
        return True
    return "@" not in value and urlsplit(value).password is None
