"""The writers: one value changed, everything else as it was; and what they refuse."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.cli.connect.change import applied, undone
from claude_max.cli.connect.fill import filled
from claude_max.cli.connect.formats.document import FORMATS, opened
from claude_max.cli.connect.formats.json_scan import Unreadable, scan
from claude_max.cli.connect.formats.steps import MISSING, Item, Unfit, look
from claude_max.cli.connect.recipe import File, Put, Target

TARGET = Target("http://127.0.0.1:3456", "key", "sonnet")
KEYS = st.sampled_from(["a", "b", "models", "provider", "model", "x y", "ключ", ""]) | st.text(max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8) | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
WAYS = [("model",), ("provider", "claudemax"), ("a", "b", "c"), ("models", Item("name", "claude-max"))]
JSONC = """\
// Mine.
{
    /* other providers stay */
    "provider": {
        "other": {"url": "https://example.com", /* why */ "n": 1},   // keep
    },
    model: 'other/big',
    "list": [1, 2,
        // three
        3],
}
"""
YAML = """\
# Mine.
model: other   # keep

models:
  # the first
  - name: "one"
    roles: [chat, edit]

rest: |
  text
"""
TOML = """\
# Mine.
model = "other"   # keep

[model_providers.other]
url = "https://example.com" # why

[[list]]
n = 1
"""
DOTENV = """\
# Mine.
export OPENAI_API_KEY="sk-other" # keep

