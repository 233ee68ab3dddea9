"""Images and documents in the forms that clients send them: URLs, data URLs, base64. Pure.

Carried: PNG, JPEG, GIF and WebP images, PDF and text files. Everything else is a BadRequest that names it.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from ...errors import BadRequest
from ...events import Media

# What each kind of image begins with. The CLI would put "[Image could not be processed]" in the place of another.
SIGNATURES: Mapping[str, re.Pattern[bytes]] = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n....IHDR", re.DOTALL),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
# A name of a media type, parameters, and how it is written; nobody needs more than this of it.
_DATA_URL = re.compile(r"data:([\w.+/-]{0,100})((?:;[\w-]+=[^;,]{0,200}){0,8})(;base64)?,", re.IGNORECASE)


def image_at(url: object, where: str) -> Media:
    """An image by its http(s) URL or its data URL. Raises BadRequest."""
    if not isinstance(url, str):
        raise BadRequest(f"{where} must be a string.", param=where)
    if url.startswith(("http://", "https://")):
        return Media("image", url=url)
    media_type, data = _data_url(url, where)
    return _image(media_type, data, where)


def image_of(media_type: str, data: str, where: str) -> Media:
    """An image by its media type and its base64 text. Raises BadRequest."""
    _decoded(data, where)
    return _image(media_type, data, where)


def _image(media_type: str, data: str, where: str) -> Media:
    if media_type == "image/jpg":
        media_type = "image/jpeg"
    if media_type not in SIGNATURES:
        raise BadRequest(f"{where}: {media_type} is not one of {', '.join(SIGNATURES)}.", param=where)
    if not SIGNATURES[media_type].match(base64.b64decode(data[:64])):
        raise BadRequest(f"{where}: the data is no {media_type}.", param=where)
    return Media("image", media_type, data)


def file_of(data: object, name: str, where: str) -> Media:
    """A file by its data URL, or by its base64 text and its name ("" for none). Raises BadRequest."""
    if not isinstance(data, str):
        raise BadRequest(f"{where} must be a data URL or base64 text.", param=where)
    title = name or None
    if data.startswith("data:"):
        media_type, data = _data_url(data, where)
    else:
        _decoded(data, where)
        media_type = "application/pdf" if name.lower().endswith(".pdf") else "text/plain"
    if media_type == "application/pdf":
        return Media("document", media_type, data, title=title)
    if media_type in SIGNATURES:
        return _image(media_type, data, where)
    if media_type.startswith("text/") or media_type in ("application/json", "application/xml", "application/yaml"):
        return Media("document", "text/plain", _text(data, where), title=title)
    raise BadRequest(f"{where}: {media_type} cannot be carried; PDF, text and images can.", param=where)


def _data_url(url: str, where: str) -> tuple[str, str]:
    """The media type and the base64 text of a data URL."""
    found = _DATA_URL.match(url)
    if found is None or found[3] is None:
        raise BadRequest(f"{where} must be an http(s) URL or a data URL with base64.", param=where)
    data = url[found.end() :]
    _decoded(data, where)
    return (found[1] or "text/plain").lower(), data


def _decoded(data: str, where: str) -> bytes:
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{where} is not valid base64.", param=where) from None
    if not decoded:
        raise BadRequest(f"{where} is empty.", param=where)
    return decoded


def _text(data: str, where: str) -> str:
    try:
        text = _decoded(data, where).decode()
    except UnicodeDecodeError:
        raise BadRequest(f"{where} is not UTF-8 text.", param=where) from None
    if not text.strip():
        raise BadRequest(f"{where} is empty.", param=where)
    return text
