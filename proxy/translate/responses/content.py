"""Turns content parts of a message or of a call's output into blocks. Pure.

Supported: text; images by data URL or http(s) URL; PDF and text files, PDF also by URL. Everything else is a 400.
"""

from collections.abc import Sequence

from ...errors import BadRequest
from ...events import Media, Text
from ..common.conversation import without_blanks
from ..common.media import file_of, image_at
from ..common.repairs import REFUSING, Repairs
from .schema import Part

# The parts of a past answer or a summary are text as well.
TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")


def text_of(content: str | Sequence[Part] | None, where: str, repairs: Repairs = REFUSING) -> list[str]:
    """The texts of a content that may hold nothing else, without blank ones."""
    found = blocks_of(content, where, repairs)
    for index, item in enumerate(found):
        if not isinstance(item, Text):
            raise BadRequest(f"{where}[{index}]: only text is allowed here.", param=where)
    return [item.text for item in found if isinstance(item, Text)]


def blocks_of(content: str | Sequence[Part] | None, where: str, repairs: Repairs = REFUSING) -> list[Text | Media]:
    """The blocks of a content, in order, without blank texts. `where` is the field's path."""
    if content is None:
        return []
    if isinstance(content, str):
        return without_blanks([Text(content)])
    return without_blanks([_block(part, f"{where}[{index}]", repairs) for index, part in enumerate(content)])


def _block(part: Part, where: str, repairs: Repairs) -> Text | Media:
    match part.type:
        case kind if kind in TEXTS:
            return Text(_given(part.text, f"{where}.text"))
        case "refusal":
            return Text(_given(part.refusal, f"{where}.refusal"))
        case "input_image" | "image_url":
            _require_no_id(part, where)
            return _image(part, f"{where}.image_url", repairs)
        case "input_file":
            _require_no_id(part, where)
            if part.file_url is not None:
                return Media("document", url=_web(part.file_url, f"{where}.file_url"), title=part.filename)
            data = _given(part.file_data, f"{where}.file_data")
            return file_of(data, part.filename or "", f"{where}.file_data", repairs)
        case "input_audio":
            raise BadRequest(f"{where}: Claude models do not take audio.", param=f"{where}.type")
    raise BadRequest(f"{where}: unknown content part type {part.type!r}.", param=f"{where}.type")


def _image(part: Part, where: str, repairs: Repairs) -> Media:
    url = part.image_url
    if isinstance(url, dict):
        repairs.note(where, "image in the form of chat completions", refusal=f"{where}: Input should be a string")
        given = url.get("url")
        url = given if isinstance(given, str) else None
    return image_at(_given(url, where), where, repairs)


def _given(value: str | None, where: str) -> str:
    if value is None:
        raise BadRequest(f"{where} is missing.", param=where)
    return value


def _web(url: str, where: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise BadRequest(f"{where} must be an http(s) URL; send the content itself as file_data.", param=where)
    return url


def _require_no_id(part: Part, where: str) -> None:
    """Raises BadRequest for a file of OpenAI's store."""
    if part.file_id is not None:
        raise BadRequest(
            f"{where}.file_id: there is no file store here; send the content itself.", param=f"{where}.file_id"
        )
