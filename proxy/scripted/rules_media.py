"""What the real API refuses about images: their number, size, dimensions and type. Pure.

Documented (platform.claude.com, "Images and vision"): 100 images a request on models with a context of 200,000 tokens,
600 on the others; 8,000 pixels a side, 2,000 where there are more than 20 images, those in tool results counted; four
media types. The wording is that of public reports: anthropics/claude-code#24541, #12351, #52220, #14201, #8184, #60920,
BerriAI/litellm#24900.

Reported, not documented: 5 MB of base64 as the most for one image (earendil-works/pi#424); the page says 10 MB for the
API itself since 2026 and 5 MB for other platforms. The smaller is refused here. `Could not process image` is reported
for data that is not an image.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from .image_size import kind, size
from .models import traits
from .walk import Body, of_messages

BYTES = 5 * 1024 * 1024  # of base64, for one image
SIDE = 8000  # pixels
MANY, SIDE_OF_MANY = 20, 2000  # more images than MANY: each at most so large
_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
# Enough to pass the metadata in front of a JPEG's frame header; a multiple of 4, so that base64 ends at a whole byte.
_HEAD = 2**18


def complaints(body: Body) -> Iterator[str]:
    """Every reason to refuse the images of `body`, each as the error message's text."""
    found = list(of_messages(body))
    images = [(f"{path}.image.source", block.get("source")) for path, block in found if block.get("type") == "image"]
    documents = sum(block.get("type") == "document" for _, block in found)
    most = traits(str(body.get("model"))).images
    if len(images) + documents > most:
        yield f"too many images and documents: {len(images)} + {documents} > {most}"
    many = len(images) > MANY
    for path, source in images:
        if isinstance(source, dict) and source.get("type") == "base64":
            yield from _base64(f"{path}.base64", source, many=many)


def _base64(path: str, source: dict[str, Any], *, many: bool) -> Iterator[str]:
    data, said = source.get("data"), source.get("media_type")
    if not isinstance(data, str) or not data:
        yield f"{path}.data: Field required"
        return
    if said not in _TYPES:
        yield f"{path}.media_type: Input should be {', '.join(map(repr, _TYPES[:-1]))} or {_TYPES[-1]!r}"
        return
    if len(data) > BYTES:
        yield f"{path}: image exceeds 5 MB maximum: {len(data)} bytes > {BYTES} bytes"
    try:
        head = base64.b64decode(data[:_HEAD], validate=True)
    except binascii.Error:
        yield f"{path}.data: Invalid base64 data"
        return
    real, sides = kind(head), size(head)
    if real is None or sides is None:
        yield "Could not process image"
    elif real != said:
        yield f"{path}: The image was specified using the {said} media type, but the image appears to be a {real} image"
    elif max(sides) > SIDE:
        yield f"{path}.data: At least one of the image dimensions exceed max allowed size: {SIDE} pixels"
    elif many and max(sides) > SIDE_OF_MANY:
        yield (
            f"{path}.data: At least one of the image dimensions exceed max allowed size for many-image requests:"
            f" {SIDE_OF_MANY} pixels"
        )
