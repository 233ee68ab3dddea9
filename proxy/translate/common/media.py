"""Parts of a message: OpenAI's content parts become blocks. Pure.

Carried: text; images by data URL or http(s) URL; PDF and text files. Everything else is a 400 that names it.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from ...errors import BadRequest
from ...events import Media, Text
from ..chat.schema import Part

# What each kind of image begins with. The CLI would put "[Image could not be processed]" in the place of another.
SIGNATURES: Mapping[str, re.Pattern[bytes]] = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n....IHDR", re.DOTALL),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
# A name of a media type, parameters, and how it is written; nobody needs more than this of it.
_DATA_URL = re.compile(r"data:([\w.+/-]{0,100})((?:;[\w-]+=[^;,]{0,200}){0,8})(;base64)?,", re.IGNORECASE)


def text_of(content: str | Sequence[Part] | None, where: str) -> list[str]:
    """The texts of a content that may hold nothing else. Blank ones are dropped: the API refuses them."""
    blocks = blocks_of(content, where)
    for index, item in enumerate(blocks):
        if not isinstance(item, Text):
            raise BadRequest(f"{where}[{index}]: only text is allowed here.", param=where)
    return [item.text for item in blocks if isinstance(item, Text)]


def blocks_of(content: str | Sequence[Part] | None, where: str) -> list[Text | Media]:
    """The blocks of a message's content, in order, without blank texts. `where` is the field's path."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content.strip() else []
    found = [_block(part, f"{where}[{index}]") for index, part in enumerate(content)]
    return [item for item in found if not isinstance(item, Text) or item.text.strip()]


def _block(part: Part, where: str) -> Text | Media:
    match part.type:
        case "text" if part.text is not None:
            return Text(part.text)
        case "refusal" if part.refusal is not None:
            return Text(part.refusal)
        case "image_url" if part.image_url is not None:
            url = part.image_url if isinstance(part.image_url, str) else part.image_url.get("url")
            return _image(url, f"{where}.image_url.url")
        case "file" if part.file is not None:
            return _file(part.file, f"{where}.file")
        case "text" | "refusal" | "image_url" | "file":
            raise BadRequest(f"{where}.{part.type} is missing.", param=f"{where}.{part.type}")
        case "input_audio":
            raise BadRequest(f"{where}: Claude models do not take audio.", param=f"{where}.type")
    raise BadRequest(f"{where}: unknown content part type {part.type!r}.", param=f"{where}.type")


def _image(url: object, where: str) -> Media:
    if not isinstance(url, str):
        raise BadRequest(f"{where} must be a string.", param=where)
    if url.startswith(("http://", "https://")):
        return Media("image", url=url)
    media_type, data = _data_url(url, where)
    if media_type == "image/jpg":
        media_type = "image/jpeg"
    if media_type not in SIGNATURES:
        raise BadRequest(f"{where}: {media_type} is not one of {', '.join(SIGNATURES)}.", param=where)
    return _checked_image(media_type, data, where)


def _checked_image(media_type: str, data: str, where: str) -> Media:
    if not SIGNATURES[media_type].match(base64.b64decode(data[:64])):
        raise BadRequest(f"{where}: the data is no {media_type}.", param=where)
    return Media("image", media_type, data)


def _file(file: dict[str, object], where: str) -> Media:
    data, name = file.get("file_data"), file.get("filename")
    if data is None and file.get("file_id") is not None:
        raise BadRequest(f"{where}.file_id: there is no file store here; send file_data.", param=f"{where}.file_id")
    if not isinstance(data, str):
        raise BadRequest(f"{where}.file_data must be a data URL or base64 text.", param=f"{where}.file_data")
    title = name if isinstance(name, str) and name else None
    where = f"{where}.file_data"
    if data.startswith("data:"):
        media_type, data = _data_url(data, where)
    else:
        _decoded(data, where)
        media_type = "application/pdf" if (title or "").lower().endswith(".pdf") else "text/plain"
    if media_type == "application/pdf":
        return Media("document", media_type, data, title=title)
    if media_type in SIGNATURES:
        return _checked_image(media_type, data, where)
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
