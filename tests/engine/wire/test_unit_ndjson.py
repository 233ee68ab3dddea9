"""Framing: however the bytes are cut, the objects are the same."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.engine.wire.ndjson import LineReader, Malformed, encode
from claude_max.proxy.events import JsonObject

SCALARS: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), SCALARS, max_size=3), max_size=6)


def read(reader: LineReader, chunks: list[bytes]) -> list[JsonObject]:
    return [found for chunk in chunks for found in reader.feed(chunk)]


@given(OBJECTS, st.lists(st.integers(0, 400), max_size=12), st.booleans())
def test_any_chunking_gives_the_same_objects(objects: list[JsonObject], cuts: list[int], blank_lines: bool) -> None:
    between = b"\n \r\n" if blank_lines else b""
    stream = b"".join(encode(value) + between for value in objects)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = LineReader()
    assert read(reader, [stream[a:b] for a, b in pairwise(edges)]) == objects
    assert reader.pending == 0


@given(OBJECTS)
def test_one_byte_at_a_time(objects: list[JsonObject]) -> None:
    stream = b"".join(map(encode, objects))
    assert read(LineReader(), [stream[i : i + 1] for i in range(len(stream))]) == objects


@given(st.lists(st.sampled_from([b"{", b"}", b'"a"', b":", b"1", b"[", b"]", b",", b"\n", b" ", b"\xff"]), max_size=30))
def test_nonsense_is_malformed_or_objects_however_it_is_cut(parts: list[bytes]) -> None:
    def outcome(chunks: list[bytes]) -> list[JsonObject] | str:
        try:
            return read(LineReader(), chunks)
        except Malformed:
            return "malformed"

    found = outcome([b"".join(parts)])
    assert found == outcome(parts)
    assert found == "malformed" or all(isinstance(value, dict) for value in found)


def test_a_line_is_one_object_whatever_its_strings_hold() -> None:
    value = {"text": "a\nb\r\u2028\x00\u00e9"}
    assert encode(value).count(b"\n") == 1
    assert LineReader().feed(encode(value)) == [value]


@pytest.mark.parametrize(
    "line", [b"oops\n", b"{\n", b"[1]\n", b'"text"\n', b"null\n", b"7\n", b'{"a":NaN}\n', b"\xff\n"]
)
def test_what_is_no_object_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        LineReader().feed(line)


def test_pending_counts_a_cut_line() -> None:
    reader = LineReader()
    assert reader.feed(b'{"a":1}\n{"b"') == [{"a": 1}]
    assert reader.pending == 4
    reader.feed(b":2}")
    assert reader.pending == 7
    assert reader.feed(b"\n") == [{"b": 2}]
    assert reader.pending == 0


def test_a_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    line = b'{"a":12}'
    assert LineReader(len(line)).feed(line) == []
    reader = LineReader(len(line))
    assert read(reader, [line[:4], line[4:], b"\n"]) == [{"a": 12}]
    with pytest.raises(Malformed, match="more than 7 bytes"):
        read(LineReader(7), [line[:4], line[4:]])


@pytest.mark.parametrize("cut", [0, 5, 8])
def test_the_limit_holds_however_the_line_is_cut(cut: int) -> None:
    line = b'{"a":12}\n'
    with pytest.raises(Malformed):
        read(LineReader(7), [line[:cut], line[cut:]] if cut < 8 else [line])
