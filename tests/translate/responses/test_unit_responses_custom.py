"""The input of a custom tool, however its JSON is cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.translate.responses.custom import InputText


def read(*pieces: str) -> str:
    to = InputText()
    return "".join([*(to.feed(piece) for piece in pieces), to.rest()])


@given(st.text(), st.booleans(), st.data())
def test_any_text_cut_anywhere(text: str, ascii_only: bool, data: st.DataObject) -> None:
    whole = json.dumps({"input": text}, ensure_ascii=ascii_only)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert read(*pieces) == text


def test_it_is_told_as_it_comes() -> None:
    to = InputText()
    assert [to.feed(piece) for piece in ('{"inp', 'ut": "a', "b\\", 'n\\ud83d', '\\ude00c"', "}")] == [
        "", "a", "b", "\n", "\U0001f600c", ""
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("json_text", "text"),
    [
        ("", ""),
        ("{}", ""),
        ('{"input": "cut', "cut"),
        ('{"input": "cut\\', "cut"),
        ('{"input": "half \\ud83d', "half \ufffd"),
        ('{"input": "half \\ud83d"}', "half \ufffd"),
        ('{"other": "x"}', '{"other": "x"}'),
        ('{"other": 1, "input": "x"}', "x"),
        ('{"input": 7}', '{"input": 7}'),
        ("[1]", "[1]"),
        ("not JSON", "not JSON"),
    ],
)
def test_json_of_another_form(json_text: str, text: str) -> None:
    assert read(*json_text) == text
