"""`claude-max serve`: finds the CLI, takes the port, prints where to point a client, and serves until told to stop."""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from rich.markup import escape
from rich.panel import Panel

from claude_max.proxy.app import Upstream, contract_of, create_app
from claude_max.proxy.config import ConfigError, Settings, load
from claude_max.proxy.engine.locate import Cli, locate
from claude_max.proxy.engine.pool import Pool
from claude_max.proxy.errors import CliUnavailable
from claude_max.proxy.routes.guard import is_loopback
from claude_max.proxy.scripted import ScriptedAPI, serve_scripted

from .output import Exit, stop, talk

# After the drain: time for the last error events to reach their clients before connections are cut.
LAST_WORDS_SECONDS = 1
DEMO_LOGIN = "sk-ant-oat01-scripted-demo"


class Server(uvicorn.Server):
    """uvicorn, giving answers in flight their time before connections are closed."""

    def __init__(self, config: uvicorn.Config, pool: Pool, drain: float) -> None:
        super().__init__(config)
        self._pool = pool
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, lets running answers end, then closes."""
        for server in self.servers:
            server.close()
        await self._pool.drain(0 if self.force_exit else self._drain)
        await super().shutdown(sockets)


def serve(*, demo: bool, **flags: Any) -> None:
    """Runs the proxy in the foreground. Exits NO_CLI without a usable CLI, PORT_TAKEN when the port is in use."""
    try:
        settings = load(**flags)
    except ConfigError as error:
        stop(str(error), Exit.USAGE)
    if not is_loopback(settings.host) and settings.api_key is None:
        stop(
            f"{settings.host} can be reached from other machines, so a key is required: set CLAUDE_MAX_API_KEY.",
            Exit.USAGE,
        )
    try:
        cli = locate(settings.claude_path, os.environ)
    except CliUnavailable as error:
        stop(error.message, Exit.NO_CLI)
    try:
        sockets = listen(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        stop(f"{where} cannot be used ({error.strerror}). Choose another with --port.", Exit.PORT_TAKEN)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # asyncio's own warnings are about connections that clients cut, which is their right.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(settings, cli, sockets, demo))
    except CliUnavailable as error:
        stop(error.message, Exit.NO_CLI)


async def _serve(settings: Settings, cli: Cli, sockets: list[socket.socket], demo: bool) -> None:
    features = await contract_of(cli)
    async with upstream(demo) as source:
        app = create_app(settings, cli, features, source)
        config = uvicorn.Config(
            app,
            log_level=settings.log_level,
            access_log=False,
            server_header=False,
            log_config=None,
            timeout_graceful_shutdown=LAST_WORDS_SECONDS,
        )
        _banner(settings, cli, sockets[0].getsockname()[1], demo)
        await Server(config, app.state.pool, settings.drain).serve(sockets)


@contextlib.asynccontextmanager
async def upstream(demo: bool) -> AsyncIterator[Upstream]:
    """The real service, or a scripted one with a home of its own, so that no login of the user's is near it."""
    if not demo:
        yield Upstream(os.environ)
        return
    with tempfile.TemporaryDirectory(prefix="claude-max-demo-", ignore_cleanup_errors=True) as home:
        async with serve_scripted(ScriptedAPI()) as url:
            environ = {
                **{name: os.environ[name] for name in ("PATH", "LANG", "TERM") if name in os.environ},
                "HOME": home,
                "CLAUDE_CONFIG_DIR": str(Path(home) / ".claude"),
                "CLAUDE_CODE_OAUTH_TOKEN": DEMO_LOGIN,
                "ANTHROPIC_BASE_URL": url,
            }
            yield Upstream(environ, scripted=True)


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets for the address; the default listens on ::1 too, where the machine has it, so that `localhost` works.

    Raises OSError when the port is taken.
    """
    hosts = [host, "::1"] if host in ("127.0.0.1", "localhost") else [host]
    sockets: list[socket.socket] = []
    try:
        for index, name in enumerate("127.0.0.1" if h == "localhost" else h for h in hosts):
            family = socket.AF_INET6 if ":" in name else socket.AF_INET
            try:
                sockets.append(_bound(family, name, port))
            except OSError as error:
                # No IPv6 on this machine is fine; somebody else on the same port there is not.
                if index == 0 or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
            port = sockets[0].getsockname()[1]
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # With the protocol left open asyncio would not turn Nagle's algorithm off: 40 ms more on every kept connection.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # Only lets a restart take the port at once; two servers still cannot share it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(2048)
    except OSError:
        sock.close()
        raise
    return sock


def _banner(settings: Settings, cli: Cli, port: int, demo: bool) -> None:
    name = "localhost" if is_loopback(settings.host) else settings.host
    url = f"http://{name}:{port}/v1"
    key = "anything" if settings.api_key is None else "<your key>"
    lines = [
        f"[bold]{url}[/]",
        "",
        f'export OPENAI_BASE_URL="{url}" OPENAI_API_KEY="{key}"',
        "",
        f"Claude Code {cli.version_text} ({escape(cli.source)})",
    ]
    if demo:
        lines.append("[bold yellow]Demo: every answer is scripted. No model is asked, no account is used.[/]")
    elif "ANTHROPIC_BASE_URL" in os.environ:
        lines.append(f"[yellow]ANTHROPIC_BASE_URL is set: requests go to {os.environ['ANTHROPIC_BASE_URL']}[/]")
    if settings.allow_anthropic_api_key and "ANTHROPIC_API_KEY" in os.environ:
        lines.append("[yellow]ANTHROPIC_API_KEY is in use: requests are billed to it, not to your subscription.[/]")
    talk.print(Panel("\n".join(lines), title="claude-max", title_align="left", expand=False))
