"""Reads images and documents: URLs, data URLs and base64. Pure.

Supported are PNG, JPEG, GIF and WebP images, PDF and text files. Anything else is a BadRequest that names it. `repairs`
fixes wrong media types and base64 in another alphabet.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote

from ...errors import BadRequest
from ...events import Media
from .repairs import REFUSING, Repairs

# The first bytes of each kind of image. The CLI would replace other data with "[Image could not be processed]".
SIGNATURES: Mapping[str, re.Pattern[bytes]] = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n....IHDR", re.DOTALL),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
# A media type, its parameters and its encoding. The length is bounded.
_DATA_URL = re.compile(r"data:([\w.+/-]{0,100})((?:;[\w-]+=[^;,]{0,200}){0,8})(;base64)?,", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_URL_LETTERS = str.maketrans("-_", "+/")
_PDF = b"%PDF-"
# Characters of base64 that are enough to detect the kind of image.
_HEAD = 64


def image_at(url: object, where: str, repairs: Repairs = REFUSING) -> Media:
    """An image by its http(s) URL, its data URL, or (a repair) its bare base64 text. Raises BadRequest."""
    if not isinstance(url, str):
        raise BadRequest(f"{where} must be a string.", param=where)
    if url.startswith(("http://", "https://")):
        return Media("image", url=url)
    if not repairs.strict and kind_of_base64(url) is not None:
        repairs.note(where, "bare base64 taken for an image")
        return image_of("", url, where, repairs)
    media_type, data = _data_url(url, where)
    return image_of(media_type, data, where, repairs)


def image_of(media_type: str, data: str, where: str, repairs: Repairs = REFUSING) -> Media:
    """An image by its media type and its base64 text. Raises BadRequest."""
    data, decoded = decoded_base64(data, where, repairs)
    if media_type == "image/jpg":
        media_type = "image/jpeg"
    found = _kind_of(decoded)
    if found is not None and found != media_type:
        refusal = (
            f"{where}: the data is not {media_type}."
            if media_type in SIGNATURES
            else f"{where}: {media_type} is not one of {', '.join(SIGNATURES)}."
        )
        repairs.note(where, f"{media_type or 'no type'} is really {found}", refusal=refusal)
        media_type = found
    if media_type not in SIGNATURES:
        raise BadRequest(f"{where}: {media_type} is not one of {', '.join(SIGNATURES)}.", param=where)
    if found is None:
        raise BadRequest(f"{where}: the data is not {media_type}.", param=where)
    return Media("image", media_type, data)


def file_of(data: object, name: str, where: str, repairs: Repairs = REFUSING) -> Media:
    """A file by its data URL, or by its base64 text and its name ("" for none). Raises BadRequest."""
    if not isinstance(data, str):
        raise BadRequest(f"{where} must be a data URL or base64 text.", param=where)
    title = name or None
    media_type = "application/pdf" if name.lower().endswith(".pdf") else "text/plain"
    if data.startswith("data:"):
        media_type, data = _data_url(data, where)
    data, decoded = decoded_base64(data, where, repairs)
    if media_type == "application/octet-stream" and not repairs.strict:
        media_type = "application/pdf" if decoded.startswith(_PDF) else _kind_of(decoded) or "text/plain"
        repairs.note(where, f"application/octet-stream taken for {media_type}")
    if media_type == "application/pdf":
        return Media("document", media_type, data, title=title)
    if media_type in SIGNATURES:
        return image_of(media_type, data, where, repairs)
    if media_type.startswith("text/") or media_type in ("application/json", "application/xml", "application/yaml"):
        return Media("document", "text/plain", _text(decoded, where), title=title)
    raise BadRequest(f"{where}: {media_type} is not supported; PDF, text and images are.", param=where)


def _data_url(url: str, where: str) -> tuple[str, str]:
    """The media type and the base64 text of a data URL."""
    found = _DATA_URL.match(url)
    if found is None or found[3] is None:
        raise BadRequest(f"{where} must be an http(s) URL or a data URL with base64.", param=where)
    return (found[1] or "text/plain").lower(), url[found.end() :]


def decoded_base64(data: str, where: str, repairs: Repairs) -> tuple[str, bytes]:
    """The base64 text as the service takes it, and what it says. Raises BadRequest."""
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        refusal = f"{where} is not valid base64."
        data = _spelled(data)
        try:
            decoded = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest(refusal, param=where) from None
        repairs.note(where, "non-standard base64", refusal=refusal)
    if not decoded:
        raise BadRequest(f"{where} is empty.", param=where)
    return data, decoded


def _spelled(data: str) -> str:
    """Base64 without white space and percent signs, with the usual letters and its padding."""
    bare = _SPACE.sub("", unquote(data) if "%" in data else data).rstrip("=").translate(_URL_LETTERS)
    return bare + "=" * (-len(bare) % 4)


def kind_of_base64(data: str) -> str | None:
    """The media type of an image by the beginning of its base64 text, None for anything else."""
    text = _SPACE.sub("", data[:_HEAD]).translate(_URL_LETTERS)
    try:
        return _kind_of(base64.b64decode(text[: len(text) // 4 * 4], validate=True))
    except (binascii.Error, ValueError):
        return None


def _kind_of(data: bytes) -> str | None:
    """The media type of an image by its first bytes, None for anything else."""
    return next((name for name, signature in SIGNATURES.items() if signature.match(data)), None)


def _text(decoded: bytes, where: str) -> str:
    try:
        text = decoded.decode()
    except UnicodeDecodeError:
        raise BadRequest(f"{where} is not UTF-8 text.", param=where) from None
    if not text.strip():
        raise BadRequest(f"{where} is empty.", param=where)
    return text
