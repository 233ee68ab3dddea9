"""Finds the proxy to use: the one at the configured port, else the installed service, else one in this process."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from claude_max.proxy.config import Settings
from claude_max.proxy.errors import CliUnavailable
from claude_max.proxy.events import JsonObject
from claude_max.proxy.port_check import Kind, address, listener

from ..output import Exit, err
from ..service.actions import installed
from .client import Client, Failure, opened


@dataclass(frozen=True, slots=True)
class Connection:
    """An open Client, its address, and whether the answers are `scripted`."""

    client: Client
    where: str
    scripted: bool


@contextlib.asynccontextmanager
async def connected(settings: Settings, *, demo: bool) -> AsyncIterator[Connection]:
    """The connection, closed at the end; a proxy started here is stopped with it. Raises Failure without a usable
    CLI.
    """
    # A demo never uses a running proxy, which would ask a real model.
    running = None if demo else _ours(settings) or _ours(installed())
    if running is not None:
        there, health = running
        url = address(there)
        key = there.api_key.get_secret_value() if there.api_key else None
        async with opened(url, key) as client:
            yield Connection(client, url, bool(health.get("scripted")))
        return
    async with contextlib.AsyncExitStack() as stack:
        # The very first start runs the contract check, which takes seconds.
        with err.status("Starting a proxy…") if err.is_terminal else contextlib.nullcontext():
            # Importing the whole proxy takes half a second, which is not needed if one is running.
            from ..embedded import embedded

            try:
                proxy = await stack.enter_async_context(embedded(settings, demo=demo))
            except CliUnavailable as error:
                raise Failure(error.message, Exit.NO_CLI) from None
            client = await stack.enter_async_context(opened(proxy.url, proxy.key, starting=True))
        yield Connection(client, "a proxy of its own", demo)


def _ours(settings: Settings | None) -> tuple[Settings, JsonObject] | None:
    """The settings, and the health of the proxy at their port; None if no claude-max is there."""
    if settings is None or settings.port == 0:
        return None
    found = listener(settings)
    return (settings, found.health) if found.kind is Kind.OURS else None
