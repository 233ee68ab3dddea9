"""Reads attached files, detects their type by the first bytes and encodes them. Errors are one line each.

`proxy/translate/common/media.py` validates the parts; this file only checks for user mistakes.
"""

import base64
import sys
from pathlib import Path

from claude_max.proxy.translate.common.media import SIGNATURES

from .commands import Unusable
from .session import Attachment

# A request is at most 32 MiB, and base64 turns three bytes into four.
LIMIT = 24 * 1024 * 1024
# Instead of a file's name.
STDIN = "-"


def image(name: str) -> Attachment:
    """An image. Raises Unusable if the file cannot be read or is not an image."""
    return _picture(name, read(name))


def _picture(name: str, data: bytes) -> Attachment:
    kind = image_type(data)
    if kind is None:
        raise Unusable(f"{name} is not an image that models accept (PNG, JPEG, GIF or WebP).")
    return Attachment(_shown(name), {"type": "image_url", "image_url": {"url": _data_url(kind, data)}})


def file(name: str) -> Attachment:
    """A text, PDF or image. Raises Unusable if the file cannot be read or is something else."""
    data = read(name)
    if image_type(data) is not None:
        return _picture(name, data)
    kind = "application/pdf" if data.startswith(b"%PDF-") else "text/plain"
    if kind == "text/plain":
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        # A NUL is valid UTF-8 and a sure sign of a binary file.
        if "\0" in text:
            raise Unusable(f"{name} is neither text (UTF-8) nor a PDF nor an image.")
        if not text.strip():
            raise Unusable(f"{name} is empty.")
        data = text.encode()
    part = {"filename": _shown(name), "file_data": _data_url(kind, data)}
    return Attachment(_shown(name), {"type": "file", "file": part})


def image_type(data: bytes) -> str | None:
    """The media type of an image's bytes, None if models do not accept that type."""
    return next((kind for kind, begins in SIGNATURES.items() if begins.match(data)), None)


def read(name: str) -> bytes:
    """A file's bytes. Raises Unusable if it cannot be read or is too large for a request."""
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(LIMIT + 1)
        else:
            with Path(name).expanduser().open("rb") as opened:
                data = opened.read(LIMIT + 1)
    except (OSError, ValueError, RuntimeError) as error:
        # ValueError: a NUL in the name. RuntimeError: a `~user` that does not exist.
        why = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise Unusable(f"{name} cannot be read: {why}.") from None
    if len(data) > LIMIT:
        raise Unusable(f"{name} is over {LIMIT // 2**20} MiB, more than a request can hold.")
    return data


def _shown(name: str) -> str:
    return "stdin" if name == STDIN else Path(name).name


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
