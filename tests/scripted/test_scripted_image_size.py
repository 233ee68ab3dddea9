"""The kind and the size of an image are read from its first bytes, and what is cut short has none."""

import struct

import pytest

from claude_max.proxy.scripted.image_size import kind, size


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)


def jpeg(width: int, height: int, metadata: int = 10) -> bytes:
    application = b"\xff\xe1" + struct.pack(">H", metadata + 2) + bytes(metadata)
    return b"\xff\xd8" + application + b"\xff\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


def webp(form: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4) + b"WEBP" + form + struct.pack("<I", len(body)) + body


LOSSY = webp(b"VP8 ", bytes(6) + struct.pack("<HH", 300, 200))
LOSSLESS = webp(b"VP8L", b"\x2f" + struct.pack("<I", 299 | 199 << 14))
EXTENDED = webp(b"VP8X", bytes(4) + (299).to_bytes(3, "little") + (199).to_bytes(3, "little"))


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (png(300, 200), "image/png"),
        (jpeg(300, 200), "image/jpeg"),
        (jpeg(300, 200, metadata=60_000), "image/jpeg"),
        (gif(300, 200), "image/gif"),
        (LOSSY, "image/webp"),
        (LOSSLESS, "image/webp"),
        (EXTENDED, "image/webp"),
    ],
)
def test_size(data: bytes, media: str) -> None:
    assert (kind(data), size(data)) == (media, (300, 200))
    for length in range(len(data)):
        assert size(data[:length]) in (None, (300, 200)), "a header that is cut short is no error"


@pytest.mark.parametrize("data", [b"", b"BM", b"<svg/>", b"RIFF\0\0\0\0WAVE"])
def test_what_is_none_of_the_four(data: bytes) -> None:
    assert (kind(data), size(data)) == (None, None)
