"""The page's static files and their security headers. They contain no data of this server, and need no key."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from fastapi import Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class File:
    """One of them, as it is served."""

    body: bytes
    media_type: str
    tag: str


def page_files() -> dict[str, File]:
    """All of them, by name."""
    found = {}
    for file in files("claude_max.proxy.web").joinpath("static").iterdir():
        kind = TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            body = file.read_bytes()
            found[file.name] = File(body, kind, f'"{hashlib.sha256(body).hexdigest()[:16]}"')
    return found


def served(file: File, wanted: str = "") -> Response:
    """The response; `wanted` is the request's `If-None-Match`. Always revalidated, since an upgrade changes the
    files.
    """
    headers = {**HEADERS, "etag": file.tag, "cache-control": "no-cache", "vary": "Accept"}
    if file.tag in wanted:
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers, media_type=file.media_type)
