"""JSON as text: in the order it came in, and whatever strings it holds."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_max.proxy.json_text import Surrogates, compact, is_reordered, is_rounded, loads, parsed

HIGH, LOW = "\ud83d", "\ude00"

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_it_says_the_same_as_json(value: Any) -> None:
    text = compact(value)
    assert json.loads(text) == value
    assert list_of_keys(json.loads(text)) == list_of_keys(value)
    assert text.encode()


def list_of_keys(value: Any) -> Any:
    """The keys of an object, in their order, and of what is within."""
    if isinstance(value, dict):
        return [(key, list_of_keys(item)) for key, item in value.items()]
    return [list_of_keys(item) for item in value] if isinstance(value, list) else None


def test_the_order_of_keys_and_kinds_of_values_tell_schemas_apart() -> None:
    assert compact({"b": 1, "a": 2}) == '{"b":1,"a":2}'
    assert len({compact({"const": value}) for value in (1, True, 1.0, "1")}) == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": HIGH}, '{"a":"\ufffd"}'),
        ({HIGH: "é"}, '{"\ufffd":"é"}'),
        (2**64, "18446744073709551616"),
        ([HIGH + LOW, 2**70], '["\ufffd\ufffd",1180591620717411303424]'),
        ("a\n\u2028", '"a\\n\u2028"'),
    ],
)
def test_what_orjson_does_not_take(value: Any, text: str) -> None:
    assert compact(value) == text


@given(values)
@example(-(2**63) - 1)
@example({"wei": 2**70 + 1, "\ud83d": ""})
def test_text_and_bytes_are_read_back(value: Any) -> None:
    text = compact(value)
    assert parsed(text) == parsed(text.encode()) == loads(text) == json.loads(text)


@pytest.mark.parametrize(
    "text", ["18446744073709551616", "-9223372036854775809", '[{"a":123456789012345678901}]', "1" * 300]
)
def test_integers_of_any_size(text: str) -> None:
    assert loads(text) == parsed(text.encode()) == json.loads(text)
    assert compact(loads(text)) == text


def test_digits_in_a_string_deeper_than_json_goes() -> None:
    """orjson goes to 1,024 levels; this is over the interpreter's own limit."""
    value = loads("[" * 1020 + f'"{"1" * 20}"' + "]" * 1020)
    for _ in range(1020):
        (value,) = value
    assert value == "1" * 20


@pytest.mark.parametrize(
    ("value", "is_so"),
    [
        (2**53 + 1, True),
        (1234567890123456789, True),
        (-(2**64) - 1, True),
        (10**400, True),
        (2**53, False),
        (2**64, False),
        (10**21, False),
        (0.1234567890123456789, False),
        ("1234567890123456789", False),
        (True, False),
    ],
)
def test_what_a_double_does_not_hold(value: object, is_so: bool) -> None:
    """`10 ** 21` wei is one that a double holds."""
    body = {"messages": [{"input": {"id": value}}]}
    assert is_rounded(body, compact(body).encode()) is is_so


@pytest.mark.parametrize(
    ("value", "is_so"),
    [
        ({"a": 1, "1": 2}, True),
        ({"10": 1, "2": 2}, True),
        ({"a": 1, "0": 2}, True),
        ({"x": {"4294967294": 1, "b": [{"b": 1, "7": 2}]}}, True),
        ({"1": 1, "a": 2}, False),
        ({"2": 1, "10": 2, "b": 3, "a": 4}, False),
        ({"a": 1, "01": 2, "-1": 3, "1.5": 4, "1e3": 5, "٣": 6}, False),
        ({"a": 1, "4294967295": 2}, False),
        ({"v2": 1, "a": '"b":1,"3":2'}, False),
        ([], False),
    ],
)
def test_which_objects_come_to_another_order_in_javascript(value: object, is_so: bool) -> None:
    body = {"messages": [{"input": value}]}
    assert is_reordered(body, compact(body).encode()) is is_so


@pytest.mark.parametrize("text", ['"\\ud83d"', '"\\uD83D"', b'"\\ud83d"', b'"\\uD83D"'])
def test_half_a_character_is_read(text: str | bytes) -> None:
    assert parsed(text) == HIGH


def test_a_whole_character_as_two_escapes() -> None:
    assert parsed(b'"\\ud83d\\ude00"') == "😀"


DEEP = "[" * 100_000


@pytest.mark.parametrize("text", ["", "{", "NaN", b"\xff", '{"a":\\ud}', DEEP, f'{DEEP}"\\ud83d"', b'"\xff \\ud83d"'])
def test_what_is_no_json(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each in words of its own
        parsed(text)


@pytest.mark.parametrize(
    ("pieces", "sent", "rest"),
    [
        (("a", "b"), ["a", "b"], ""),
        (("a" + HIGH, LOW), ["a", "😀"], ""),
        ((HIGH, ""), ["", ""], "\ufffd"),
        ((HIGH, "a"), ["", "\ufffda"], ""),
        ((HIGH, HIGH), ["", "\ufffd"], "\ufffd"),
        ((LOW + HIGH,), ["\ufffd"], "\ufffd"),
        (("😀",), ["😀"], ""),
    ],
)
def test_pieces_of_a_stream(pieces: tuple[str, ...], sent: list[str], rest: str) -> None:
    surrogates = Surrogates()
    assert [surrogates.joined(piece) for piece in pieces] == sent
    assert surrogates.rest() == rest
    assert surrogates.rest() == ""
