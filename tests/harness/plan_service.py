"""A stand-in for api.anthropic.com, reached by the real CLI through a CONNECT proxy: what `get_usage` really asks.

The CLI asks for the plan's usage there whatever ANTHROPIC_BASE_URL says, and only for a login of the kind that
`claude auth login` makes; here that is a file with made-up words in a home of the test's own.
"""

import asyncio
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class PlanService:
    """`usage` is what it answers (None: status 500); `asked` are the request lines that came."""

    folder: Path
    usage: dict[str, Any] | None
    port: int = 0
    asked: list[str] = field(default_factory=list)
    stop: Callable[[], object] = lambda: None
    connections: set[asyncio.Task[None]] = field(default_factory=set)

    def environ(self) -> dict[str, str | None]:
        """What leads a CLI here."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
            "NO_PROXY": "127.0.0.1,localhost",
            "NODE_EXTRA_CA_CERTS": str(self.folder / "certificate.pem"),
            "CLAUDE_CODE_OAUTH_TOKEN": None,
        }

    def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one, and remembers it until it ends."""
        task = asyncio.create_task(self._serve(reader, writer))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # CONNECT, then HTTPS until the client has enough.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "certificate.pem", self.folder / "key.pem")
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await writer.start_tls(context)
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                request = head.splitlines()[0].rsplit(" ", 1)[0]
                self.asked.append(request)
                status, body = "404 No", b"{}"
                if request.startswith("GET /api/oauth/usage"):
                    status = "200 OK" if self.usage is not None else "500 No"
                    body = json.dumps(self.usage).encode()
                said = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(said.encode() + body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def sign_in(home: Path, plan: str = "max") -> None:
    """A login as `claude auth login` leaves it on Linux, with nothing real in it."""
    login = {
        "accessToken": "sk-ant-oat01-made-up",
        "refreshToken": "sk-ant-ort01-made-up",
        "expiresAt": int(time.time() + 86400) * 1000,
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": plan,
        "rateLimitTier": "default_claude_max_20x",
    }
    (home / ".claude").mkdir(exist_ok=True)
    (home / ".claude" / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}))


@contextmanager
def plan_service(folder: Path, usage: dict[str, Any] | None) -> Iterator[PlanService]:
    """The stand-in, in a thread, with a certificate of its own in `folder`."""
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=test", "-addext", "subjectAltName=DNS:api.anthropic.com", "-days", "2"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*make, *name, *files], check=True, capture_output=True)
    service, up = PlanService(folder, usage), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(_run(service, up),), daemon=True)
    thread.start()
    try:
        assert up.wait(10)
        yield service
    finally:
        service.stop()
        thread.join(10)


async def _run(service: PlanService, up: threading.Event) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    service.stop = lambda: loop.call_soon_threadsafe(stopped.set)
    async with await asyncio.start_server(service.connection, "127.0.0.1", 0) as server:
        service.port = server.sockets[0].getsockname()[1]
        up.set()
        await stopped.wait()
    # The clients have ended, so what is left of their connections ends by itself.
    await asyncio.wait(service.connections or {asyncio.create_task(asyncio.sleep(0))}, timeout=5)
