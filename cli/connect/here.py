"""This machine, for the commands: whose files, where records are kept, and which proxy clients are set up for."""

import json
import os
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from platformdirs import user_state_path

from claude_max.proxy.config import ConfigError, Settings, load
from claude_max.proxy.port_check import Kind, address, listener

from .places import Surroundings
from .recipe import Target
from .record import Store

# Some clients do not start without a key; any word will do where the proxy wants none.
ANY_KEY = "claude-max"
MODEL = "sonnet"


def surroundings() -> Surroundings:
    """Of whoever runs the command.

    `uv run` puts the programs that this project is tested with on PATH, clients among them.
    """
    return Surroundings(os.environ, Path.home(), not_theirs=Path(sys.executable).parent if is_editable() else None)


def is_editable() -> bool:
    """Whether this program is installed for working on it (PEP 610), into an environment of its own."""
    try:
        source = json.loads(distribution("claude-max-toolkit").read_text("direct_url.json") or "{}")
        return bool(source.get("dir_info", {}).get("editable")) and sys.prefix != sys.base_prefix
    except (PackageNotFoundError, ValueError, AttributeError):
        return False


def store() -> Store:
    """Where records are kept."""
    return Store(user_state_path("claude-max") / "connect")


def proxy() -> tuple[Settings, bool]:
    """The settings of the proxy that clients are to use, and whether it answers now. Raises ConfigError.

    It is the one at the configured port where one answers, else the installed service's, else the configured one.
    """
    from ..service.actions import installed

    settings = load()
    if settings.port != 0 and listener(settings).kind is Kind.OURS:
        return settings, True
    service = installed()
    if service is not None and service.port != 0:
        return service, listener(service).kind is Kind.OURS
    return settings, False


def target(settings: Settings, model: str | None) -> Target:
    """What clients are set up for. Raises ConfigError where the port is a new one each time."""
    if settings.port == 0:
        raise ConfigError("Clients need a fixed port: `claude-max config set port 3456`")
    key = settings.api_key.get_secret_value() if settings.api_key is not None else ANY_KEY
    return Target(address(settings), key, model or MODEL)
