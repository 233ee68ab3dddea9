"""Runs a request through a whole proxy and the real CLI against a scripted service, and shows what arrived there."""

import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, NoReturn

import httpx2
from rich.console import RenderableType
from rich.text import Text
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_max.proxy.app import DIALECTS
from claude_max.proxy.config import ConfigError, Settings, load
from claude_max.proxy.errors import BadRequest, ServerFault
from claude_max.proxy.events import JsonObject
from claude_max.proxy.scripted import ScriptedAPI
from claude_max.proxy.translate.common.dialect import Dialect, RequestContext
from claude_max.proxy.translate.common.repairs import Repairs
from claude_max.proxy.translate.common.validation import parse_object

from ..embedded import embedded
from ..output import Result, printable, render
from .owners import LABELS, Owners
from .spans import Span, spans

STDIN = "-"
STYLES = {"yours": "green", "cli": "magenta", "ours": "bold"}
# Seconds; the scripted service answers at once, and a process takes one to start.
PATIENCE = 60.0
NAMES = {dialect.name: dialect for dialect in DIALECTS}


@dataclass(frozen=True, slots=True)
class Explanation(Result):
    """What the service received for a request. `parts` joined are `body`; `bytes` counts them by owner, in UTF-8."""

    api: str
    way: str
    calls: int
    bytes: dict[str, int]
    parts: tuple[Span, ...]
    body: str

    def view(self) -> Iterable[RenderableType]:
        """The body, coloured by owner; without colours each part is below its owner's name."""
        yield Text(f"{self.api}, {self.way}: {sum(self.bytes.values()):,} bytes reach the service", "bold")
        for owner, label in LABELS.items():
            yield Text(f"  {owner:5}  {self.bytes[owner]:>9,} bytes  {label}", STYLES[owner])
        yield Text()
        for part in self.parts:
            yield Text.assemble((f"{part.owner:5} ", "dim"), (printable(part.text), STYLES[part.owner]))

    def data(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "api": self.api,
            "way": self.way,
            "calls": self.calls,
            "bytes": self.bytes,
            "parts": [{"owner": part.owner, "path": list(part.path), "text": part.text} for part in self.parts],
            "body": self.body,
        }


def explain(file: str, *, api: str | None, json: bool) -> NoReturn:
    """Prints what the CLI sends for the request in `file`. Exits NO_CLI, USAGE or FAILED."""
    render(lambda: explained(_read(file), api), json=json, doing="Running Claude Code against a scripted service…")


def explained(raw: bytes, api: str | None = None, settings: Settings | None = None) -> Explanation:
    """What the CLI sends for a request body. Raises ConfigError for a wrong `api`, a ProxyError."""
    settings = settings or load()
    body = parse_object(raw, settings.json_depth, Repairs(strict=settings.strict))
    dialect = NAMES.get(api or _guessed(body))
    if dialect is None:
        raise ConfigError(f"--api {api}: use one of {', '.join(NAMES)}")
    context = RequestContext(aliases=settings.all_aliases, web_search=settings.web_search, strict=settings.strict)
    asked = dialect.to_turn(body, context)
    if not asked.turns:
        raise BadRequest("This request does not use a model: nothing is sent.")
    arrived, way = asyncio.run(_sent(raw, dialect, settings))
    text = arrived[0].decode()
    # The first is the request; the CLI may send others by itself after the answer.
    found = tuple(spans(text, Owners(asked.turns[0], json.loads(text))))
    sizes = {str(owner): 0 for owner in LABELS}
    for part in found:
        sizes[part.owner] += len(part.text.encode())
    return Explanation(dialect.name, way, len(arrived), sizes, found, text)


def _guessed(body: JsonObject) -> str:
    """The dialect of a body, by fields that only one dialect has."""
    if "input" in body:
        return "responses"
    if "messages" not in body:
        return "completions"
    blocks = [block for message in body["messages"] if isinstance(message, dict) for block in _content(message)]
    tools = [tool for tool in body.get("tools") or () if isinstance(tool, dict)]
    anthropic = "system" in body or any("input_schema" in tool for tool in tools) or "stop_sequences" in body
    blocks_of = any(block.get("type") in ("tool_use", "tool_result", "thinking") for block in blocks)
    return "messages" if anthropic or blocks_of else "chat_completions"


def _content(message: JsonObject) -> list[JsonObject]:
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else File(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None


async def _sent(raw: bytes, dialect: Dialect, settings: Settings) -> tuple[list[bytes], str]:
    """The bodies that reached the service, and the composition."""
    api = ScriptedAPI()
    arrived: list[bytes] = []
    api.app = _recording(api.app, arrived)  # type: ignore[assignment]
    async with embedded(settings, demo=True, api=api) as proxy:
        headers = {"authorization": f"Bearer {proxy.key}", "content-type": "application/json"}
        async with httpx2.AsyncClient(base_url=proxy.url, headers=headers, timeout=PATIENCE, trust_env=False) as client:
            answer = await client.post(dialect.paths[0], content=raw)
    if not arrived:
        raise ServerFault(f"Nothing was sent (status {answer.status_code}): {answer.text}")
    return arrived, answer.headers.get("x-claude-max-way", "")


def _recording(app: ASGIApp, arrived: list[bytes]) -> ASGIApp:
    """`app`, recording the raw bodies of messages."""

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/v1/messages":
            await app(scope, receive, send)
            return
        body = bytearray()

        class Kept:
            """As uvicorn's cycle, whose transport the scripted service uses."""

            def __init__(self) -> None:
                self.__self__ = getattr(receive, "__self__", None)

            async def __call__(self) -> Message:
                message = await receive()
                if message["type"] == "http.request":
                    body.extend(message.get("body", b""))
                    if not message.get("more_body", False):
                        arrived.append(bytes(body))
                return message

        await app(scope, Kept(), send)

    return recorded
