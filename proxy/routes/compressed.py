"""Decompresses request bodies (`Content-Encoding`) up to a limit. Pure."""

import sys
import zlib

from ..errors import BadRequest, TooLarge, UnsupportedMediaType

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# zlib: either header, gzip's or zlib's own.
_ANY_HEADER = 32 + zlib.MAX_WBITS
KNOWN = ("gzip", "x-gzip", "deflate", "zstd")


def inflated(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its encoding (lower case, "" for none), of at most `limit` bytes.

    Raises UnsupportedMediaType, BadRequest for what is not of that encoding, and TooLarge.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in KNOWN:
        raise UnsupportedMediaType(f"Send the body plain, or with gzip, deflate or zstd; not {encoding[:40]!r}.")
    try:
        found = _zstd(body, limit) if encoding == "zstd" else _zlib(body, limit)
    except (zlib.error, zstd.ZstdError, EOFError):
        raise BadRequest(f"The request body is not {encoding}, or not whole.") from None
    if len(found) > limit:
        raise TooLarge(f"The request body is over {limit} bytes when it is inflated (setting body_limit).")
    return found


def _zlib(body: bytes, limit: int) -> bytes:
    """Up to one byte more than `limit`. A gzip file may have several members."""
    found = b""
    while body and len(found) <= limit:
        reader = zlib.decompressobj(_ANY_HEADER)
        found += reader.decompress(body, limit + 1 - len(found))
        if not reader.eof and len(found) <= limit:
            raise EOFError
        body = reader.unused_data
    return found


def _zstd(body: bytes, limit: int) -> bytes:
    found = b""
    while body and len(found) <= limit:
        reader = zstd.ZstdDecompressor()
        found += reader.decompress(body, limit + 1 - len(found))
        if not reader.eof and len(found) <= limit:
            raise EOFError
        body = reader.unused_data
    return found
