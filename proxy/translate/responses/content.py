"""Parts of a message or of a call's output: OpenAI's content parts become blocks. Pure.

Carried: text; images by data URL or http(s) URL; PDF and text files, PDF also by URL. Everything else is a 400.
"""

from collections.abc import Sequence

from ...errors import BadRequest
from ...events import Media, Text
from ..common.conversation import without_blanks
from ..common.media import file_of, image_at
from .schema import Part

# What a past answer or a summary holds is text as well.
TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")


def text_of(content: str | Sequence[Part] | None, where: str) -> list[str]:
    """The texts of a content that may hold nothing else, without blank ones."""
    found = blocks_of(content, where)
    for index, item in enumerate(found):
        if not isinstance(item, Text):
            raise BadRequest(f"{where}[{index}]: only text is allowed here.", param=where)
    return [item.text for item in found if isinstance(item, Text)]


def blocks_of(content: str | Sequence[Part] | None, where: str) -> list[Text | Media]:
    """The blocks of a content, in order, without blank texts. `where` is the field's path."""
    if content is None:
        return []
    if isinstance(content, str):
        return without_blanks([Text(content)])
    return without_blanks([_block(part, f"{where}[{index}]") for index, part in enumerate(content)])


def _block(part: Part, where: str) -> Text | Media:
    match part.type:
        case kind if kind in TEXTS:
            return Text(_given(part.text, f"{where}.text"))
        case "refusal":
            return Text(_given(part.refusal, f"{where}.refusal"))
        case "input_image":
            _require_no_id(part, where)
            return image_at(_given(part.image_url, f"{where}.image_url"), f"{where}.image_url")
        case "input_file":
            _require_no_id(part, where)
            if part.file_url is not None:
                return Media("document", url=_web(part.file_url, f"{where}.file_url"), title=part.filename)
            return file_of(_given(part.file_data, f"{where}.file_data"), part.filename or "", f"{where}.file_data")
        case "input_audio":
            raise BadRequest(f"{where}: Claude models do not take audio.", param=f"{where}.type")
    raise BadRequest(f"{where}: unknown content part type {part.type!r}.", param=f"{where}.type")


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
