"""Bytes of a request: in every encoding read, or told what they are."""

import json
from typing import Any

import pytest
from harness.shape import Shape

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.translate.common.effect import set_in
from claude_max.proxy.translate.common.repairs import Repairs
from claude_max.proxy.translate.common.validation import parse_object

# `given` is the body, `expected` what is read of it, or words of the 400.
BODIES: dict[str, Shape] = {
    "a byte order mark": Shape("a body that begins with U+FEFF", "read", b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    "UTF-16": Shape("a body in UTF-16", "a 400 that says so", '{"a": 1}'.encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": Shape(
        "… without its mark", "a 400 that says so", '{"a": 1}'.encode("utf-16-be"), "UTF-16"
    ),
    "Latin-1": Shape("a body in Latin-1", "a 400 that says so, and where", '{"a": "é"}'.encode("latin-1"), "Latin-1"),
    "a lone surrogate": Shape(
        "half of a character (`\\ud83d`, where a text is cut)",
        "U+FFFD in its place",
        rb'{"a": "x\ud83d", "b": "\ud83d\ude00 \\ud83d \udc00\n"}',
        {"a": "x\ufffd", "b": "\U0001f600 \\ud83d \ufffd\n"},
        "lone surrogates",
    ),
}


def read(body: bytes, *, strict: bool = False) -> tuple[Any, tuple[str, ...]]:
    repairs = Repairs(strict=strict)
    return parse_object(body, 10, repairs), repairs.names


@pytest.mark.parametrize("name", BODIES)
def test_a_body(name: str) -> None:
    shape = BODIES[name]
    if isinstance(shape.expected, str):
        with pytest.raises(BadRequest, match=shape.expected):
            read(shape.given)
        return
    value, repaired = read(shape.given)
    assert value == shape.expected
    assert shape.repaired in ", ".join(repaired)
    assert bool(repaired) is bool(shape.repaired)


def test_a_lone_surrogate_is_refused_where_that_is_asked_for() -> None:
    with pytest.raises(BadRequest, match="surrogate"):
        read(BODIES["a lone surrogate"].given, strict=True)


@pytest.mark.parametrize("body", ["NaN", '{"a": NaN}', '{"a": "\\ud83d"', "[]", '{"a": "\\x"}'])
def test_what_is_not_json_stays_refused(body: str) -> None:
    with pytest.raises(BadRequest):
        read(body.encode())


def test_an_ignored_parameter_without_a_name_is_told() -> None:
    """A header without a value, or one that ends with white space, ends the connection."""
    assert set_in(json.loads('{"": 1, " ": 2, "seed": 3}'), {}) == ['""', "%20", "seed"]
