"""`claude-max serve`: finds the CLI, opens the port, prints the address for clients, and serves until stopped."""

import asyncio
import contextlib
import logging
import os
import socket
from typing import Any

from rich.text import Text

from claude_max.proxy.app import VERSION, create_app, usable_cli
from claude_max.proxy.config import (
    LOCALHOST,
    ConfigError,
    Settings,
    load,
    names_itself,
    old_names,
    open_to_all,
    unknown,
    without_password,
)
from claude_max.proxy.engine.planning.want import BASE_URL
from claude_max.proxy.engine.probe.fallback import UsableCli
from claude_max.proxy.engine.probe.locate import Cli, locate
from claude_max.proxy.engine.wire.command import API_KEYS
from claude_max.proxy.errors import CliUnavailable
from claude_max.proxy.port_check import Kind, address, listener, owner
from claude_max.proxy.renamed import FIX, FLAGS, now_called
from claude_max.proxy.server import Server, allow_connections, listen

from .log_format import configure
from .output import WARN, Exit, err, fail, folded
from .page import around
from .service import log
from .service.inside import is_service
from .signals import Terminated, call_when_terminated, ignore, note_interrupts
from .upstream import upstream


def serve(*, demo: bool, **flags: Any) -> None:
    """Runs the proxy in the foreground. Exits NO_CLI without a usable CLI, PORT_TAKEN when the port is in use."""
    note_interrupts()
    log.bound()
    service = is_service()
    old = _renamed_flags(flags, accept=service)
    try:
        settings = load(accept_old_names=service, **flags)
    except ConfigError as error:
        fail(str(error), Exit.USAGE)
    if why := open_to_all(settings):
        fail(why, Exit.USAGE)
    base = "" if demo else os.environ.get(BASE_URL, "")
    if names_itself(base, settings):
        fail(
            f"{BASE_URL} points to this server itself ({without_password(base)}): unset it, and start again.",
            Exit.USAGE,
        )
    try:
        cli = locate(settings.claude_path, os.environ)
    except CliUnavailable as error:
        fail(error.message, Exit.NO_CLI)
    allow_connections()
    sockets: list[socket.socket] = []
    for port in dict.fromkeys((settings.port, *settings.also_listen)):
        try:
            sockets += listen(settings.host, port)
        except OSError as error:
            why = _taken(settings.model_copy(update={"port": port}), error, is_extra=port != settings.port)
            fail(why, Exit.PORT_TAKEN)
    configure(settings.log_level, settings.log_format)
    # asyncio's warnings are about connections that clients closed, which is normal.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    if settings.log_level != "debug":
        # It logs each server that starts and stops, including the scripted one of the contract check.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
    for sentence in (*old, *(old_names() if service else ())):
        logging.getLogger("claude_max").error("%s: `%s` rewrites it.", sentence, FIX)
    try:
        with contextlib.suppress(KeyboardInterrupt, Terminated, asyncio.CancelledError):
            asyncio.run(_serve(settings, cli, sockets, demo))
    except CliUnavailable as error:
        fail(error.message, Exit.NO_CLI)


def _renamed_flags(flags: dict[str, Any], *, accept: bool) -> list[str]:
    """Moves old flags to their new names in place; returns a sentence for each. Exits USAGE if old names are not
    accepted.
    """
    said = []
    for old, new in FLAGS.items():
        value = flags.pop(old.removeprefix("--").replace("-", "_"), None)
        if value is None:
            continue
        said.append(now_called(old, new))
        if not accept:
            fail(f"{said[-1]}.", Exit.USAGE)
        flags.setdefault(new.removeprefix("--").replace("-", "_"), value)
    return said


async def _serve(settings: Settings, cli: Cli, sockets: list[socket.socket], demo: bool) -> None:
    task = asyncio.current_task()
    server: Server | None = None
    assert task is not None

    def stop(_: int) -> None:
        # The server is never cancelled: its lifespan, and with it the pool, would then end with the loop, which cancels
        # the start of a process together with the code that would end it.
        if server is None:
            task.cancel()
        else:
            server.should_exit = True

    call_when_terminated(asyncio.get_running_loop(), stop)
    with err.status(f"Checking Claude Code {cli.version_text}…") if err.is_terminal else contextlib.nullcontext():
        usable = await usable_cli(settings, cli)
    async with upstream(demo) as source:
        port = sockets[0].getsockname()[1]
        app = create_app(settings, usable, source, around(settings, port))
        _banner(settings, usable, port, demo)

        async def drain(at_once: bool) -> None:
            app.state.live.close()
            await app.state.drain(0 if at_once else settings.drain_timeout)

        server = Server(app, settings, drain)
        await server.serve(sockets)
        ignore()


def _taken(settings: Settings, error: OSError, *, is_extra: bool) -> str:
    """Why the port cannot be used, and what to do; `is_extra` is true for a port of `also_listen`."""
    where = f"{settings.host}:{settings.port}"
    found = listener(settings)
    user = owner(settings.port)
    whose = f" (started by the user {user})" if user else ""
    another = f"`claude-max serve --port {settings.port + 1 if settings.port < 65535 else settings.port - 1}`"
    if found.kind is Kind.OURS and not is_extra:
        version = found.health["version"]
        return f"claude-max {version} already answers at {address(settings)}{whose}. For a second one: {another}."
    if found.kind is Kind.OURS:
        who = "another claude-max answers there"
    else:
        who = f"it is in use by {found.detail}" if found.detail else error.strerror or str(error)
    if is_extra:
        return f"{where} cannot be used: {who}{whose}. Stop that program, or leave out --also-listen {settings.port}."
    return f"{where} cannot be used: {who}{whose}. Use another port: {another}."


def _banner(settings: Settings, usable: UsableCli, port: int, demo: bool) -> None:
    cli = usable.cli
    both = settings.host in LOCALHOST
    url = f"http://localhost:{port}/v1" if both else f"{address(settings.model_copy(update={'port': port}))}/v1"
    key = "anything" if settings.api_key is None else "YOUR_KEY"
    lines = [
        Text(f"claude-max {VERSION}, Claude Code {cli.version_text} ({cli.source})", "bold"),
        Text(f"export OPENAI_BASE_URL={url}"),
        Text(f"export OPENAI_API_KEY={key}"),
    ]
    if settings.also_listen:
        lines.append(Text(f"Listening on {' and '.join(map(str, settings.also_listen))}, too."))
    lines += [Text(usable.notice, WARN)] if usable.notice else []
    lines += [Text(line, WARN) for line in unknown().values()]
    if demo:
        lines.append(Text("Demo: every answer is scripted. No model is asked, no account is used.", f"bold {WARN}"))
    elif BASE_URL in os.environ:
        base = without_password(os.environ[BASE_URL])
        lines.append(Text(f"{BASE_URL} is set: requests go to {base}", WARN))
    for name in API_KEYS if settings.allow_anthropic_api_key and not demo else ():
        if name in os.environ:
            lines.append(Text(f"{name} is in use: requests are billed to this key, not to your subscription.", WARN))
    # A full disk under the log must not stop the server.
    with contextlib.suppress(OSError):
        for line in lines:
            # Without a frame, and lines to copy are not wrapped.
            broken = err.is_terminal and not line.plain.startswith("export ")
            shown = Text(folded(line.plain, err.width), line.style) if broken else line
            err.print(shown, soft_wrap=True, highlight=False)
