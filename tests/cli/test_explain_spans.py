"""Parts joined are the text, whatever the text; and whose a part is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.cli.explain.owners import Owners
from claude_max.cli.explain.spans import Path, Span, spans
from claude_max.proxy.events import Message, Text, Turn

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_nothing_is_lost(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    seen: list[Path] = []

    def each_its_own(path: Path) -> str:
        seen.append(path)
        return str(path)

    found = spans(text, each_its_own)
    assert "".join(part.text for part in found) == text
    assert set(seen) == set(paths(value, ()))


def paths(value: Any, path: Path) -> list[Path]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, inner in items for found in paths(inner, (*path, name)))]


def test_neighbours_of_one_owner_are_one_part() -> None:
    found = spans('{"a":[1,{"b":2}],"c":3}', lambda path: "x" if path[:1] == ("a",) else "y")
    assert found == [Span("{", "y"), Span('"a":[1,{"b":2}]', "x", ("a",)), Span(',"c":3}', "y")]


@pytest.mark.parametrize("text", ["", "{", '{"a"}', '{"a":1', "[1 2]", "{1:2}", "nul"])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own, too
        spans(text, lambda _: "x")


def owned(body: dict[str, Any], **fields: Any) -> dict[str, str]:
    """What belongs to whom, by the text of the parts."""
    turn = Turn("sonnet", (Message("user", (Text("hi", **fields.pop("mark", {})),)),), **fields)
    return {part.text.strip(","): part.owner for part in spans(json.dumps(body), Owners(turn, body))}


BLOCK = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}


def test_a_mark_is_the_clients_where_the_client_set_it() -> None:
    body = {"messages": [{"role": "user", "content": [BLOCK]}]}
    ours = '"cache_control": {"type": "ephemeral"}'
    assert owned(body)[f" {ours}" if f" {ours}" in owned(body) else ours] == "ours"
    assert "ours" not in owned(body, mark={"cache": "5m"}).values()


def test_what_was_not_asked_for_is_not_the_clients() -> None:
    body = {"max_tokens": 5, "thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}
    assert set(owned(body).values()) == {"cli", "ours"}
    asked = owned(body, max_tokens=5, thinking="off", effort="low")
    assert set(asked.values()) == {"cli", "yours"}
    assert set(owned({"thinking": {"type": "adaptive"}}).values()) == {"cli"}
