"""Turns content parts into blocks: OpenAI's, and those of other APIs that clients send here. Pure.

Supported: text; images by data URL or http(s) URL; PDF and text files. From the Responses API `input_text`,
`output_text`, `input_image`, `input_file`; from the Messages API `image` and `document`. Everything else is a 400 that
names it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...errors import BadRequest
from ...events import CacheMark, Media, Text
from ..common.conversation import without_blanks
from ..common.media import file_of, image_at, image_of
from ..common.repairs import REFUSING, Repairs
from .schema import Part

TEXTS = ("text", "input_text", "output_text")
# Thinking. Chat completions carry no signature, without which the service does not accept it.
THOUGHTS = ("thinking", "redacted_thinking", "reasoning", "reasoning_text", "summary_text")


def text_of(content: str | Sequence[Part] | None, where: str, repairs: Repairs = REFUSING) -> list[str]:
    """The texts of a content that may hold nothing else. Blank ones are dropped: the service refuses them."""
    blocks = blocks_of(content, where, repairs)
    for index, item in enumerate(blocks):
        if not isinstance(item, Text):
            raise BadRequest(f"{where}[{index}]: only text is allowed here.", param=where)
    return [item.text for item in blocks if isinstance(item, Text)]


def blocks_of(content: str | Sequence[Part] | None, where: str, repairs: Repairs = REFUSING) -> list[Text | Media]:
    """The blocks of a message's content, in order, without blank texts. `where` is the field's path."""
    if content is None:
        return []
    if isinstance(content, str):
        return without_blanks([Text(content)])
    return without_blanks([block_of(part, f"{where}[{index}]", repairs) for index, part in enumerate(content)])


def block_of(part: Part, where: str, repairs: Repairs = REFUSING) -> Text | Media:
    """The block of one part. Raises BadRequest."""
    return replace(_block(part, where, repairs), cache=mark_of(part.cache_control))


def mark_of(cache_control: Any) -> CacheMark | None:
    """A prompt cache mark, which clients of Claude models send here too: `{"type": "ephemeral", "ttl": "1h"}`."""
    if not isinstance(cache_control, dict) or cache_control.get("type") != "ephemeral":
        return None
    return "1h" if cache_control.get("ttl") == "1h" else "5m"


def _block(part: Part, where: str, repairs: Repairs) -> Text | Media:
    match part.type:
        case "text" | "input_text" | "output_text" if part.text is not None:
            return Text(part.text)
        case "refusal" if part.refusal is not None:
            return Text(part.refusal)
        case "image_url" | "input_image" if part.image_url is not None:
            given = part.image_url
            at = f"{where}.image_url" if part.type == "input_image" else f"{where}.image_url.url"
            return image_at(given if isinstance(given, str) else given.get("url"), at, repairs)
        case "file" if part.file is not None:
            return _file(part.file, f"{where}.file", repairs)
        case "input_file":
            return _file(part.model_extra or {}, where, repairs)
        case "image" | "document" if part.source is not None:
            return _sourced(part, f"{where}.source", repairs)
        case "text" | "refusal" | "image_url" | "file":
            raise BadRequest(f"{where}.{part.type} is missing.", param=f"{where}.{part.type}")
        case "input_text" | "output_text":
            raise BadRequest(f"{where}.text is missing.", param=f"{where}.text")
        case "input_image":
            raise BadRequest(f"{where}.image_url is missing.", param=f"{where}.image_url")
        case "image" | "document":
            raise BadRequest(f"{where}.source is missing.", param=f"{where}.source")
        case "input_audio":
            raise BadRequest(f"{where}: Claude models do not take audio.", param=f"{where}.type")
    raise BadRequest(f"{where}: unknown content part type {part.type!r}.", param=f"{where}.type")


def _file(file: dict[str, object], where: str, repairs: Repairs) -> Media:
    data, name = file.get("file_data"), file.get("filename")
    if data is None and file.get("file_id") is not None:
        raise BadRequest(f"{where}.file_id: there is no file store here; send file_data.", param=f"{where}.file_id")
    return file_of(data, name if isinstance(name, str) else "", f"{where}.file_data", repairs)


def _sourced(part: Part, where: str, repairs: Repairs) -> Media:
    """An image or a document of the Messages API: by base64, as text, or by its URL."""
    match part.source:
        case {"type": "url", "url": str(url)} if url.startswith(("http://", "https://")):
            return Media("image" if part.type == "image" else "document", url=url, title=part.title)
        case {"type": "base64", "media_type": str(kind), "data": str(data)} if part.type == "image":
            return image_of(kind, data, f"{where}.data", repairs)
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return file_of(f"data:{kind};base64,{data}", part.title or "", f"{where}.data", repairs)
        case {"type": "text", "data": str(text)} if part.type == "document" and text.strip():
            return Media("document", "text/plain", text, title=part.title)
    raise BadRequest(f"{where}: must be base64 data, a text or an http(s) URL.", param=where)
