"""What listens at the configured port: nothing, this proxy, the npm package it replaces, or another program.

Sends HTTP requests and looks at sockets; starts and ends no processes.
"""

import contextlib
import errno
import os
import socket
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import httpx2
import psutil

from .config import Settings
from .events import JsonObject

# On loopback an answer takes milliseconds.
HEALTH_SECONDS = 1.0
PROVIDER = "claude-code-cli"
# TCP_LISTEN, as /proc/net/tcp writes it.
LISTENING = "0A"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104 - addresses to reach, not to listen on


class Kind(StrEnum):
    """Who it is."""

    FREE = "free"
    OURS = "ours"
    LEGACY_NPM = "legacy_npm"
    OTHER = "other"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Listener:
    """What listens. `health` is our proxy's `/health`; `detail` names the other program, or says why a port is
    unusable.
    """

    kind: Kind
    detail: str = ""
    health: JsonObject = field(default_factory=dict)


def address(settings: Settings) -> str:
    """The address of the configured proxy from this machine, without a path."""
    host = _ANYWHERE.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def listener(settings: Settings) -> Listener:
    """What listens at the configured address; UNUSABLE if nothing does but `serve` could not either."""
    try:
        with httpx2.Client(timeout=HEALTH_SECONDS, trust_env=False) as http:
            answer = http.get(f"{address(settings)}/health")
    except (httpx2.ConnectError, httpx2.ConnectTimeout):
        return _unused(settings)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return Listener(Kind.OTHER, _process(settings.port))
    try:
        health = answer.json()
    except ValueError:
        health = None
    if not isinstance(health, dict) or health.get("provider") != PROVIDER:
        return Listener(Kind.OTHER, _process(settings.port))
    if "version" in health and "cli_version" in health:
        return Listener(Kind.OURS, health=health)
    return Listener(Kind.LEGACY_NPM, _process(settings.port))


def _unused(settings: Settings) -> Listener:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return Listener(Kind.OTHER, _process(settings.port))
            return Listener(Kind.UNUSABLE, error.strerror or str(error))
    return Listener(Kind.FREE)


def owner(port: int) -> str:
    """The user whose program listens there; empty if it is this user, or cannot be determined."""
    if os.name != "posix":
        return ""
    import pwd

    uid = _owner_id(port)
    if uid is None or uid == os.geteuid():
        return ""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _owner_id(port: int) -> int | None:
    """Linux shows every user the owner of a socket; elsewhere only root can see it."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                _, local, _, state, *_, uid = line.split()[:8]
                if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                    return int(uid)
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN and connection.laddr
            if listening and listening.port == port and connection.pid:
                return psutil.Process(connection.pid).uids().effective
    return None


def _process(port: int) -> str:
    """The program that listens there, as "name (pid 12)"; empty if this user has no permission."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN and connection.laddr
            if listening and listening.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
