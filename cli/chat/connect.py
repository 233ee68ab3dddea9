"""The proxy to talk to: ours at the configured port, and when none runs one inside this program for the while."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from claude_max.proxy.config import Settings
from claude_max.proxy.errors import CliUnavailable
from claude_max.proxy.presence import Kind, address, occupant

from ..output import Exit
from .client import Client, Failure, opened


@dataclass(frozen=True, slots=True)
class Connection:
    """An open Client, where it leads, and whether the answers are `scripted`."""

    client: Client
    where: str
    scripted: bool


@contextlib.asynccontextmanager
async def connected(settings: Settings, *, demo: bool) -> AsyncIterator[Connection]:
    """The connection, closed at the end; a proxy started here ends with it. Raises Failure without a usable CLI."""
    # A demo is never answered by a proxy that would ask a real model.
    found = None if demo or settings.port == 0 else occupant(settings)
    if found is not None and found.kind is Kind.OURS:
        url = address(settings)
        key = settings.api_key.get_secret_value() if settings.api_key else None
        async with opened(url, key) as client:
            yield Connection(client, url, bool(found.health.get("scripted")))
        return
    # The whole proxy is half a second of imports that a running one saves.
    from ..embedded import embedded

    try:
        async with embedded(settings, demo=demo) as proxy, opened(proxy.url, proxy.key, starting=True) as client:
            yield Connection(client, "a proxy of its own", demo)
    except CliUnavailable as error:
        raise Failure(error.message, Exit.NO_CLI) from None