OTHER=1
"""
PLAIN: dict[str, str] = {"json": JSONC, "yaml": YAML, "toml": TOML, "dotenv": DOTENV}


@given(OBJECTS, st.sampled_from(WAYS), OBJECTS, st.sampled_from([None, 2, 4, "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_json_says_what_it_said_and_one_thing_more(
    before: dict[str, Any], way: Any, value: Any, indent: Any, line: str
) -> None:
    text = json.dumps(before, indent=indent, ensure_ascii=False).replace("\n", line)
    value = {**value, "name": "claude-max"}
    try:
        after, done = applied(File("json", (), (Put(way, value),)), text, TARGET)
    except Unfit:
        # Something else is where a container should be.
        assert not _leads(before, way)
        return
    said = json.loads(after)
    # Any text may hold a placeholder.
    assert look(said, way) == filled(value, TARGET)
    assert json.loads(undone("json", after, done)[0]) == _without_null(before, way)
    if line == "\r\n" and indent is not None and before:
        assert after.count("\n") == after.count("\r\n")


def _leads(before: dict[str, Any], way: Any) -> bool:
    """Whether there is a container, or nothing, wherever the way needs one."""
    for at, step in enumerate(way):
        kind = list if isinstance(step, Item) else dict
        try:
            found = look(before, way[:at])
        except Unfit:
            return False
        if found is not MISSING and found is not None and not isinstance(found, kind):
            return False
    return True


def _without_null(before: dict[str, Any], way: Any) -> dict[str, Any]:
    """A null where a container is needed is replaced, and is not there afterwards."""
    for at in range(1, len(way)):
        if look(before, way[:at]) is None:
            holder = look(before, way[: at - 1])
            del holder[way[at - 1]]
            break
    return before


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("line", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_with_comments_loses_nothing(format: str, line: str, mark: str) -> None:
    text = mark + PLAIN[format].replace("\n", line)
    puts = {
        "json": (
            Put(("provider", "claudemax"), {"url": "{url}"}),
            Put(("model",), "claudemax/{model}"),
            Put(("new",), 1),
        ),
        "yaml": (Put(("model",), "{model}"), Put(("models", Item("name", "claude-max")), {"name": "claude-max"})),
        "toml": (Put(("model",), "{model}"), Put(("model_providers", "claudemax"), {"url": "{url}"}), Put(("new",), 1)),
        "dotenv": (Put(("OPENAI_API_KEY",), "{key}"), Put(("DEFAULT_MODEL",), "{model}")),
    }[format]
    after, done = applied(File(format, (), puts), text, TARGET)
    assert after.count("\n") == after.count(line)
    assert after.startswith(mark + PLAIN[format][:6])
    kept = [row for row in text.split(line) if "model" not in row.lower() and "API_KEY" not in row]
    assert [row for row in kept if row not in after.split(line)] == []
    for put in puts:
        assert look(opened(format, after.removeprefix("\ufeff")).value(), put.path) is not MISSING
    assert "# keep" in after or "// keep" in after
    again, _ = applied(File(format, (), puts), after, TARGET)
    assert again == after
    back, left = undone(format, after, done)
    assert left == ()
    assert opened(format, back.removeprefix("\ufeff")).value() == opened(format, text.removeprefix("\ufeff")).value()


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", '{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ("// only this", '// only this\n{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ("{}", '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{"x": 1}', '{"x": 1, "a": {"b": 1}}'),
        ('{"x": 1,}', '{"x": 1, "a": {"b": 1}}'),
        ('{\n\t"x": 1 // one\n}', '{\n\t"x": 1, // one\n\t"a": {\n\t\t"b": 1\n\t}\n}'),
        ('{\n  "x": 1, // one\n}', '{\n  "x": 1, // one\n  "a": {\n    "b": 1\n  },\n}'),
        ('{"a": null}', '{"a": {\n  "b": 1\n}}'),
        ("{\n  // none yet\n}", '{\n  // none yet\n  "a": {\n    "b": 1\n  }\n}'),
    ],
)
def test_where_json_is_inserted(text: str, after: str) -> None:
    document = opened("json", text)
    document.set(("a", "b"), 1)
    assert document.text() == after


@pytest.mark.parametrize("name", ["first", "second", "last"])
def test_a_member_is_removed_with_its_comma_and_line(name: str) -> None:
    text = '{\n  "first": 1, // one\n  "second": [2],\n  "last": 3\n}\n'
    document = opened("json", text)
    document.remove((name,))
    assert scan(document.text()).value == {key: value for key, value in scan(text).value.items() if key != name}
    assert "\n\n" not in document.text()


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("json", "{"),
        ("json", '{"a": 1 "b": 2}'),
        ("json", '{"a": 1} more'),
        ("json", "[" * 200 + "]" * 200),
        ("json", '{"a" 1}'),
        ("json", "{a: nonsense}"),
        ("toml", "a = "),
        ("toml", "a = 1\na = 2"),
        ("yaml", "a: [1"),
        ("yaml", "a: 1\na: 2"),
        ("yaml", "a:   1\n\nb:\n      - 1\n   # odd\n      - {x:   1}\n"),
        ("yaml", "a: 1\n---\nb: 2\n"),
    ],
)
def test_what_is_not_understood_is_refused(format: str, text: str) -> None:
    with pytest.raises(Unreadable):
        opened(format, text)


@pytest.mark.parametrize(
    ("format", "text", "way"),
    [
        ("json", '{"a": 1}', ("a", "b")),
        ("json", "[]", ("a",)),
        ("json", "{}", (Item("name", "x"),)),
        ("yaml", "a: text", ("a", "b")),
        ("toml", "a = 1", ("a", "b")),
        ("dotenv", "A=1", ("A", "b")),
    ],
)
def test_another_shape_is_refused(format: str, text: str, way: Any) -> None:
    with pytest.raises(Unfit):
        applied(File(format, (), (Put(way, {"name": "x"}),)), text, TARGET)


def test_json5_is_read() -> None:
    text = "{unquoted: 'it\\'s', hex: 0x1F, plus: +1, half: .5, 'inf': Infinity, cont: 'a\\\nb', u: '\\u0041\\x42',}"
    said = scan(text).value
    assert said == {"unquoted": "it's", "hex": 31, "plus": 1, "half": 0.5, "inf": float("inf"), "cont": "ab", "u": "AB"}


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True), st.text("ab1 #'$\\=\"/:", max_size=8), max_size=4
    )
)
def test_dotenv_values_come_back(values: dict[str, str]) -> None:
    document = opened("dotenv", "# head\n")
    for name, value in values.items():
        document.set((name,), value)
    assert document.value() == values
    for name in values:
        document.remove((name,))
    assert document.text() == "# head\n"
