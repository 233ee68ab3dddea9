"""The generated blocks of README, SECURITY and docs are what the program says of itself."""

import json
import re
from typing import get_args

import pytest
import readme_blocks

from claude_max.cli.connect.catalogue import catalogue
from claude_max.proxy.config import Settings
from claude_max.proxy.engine.wire.versions import MINIMUM, TESTED, dotted
from claude_max.proxy.errors import Kind

TESTS = readme_blocks.ROOT / "tests"


def test_the_documents_are_current() -> None:
    assert readme_blocks.main(write=False) == 0, "uv run python tests/readme_blocks.py --write"


def test_every_setting_is_documented() -> None:
    table = readme_blocks.settings_table()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `{name}` | `CLAUDE_MAX_{name.upper()}` |" in table


def test_every_kind_of_failure_is_documented() -> None:
    assert set(readme_blocks.kinds()) == set(get_args(Kind))


def test_every_recipe_has_a_row() -> None:
    text = (readme_blocks.ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [name for name in catalogue() if not any(f"| `claude-max connect {name}` |" in row for row in rows)] == []


def test_the_oldest_and_the_pinned_cli_were_tried() -> None:
    """`uv run pytest -m compat tests/compat -n 0` tries them, and the page shows it."""
    known = json.loads(readme_blocks.COMPAT.read_text(encoding="utf-8"))
    assert {dotted(MINIMUM), dotted(TESTED)} <= known.keys()
    page = (readme_blocks.ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    assert f"needs {dotted(MINIMUM)} or newer" in page
    assert all(f"| {version} | {one['package']} |" in page for version, one in known.items())


def test_every_test_that_is_named_as_proof_exists() -> None:
    text = readme_blocks.SECURITY.read_text(encoding="utf-8")
    named = re.findall(r"`(?:tests/)?([a-z0-9_/]+/|[a-z0-9_/]*test_\w+\.py)`", text)
    there = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*")}
    names = {path.rpartition("/")[2] for path in there}
    assert len(named) > 20
    assert [name for name in named if name.rstrip("/") not in there | names] == []


def test_a_block_is_filled_and_filling_is_stable() -> None:
    end = "<!-- end -->\n"
    text = f"a\n<!-- help: doctor -->\nstale text\n{end}b\n<!-- exit codes -->\n{end}<!-- settings -->\n{end}"
    new = readme_blocks.filled(text)
    assert "stale text" not in new
    assert "--list-checks" in new
    assert "| 4 | claude is not signed in |" in new
    assert new.startswith("a\n")
    assert readme_blocks.filled(new) == new
    assert max(len(line) for line in readme_blocks.help_text("doctor").splitlines()) <= 80


@pytest.mark.parametrize("text", ["<!-- help: doctor -->\n", "x <!-- settings --> y <!-- end -->"])
def test_a_marker_that_cannot_be_filled_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        readme_blocks.filled(text)


def test_an_unknown_command_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        readme_blocks.filled("<!-- help: nonsense -->\n<!-- end -->")
