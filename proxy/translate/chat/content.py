"""Parts of a message: OpenAI's content parts become blocks. Pure.

Carried: text; images by data URL or http(s) URL; PDF and text files. Everything else is a 400 that names it.
"""

from collections.abc import Sequence

from ...errors import BadRequest
from ...events import Media, Text
from ..common.conversation import without_blanks
from ..common.media import file_of, image_at
from .schema import Part


def text_of(content: str | Sequence[Part] | None, where: str) -> list[str]:
    """The texts of a content that may hold nothing else. Blank ones are dropped: the service refuses them."""
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
        return without_blanks([Text(content)])
    return without_blanks([_block(part, f"{where}[{index}]") for index, part in enumerate(content)])


def _block(part: Part, where: str) -> Text | Media:
    match part.type:
        case "text" if part.text is not None:
            return Text(part.text)
        case "refusal" if part.refusal is not None:
            return Text(part.refusal)
        case "image_url" if part.image_url is not None:
            url = part.image_url if isinstance(part.image_url, str) else part.image_url.get("url")
            return image_at(url, f"{where}.image_url.url")
        case "file" if part.file is not None:
            return _file(part.file, f"{where}.file")
        case "text" | "refusal" | "image_url" | "file":
            raise BadRequest(f"{where}.{part.type} is missing.", param=f"{where}.{part.type}")
        case "input_audio":
            raise BadRequest(f"{where}: Claude models do not take audio.", param=f"{where}.type")
    raise BadRequest(f"{where}: unknown content part type {part.type!r}.", param=f"{where}.type")


def _file(file: dict[str, object], where: str) -> Media:
    data, name = file.get("file_data"), file.get("filename")
    if data is None and file.get("file_id") is not None:
        raise BadRequest(f"{where}.file_id: there is no file store here; send file_data.", param=f"{where}.file_id")
    return file_of(data, name if isinstance(name, str) else "", f"{where}.file_data")
