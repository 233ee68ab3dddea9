"""Compressed bodies, and how much of one is inflated."""

import gzip
import zlib

import pytest
from backports import zstd
from harness.shape import Shape

from claude_max.proxy.errors import BadRequest, TooLarge, UnsupportedMediaType
from claude_max.proxy.routes.compressed import inflated

BODY = b'{"a": "' + b"x" * 1000 + b'"}'
COMPRESSED: dict[str, Shape] = {
    "gzip": Shape("`Content-Encoding: gzip`", "inflated, up to `body_limit`", gzip.compress(BODY)),
    "deflate": Shape("`Content-Encoding: deflate`", "inflated, up to `body_limit`", zlib.compress(BODY)),
    "zstd": Shape("`Content-Encoding: zstd`", "inflated, up to `body_limit`", zstd.compress(BODY)),
}


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_compressed_body(encoding: str) -> None:
    given = COMPRESSED[encoding].given
    assert inflated(given, encoding, len(BODY)) == BODY
    with pytest.raises(TooLarge, match="body_limit"):
        inflated(given, encoding, len(BODY) - 1)
    for broken in (given[:-3], BODY):
        with pytest.raises(BadRequest, match=encoding):
            inflated(broken, encoding, len(BODY))


def test_several_members_are_one_body() -> None:
    assert inflated(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", 9) == b"ab"
    assert inflated(zstd.compress(b"a") + zstd.compress(b"b"), "zstd", 9) == b"ab"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_no_more_is_inflated_than_allowed(encoding: str) -> None:
    """100 MB in 100 KB."""
    bomb = (gzip.compress if encoding == "gzip" else zstd.compress)(bytes(100_000_000))
    with pytest.raises(TooLarge):
        inflated(bomb, encoding, 1000)


def test_a_plain_body_and_an_unknown_encoding() -> None:
    assert inflated(BODY, "", 1) == inflated(BODY, "identity", 1) == BODY
    with pytest.raises(UnsupportedMediaType, match="'br'"):
        inflated(BODY, "br", 1)
