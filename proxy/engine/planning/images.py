"""Shrinks images that exceed the service's limits. Pure, except for Pillow, which is optional.

Limits (platform.claude.com, "Images and vision"): 8,000 pixels a side, 2,000 where there are more than 20 images, 100
images a request. Of one image 5 MB: reported for its base64 text ("image exceeds 5 MB maximum",
anthropics/claude-code#24541). Nothing is added to the prompt, and the same image becomes the same bytes every time, as
the prompt cache needs it.
"""

import base64
import hashlib
import importlib.util
import io
import math
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TypeVar

from ...errors import BadRequest
from ...events import Block, Media, Message, OpaqueBlock, Text, ToolResult, Turn
from ...scripted.image_size import size

MOST = 100
BYTES = 5 * 1024 * 1024
SIDE = 8000
MANY, SIDE_OF_MANY = 20, 2000
# Pixels that are unpacked at most: they take three or four bytes each.
PIXELS = 89_000_000
# Characters of base64 in which the sides of an image stand; a JPEG's may come late.
_HEAD = 2**18
_SHORT_HEAD = 2**10
# Characters of results that are kept for the next request of a conversation.
KEPT = 32 * 1024 * 1024
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_ATTEMPTS = 8
INSTALL = "Install claude-max-toolkit[images], and larger ones are made smaller."
B = TypeVar("B", Block, Text | Media | OpaqueBlock)


class ImageFitter:
    """Makes the images of Turns fit; keeps the last ones, because a conversation sends them again and again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, int], Media] = OrderedDict()
        self._lock = threading.Lock()

    def fitted(self, turn: Turn) -> Turn:
        """The Turn with images that the service takes: the same one where all of them do.

        Raises BadRequest for more than MOST images, and for one that is too large where Pillow is not installed.
        """
        images = [image for message in turn.messages for image in _images(message)]
        if len(images) > MOST:
            raise BadRequest(f"messages: {len(images)} images, at most {MOST} are allowed.", param="messages")
        side = SIDE_OF_MANY if len(images) > MANY else SIDE
        smaller = {id(image): self._smaller(image, side) for image in images if not fits(image, side)}
        if not smaller:
            return turn
        messages = tuple(
            replace(message, content=tuple(_replaced(block, smaller) for block in message.content))
            for message in turn.messages
        )
        return replace(turn, messages=messages)

    def _smaller(self, image: Media, side: int) -> Media:
        assert image.data is not None
        key = (hashlib.blake2b(image.data.encode(), digest_size=16).digest(), side)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = smaller(image, side)
            with self._lock:
                self._kept[key] = replace(found, cache=None, title=None)
                while sum(len(each.data or "") for each in self._kept.values()) > KEPT:
                    self._kept.popitem(last=False)
        return replace(image, media_type=found.media_type, data=found.data)


def fits(image: Media, side: int) -> bool:
    """Whether the service takes it; the service refuses what is not an image."""
    data = image.data or ""
    sides = _sides(data)
    return len(data) <= BYTES and (sides is None or max(sides) <= side)


def smaller(image: Media, side: int) -> Media:
    """The image within the limits, in its own format (a GIF as PNG). Raises BadRequest where that cannot be done."""
    assert image.data is not None
    sides = _sides(image.data)
    if sides is None:
        return image
    width, height = sides
    limit = f"the service takes {side:,} a side and {BYTES // 2**20} MB of base64"
    told = f"messages: an image has {width:,} by {height:,} pixels and {len(image.data):,} bytes of base64; {limit}."
    if importlib.util.find_spec("PIL") is None:
        raise BadRequest(told, hint=INSTALL, param="messages")
    if width * height > PIXELS:
        raise BadRequest(told, param="messages")
    return _resized(image, sides, side, told)


def _resized(image: Media, sides: tuple[int, int], side: int, told: str) -> Media:
    from PIL import Image, ImageOps

    assert image.data is not None
    kind = _FORMATS.get(image.media_type or "", "PNG")
    try:
        with Image.open(io.BytesIO(base64.b64decode(image.data))) as opened:
            found = ImageOps.exif_transpose(opened).convert(_mode(opened.mode, kind))
    except (OSError, ValueError, SyntaxError):
        # The service says what is wrong with it.
        return image
    scale = min(1.0, side / max(sides))
    for _ in range(_ATTEMPTS):
        width, height = (max(1, math.floor(length * scale)) for length in found.size)
        made = found if scale == 1 else found.resize((width, height), Image.Resampling.LANCZOS)
        written = io.BytesIO()
        made.save(written, kind, **({} if kind == "PNG" else {"quality": 85}))
        data = base64.b64encode(written.getvalue()).decode()
        if len(data) <= BYTES:
            return replace(image, media_type=f"image/{kind.lower()}", data=data)
        # Its bytes go with its area, about.
        scale *= 0.95 * math.sqrt(BYTES / len(data))
    raise BadRequest(told, param="messages")


def _mode(mode: str, kind: str) -> str:
    """The colours that the format holds: with transparency where both have it."""
    if kind == "JPEG":
        return "L" if mode == "L" else "RGB"
    return mode if mode in ("L", "RGB", "RGBA") else "RGBA"


def _sides(data: str) -> tuple[int, int] | None:
    """Width and height, from the beginning of the base64 text."""
    for head in (_SHORT_HEAD, _HEAD):
        try:
            found = size(base64.b64decode(data[:head]))
        except ValueError:
            return None
        if found is not None:
            return found
    return None


def _images(message: Message) -> list[Media]:
    blocks = [part for item in message.content for part in (item.content if isinstance(item, ToolResult) else (item,))]
    return [block for block in blocks if isinstance(block, Media) and block.kind == "image" and block.data is not None]


def _replaced(block: B, smaller: dict[int, Media]) -> B:
    if isinstance(block, ToolResult):
        return replace(block, content=tuple(_replaced(part, smaller) for part in block.content))
    return smaller.get(id(block), block)
