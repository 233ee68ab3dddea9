"""This machine: the user's files, where records are kept, and the proxy that clients are set up for."""

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

# Some clients do not start without a key; if the proxy requires none, any value works.
ANY_KEY = "claude-max"
MODEL = "sonnet"


def surroundings() -> Surroundings:
    """The environment of the user who runs the command.

    `uv run` puts the programs that this project is tested with on PATH, including clients.
    """
    return Surroundings(os.environ, Path.home(), not_theirs=Path(sys.executable).parent if is_editable() else None)


def is_editable() -> bool:
    """Whether this is an editable install (PEP 610) in its own environment."""
    try:
        source = json.loads(distribution("claude-max-toolkit").read_text("direct_url.json") or "{}")
        return bool(source.get("dir_info", {}).get("editable")) and sys.prefix != sys.base_prefix
    except (PackageNotFoundError, ValueError, AttributeError):
        return False


def store() -> Store:
    """Where records are kept."""
    return Store(user_state_path("claude-max") / "connect")


def proxy() -> tuple[Settings, bool]:
    """The settings of the proxy that clients will use, and whether it answers now.

    Raises ConfigError. This is the proxy at the configured port if one answers, else the installed service, else the
    configured one.
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
    """The target that clients are set up for. Raises ConfigError if the port changes at each start."""
    if settings.port == 0:
        raise ConfigError("Clients need a fixed port: `claude-max config set port 3456`")
    key = settings.api_key.get_secret_value() if settings.api_key is not None else ANY_KEY
    return Target(address(settings), key, model or MODEL)
