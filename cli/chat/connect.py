"""The proxy to talk to: ours at the configured port, else the installed service's, else one inside this program."""

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
    """An open Client, where it leads, and whether the answers are `scripted`."""

    client: Client
    where: str
    scripted: bool


@contextlib.asynccontextmanager
async def connected(settings: Settings, *, demo: bool) -> AsyncIterator[Connection]:
    """The connection, closed at the end; a proxy started here ends with it. Raises Failure without a usable CLI."""
    # A demo is never answered by a proxy that would ask a real model.
    running = None if demo else _ours(settings) or _ours(installed())
    if running is not None:
        there, health = running
        url = address(there)
        key = there.api_key.get_secret_value() if there.api_key else None
        async with opened(url, key) as client:
            yield Connection(client, url, bool(health.get("scripted")))
        return
    async with contextlib.AsyncExitStack() as stack:
        # The first start of all examines the CLI, which takes seconds.
        with err.status("Starting a proxy…") if err.is_terminal else contextlib.nullcontext():
            # The whole proxy is half a second of imports that a running one saves.
            from ..embedded import embedded

            try:
                proxy = await stack.enter_async_context(embedded(settings, demo=demo))
            except CliUnavailable as error:
                raise Failure(error.message, Exit.NO_CLI) from None
            client = await stack.enter_async_context(opened(proxy.url, proxy.key, starting=True))
        yield Connection(client, "a proxy of its own", demo)


def _ours(settings: Settings | None) -> tuple[Settings, JsonObject] | None:
    """The settings again, and what the proxy at their port says of itself; None where none of ours is."""
    if settings is None or settings.port == 0:
        return None
    found = listener(settings)
    return (settings, found.health) if found.kind is Kind.OURS else None
