"""Corrects paths that are nearly right. Pure; takes the existing routes as an argument.

People paste a base URL with or without `/v1`, with it twice, with a trailing slash, or with the whole path of an
endpoint, and their client appends its own path.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

VERSION = "/v1"
# How a path matches: a route serves it, a route serves it for another method, or no route matches.
Fit = Literal["served", "other method", "absent"]
_ABSOLUTE = re.compile(r"https?://[^/]*", re.IGNORECASE)
_VERSIONS = re.compile(r"(?:/v1)+(?=/|\Z)")

# Unsupported endpoints that clients use, by path prefix, and what to do instead.
ABSENT = {
    "/openai": "This is Azure's address. Use OpenAI's own client instead of AzureOpenAI; its base URL is this server's "
    "address and /v1, and the key goes into `Authorization: Bearer`.",
    "/v1/embeddings": "Claude models make no embeddings.",
    "/v1/rerank": "Claude models do not rank documents.",
    "/v1/audio": "Claude models do not process audio.",
    "/v1/realtime": "Claude models do not process audio; use /v1/chat/completions or /v1/responses.",
    "/v1/images": "Claude models make no images; they read them, as parts of a message.",
    "/v1/videos": "Claude models make no videos.",
    "/v1/fine_tuning": "Claude models cannot be fine-tuned through the CLI.",
    "/v1/files": "There is no file store; send files as content parts.",
    "/v1/uploads": "There is no file store; send files as content parts.",
    "/v1/vector_stores": "There is no vector store; send documents as content parts.",
    "/v1/batches": "There is no batch API; send requests in parallel.",
    "/v1/moderations": "There is no moderation model.",
    "/v1/assistants": "Use /v1/chat/completions.",
    "/v1/threads": "Use /v1/chat/completions.",
    "/v1/conversations": "Use /v1/responses with previous_response_id, or send the whole conversation.",
    "/v1/complete": "Use /v1/messages or /v1/chat/completions.",
    "/v1/engines": "Use /v1/chat/completions or /v1/completions.",
    "/v1beta": "This is Gemini's API. Set the client to an OpenAI-compatible provider; the base URL is this server's "
    "address and /v1.",
    "/api/v1": "The base URL is this server's address and /v1, without /api.",
    "/completion": "This is llama.cpp's own API. Use /v1/completions or /v1/chat/completions.",
    "/infill": "Claude models do not fill in the middle of a text.",
    "/generate": "This is TGI's own API. Use /v1/chat/completions.",
    "/tokenize": "Tokens are not available; POST /v1/messages/count_tokens counts them.",
}


def meant(method: str, target: str, endpoints: Sequence[str], fit: Callable[[str, str], Fit]) -> str:
    """The path that a request was meant for; one for which there is nothing comes back as it is, but tidy.

    `endpoints` are the paths that dialects answer at; `fit` tells how a path fits a method.
    """
    tidy = _tidy(target)
    candidates = [*_repeated(tidy, endpoints), tidy, VERSION + tidy, tidy.removeprefix(VERSION) or "/"]
    for wanted in ("served", "other method"):
        found = next((path for path in candidates if fit(method, path) == wanted), None)
        if found is not None:
            return found
    return tidy


def instead(path: str, reasons: dict[str, str]) -> str:
    """What to say of a path that is not here, "" for nothing. The longest beginning that fits tells."""
    fitting = [
        begin for begin in reasons for each in (path, VERSION + path) if each == begin or each.startswith(f"{begin}/")
    ]
    return reasons[max(fitting, key=len)] if fitting else ""


def _tidy(target: str) -> str:
    """Without the scheme and host of a proxy's request, doubled slashes and versions, and a slash at the end."""
    absolute = _ABSOLUTE.match(target)
    path = target if absolute is None else target[absolute.end() :]
    path = "/" + "/".join(part for part in path.split("/") if part)
    return _VERSIONS.sub(VERSION, path, count=1) if path.startswith(VERSION) else path


def _repeated(tidy: str, endpoints: Sequence[str]) -> list[str]:
    """The path that a client added to the whole address of an endpoint."""
    return [
        VERSION + tidy.removeprefix(endpoint).removeprefix(VERSION)
        for endpoint in endpoints
        if tidy.startswith(f"{endpoint}/") and endpoint.startswith(VERSION)
    ]
