"""HTTP client of the proxy: sends questions and streams answers. Every failure is one line and an exit code.

Knows the chat completions API and nothing of terminals or processes.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote

import httpx2

from claude_max.proxy.events import JsonObject

from ..output import Exit

CONNECT_SECONDS = 5.0
# No read timeout: the proxy itself ends a turn in which the model sends nothing for too long.
TIMEOUT = httpx2.Timeout(None, connect=CONNECT_SECONDS)
# An embedded proxy knows its models once a first claude process has started (0.5 s; more on a busy machine). If none
# ever starts, the question's own error says why.
READY_SECONDS = 5.0
READY_POLL_SECONDS = 0.02

# The `code` of an error object, where it means another exit code than "failed".
EXITS = {
    "not_signed_in": Exit.NEEDS_LOGIN,
    "invalid_api_key": Exit.WRONG_KEY,
    "cli_unavailable": Exit.NO_CLI,
    "model_not_found": Exit.USAGE,
}
HINTS = {"invalid_api_key": " Set CLAUDE_MAX_API_KEY, or api_key in the configuration, to the proxy's key."}

# Notes for a `finish_reason` other than the model's own end.
ENDINGS = {
    "length": "The answer was cut off: it reached the token limit.",
    "content_filter": "The model declined to answer.",
}


class Failure(Exception):
    """A question that was not answered; `str` is the message, `exit` the exit code."""

    def __init__(
        self, message: str, exit: Exit = Exit.FAILED, *, code: str | None = None, type: str | None = None
    ) -> None:
        super().__init__(message)
        self.exit = exit
        # The API's, if it is an error of the API.
        self.code = code
        self.type = type


class Unfit(Failure):
    """An answer that was received and printed, but does not satisfy the schema."""


@dataclass(frozen=True, slots=True)
class Said:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """More of the thinking's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is complete. `reason` is the API's `finish_reason`; `usage` its usage object, if it sent one."""

    model: str
    reason: str
    usage: JsonObject | None


Piece = Said | Thought | Ended


class Client:
    """One proxy. `starting`: it was just started, so the first question waits until it knows its models."""

    def __init__(self, http: httpx2.AsyncClient, *, starting: bool = False) -> None:
        self._http = http
        self._starting = starting

    async def stream(self, body: JsonObject) -> AsyncGenerator[Piece]:
        """The answer in pieces, the last one Ended. Raises Failure. Closing the generator ends the turn upstream."""
        await self._ready()
        model, reason, usage, whole = "", "stop", None, False
        with self._failures() as state:
            async with self._http.stream("POST", "/v1/chat/completions", json=body) as response:
                if response.status_code != 200:
                    await response.aread()
                    _refuse(response)
                state.begun = True
                async for event in httpx2.EventSource(response):
                    if event.data == "[DONE]":
                        whole = True
                        break
                    chunk: Any = event.json()
                    if "error" in chunk:
                        raise failure(chunk["error"])
                    model, usage = chunk.get("model") or model, chunk.get("usage") or usage
                    for choice in chunk.get("choices") or ():
                        reason = choice.get("finish_reason") or reason
                        delta = choice.get("delta") or {}
                        if delta.get("reasoning_content"):
                            yield Thought(delta["reasoning_content"])
                        if delta.get("content"):
                            yield Said(delta["content"])
        if not whole:
            raise Failure(STOPPED)
        yield Ended(model, reason, usage)

    async def complete(self, body: JsonObject) -> JsonObject:
        """The whole completion object. Raises Failure."""
        await self._ready()
        return await self._json("POST", "/v1/chat/completions", json=body)

    async def models(self) -> list[str]:
        """Every model id that a request may name. Raises Failure."""
        return [str(row["id"]) for row in (await self._json("GET", "/v1/models"))["data"]]

    async def check_model(self, name: str) -> None:
        """Raises Failure with the proxy's message if there is no such model."""
        await self._ready()
        await self._json("GET", f"/v1/models/{quote(name)}")

    async def _json(self, method: str, path: str, **more: Any) -> JsonObject:
        with self._failures():
            response = await self._http.request(method, path, **more)
            if response.status_code != 200:
                _refuse(response)
            found: Any = response.json()
            if isinstance(found, dict):
                return found
        raise Failure(NONSENSE)

    async def _ready(self) -> None:
        if not self._starting:
            return
        with contextlib.suppress(TimeoutError, httpx2.HTTPError):
            async with asyncio.timeout(READY_SECONDS):
                while not _settled((await self._http.get("/health")).json()):  # noqa: ASYNC110 - in another server
                    await asyncio.sleep(READY_POLL_SECONDS)
        self._starting = False

    @contextlib.contextmanager
    def _failures(self) -> Iterator["_State"]:
        """Maps foreign exceptions to Failures; the only place that does."""
        state = _State()
        try:
            yield state
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise Failure(
                f"The proxy at {self._http.base_url} cannot be reached. Start it with `claude-max serve`."
            ) from None
        except httpx2.HTTPError as error:
            raise Failure(
                STOPPED if state.begun else f"The proxy did not answer ({error or type(error).__name__})."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Failure(NONSENSE) from None


STOPPED = "The proxy stopped in the middle of the answer."
NONSENSE = "The server there does not support the chat completions API."


@dataclass(slots=True)
class _State:
    """Whether the answer has begun."""

    begun: bool = False


@contextlib.asynccontextmanager
async def opened(url: str, key: str | None, *, starting: bool = False) -> AsyncIterator[Client]:
    """A Client of the proxy at `url`, such as "http://127.0.0.1:3456"."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    # HTTP_PROXY and similar variables do not apply to connections to this machine.
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False) as http:
        yield Client(http, starting=starting)


def failure(error: object) -> Failure:
    """The Failure in an OpenAI error object."""
    found: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    code = str(found.get("code"))
    message = str(found.get("message") or "The proxy gave no reason.") + HINTS.get(code, "")
    kind = found.get("type")
    return Failure(
        " ".join(message.split()),
        EXITS.get(code, Exit.FAILED),
        code=None if found.get("code") is None else code,
        type=kind if isinstance(kind, str) else None,
    )


def _settled(health: Mapping[str, Any]) -> bool:
    """Whether waiting longer cannot help."""
    return bool(health.get("ready")) or health.get("signed_in") is False


def _refuse(response: httpx2.Response) -> NoReturn:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        raise Failure(f"The proxy answered with status {response.status_code}.") from None
    raise failure(error)
