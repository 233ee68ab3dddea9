"""What the server's page shows about this machine: the doctor's findings, and how to set up clients.

The doctor runs in a separate process, because it starts programs and waits for the network.
"""

import asyncio
import contextlib
import json
import os
from dataclasses import asdict

from claude_max.proxy.config import PREFIX, Settings
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
        return await examined({f"{PREFIX}PORT": str(port)})

    return Around(clients, examine)


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
