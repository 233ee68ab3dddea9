"""The check of the programs that are set up for this proxy: their address, their key, the name of their model."""

from urllib.parse import urlsplit

from ..config import LOCALHOST, without_password
from ..errors import ModelNotFound
from ..port_check import address
from ..translate.common.models import resolve
from .finding import Finding, ok, warning
from .machine import ClientRecord, Machine


def check_clients(machine: Machine) -> Finding | None:
    """Programs that are set up for claude-max have its address, a key that it takes, and a model that there is."""
    if machine.clients is None or machine.listening.port == 0:
        return None
    clients = machine.clients(machine.listening)
    if not clients:
        return ok("clients", "No other program is set up for claude-max")
    troubles = {client: why for client in clients if (why := _trouble(client, machine))}
    if not troubles:
        return ok("clients", f"Set up for {address(machine.listening)}: {', '.join(one.name for one in clients)}")
    summary = "; ".join(f"{client.title} ({client.file}) {why}" for client, why in troubles.items())
    fix = [f"claude-max connect {client.name}" for client in troubles]
    return warning("clients", summary, "Its requests fail until it is set up again.", *fix)


def _trouble(client: ClientRecord, machine: Machine) -> str | None:
    settings = machine.listening
    if not _same(client.url, address(settings)):
        return f"asks {without_password(client.url)}, but the proxy is at {address(settings)}"
    key = settings.api_key
    if key is not None and client.key is not None and client.key != key.get_secret_value():
        return "sends a key that the proxy refuses"
    if client.model is not None:
        try:
            resolve(client.model, (), settings.aliases)
        except ModelNotFound:
            return f"asks for the model {client.model!r}, which does not exist"
    return None


def _same(one: str, other: str) -> bool:
    """Whether two addresses lead to the same place."""
    return _place(one) == _place(other)


def _place(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return "localhost" if host in (*LOCALHOST, "::1") else host, parts.port
    except ValueError:
        return url, None
