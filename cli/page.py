"""What the server's page shows about this machine: the doctor's findings, and how to set up clients.

The doctor runs in a separate process, because it starts programs and waits for the network.
"""

import asyncio
import contextlib
import json
import os
from dataclasses import asdict

from claude_max.proxy.config import PREFIX, Settings, load
from claude_max.proxy.errors import ServerFault
from claude_max.proxy.events import JsonObject
from claude_max.proxy.web.routes import Around

from .background import program

# All checks together take some seconds; the time-outs for the network and the service manager add up to less than this.
EXAMINE_SECONDS = 90.0


def around(settings: Settings, port: int) -> Around:
    """For a server with these settings, at its actual port."""

    async def clients(url: str) -> JsonObject:
        return await asyncio.to_thread(_clients, url, settings.api_key is not None)

    async def examine(_: str) -> JsonObject:
        return await examined(variables(settings, load(), port))

    return Around(clients, examine)


def variables(settings: Settings, known: Settings, port: int) -> dict[str, str]:
    """What a command must be told to see the `settings` of a server, where `known` are those that it sees by itself.

    They differ where the server was started with options.
    """
    given = settings.model_dump(mode="json", exclude={"api_key"})
    told = known.model_dump(mode="json", exclude={"api_key"})
    other = {name: value for name, value in {**given, "port": port}.items() if value != told[name]}
    return {
        f"{PREFIX}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in other.items()
        if value is not None
    }


async def examined(variables: dict[str, str]) -> JsonObject:
    """What `claude-max doctor --json` prints with these variables. Raises ServerFault."""
    process = await asyncio.create_subprocess_exec(
        *program(),
        "doctor",
        "--json",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **variables},
    )
    try:
        async with asyncio.timeout(EXAMINE_SECONDS):
            said, _ = await process.communicate()
        found = json.loads(said)
        return {"ok": found["ok"], "findings": found["findings"]}
    except (TimeoutError, ValueError, KeyError):
        raise ServerFault(
            "The doctor returned no findings; run `claude-max doctor` in a terminal to see why."
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _clients(url: str, has_key: bool) -> JsonObject:
    # Loads the writers of all formats, which nothing else here needs.
    from .connect import here
    from .connect.snippets import snippets

    found = snippets(url, here.surroundings(), has_key=has_key)
    return {"url": url, "clients": [asdict(each) for each in found]}
