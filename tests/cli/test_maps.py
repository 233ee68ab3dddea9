"""A package's docstring is the map of its room: where a reader begins."""

import re
from pathlib import Path

import pytest

import claude_max.cli
import claude_max.proxy

CLI, PROXY = Path(claude_max.cli.__path__[0]), Path(claude_max.proxy.__path__[0])
# A new recipe is one file; docs/clients.md lists them, and a test of its own demands it.
WITHOUT = CLI / "connect" / "recipes" / "__init__.py"
MAPS = [file for file in (*CLI.rglob("__init__.py"), *PROXY.rglob("__init__.py")) if file != WITHOUT]


@pytest.mark.parametrize("file", MAPS, ids=lambda file: file.parent.name)
def test_every_module_is_on_the_map_of_its_room(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    there = {path.stem for path in file.parent.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name for name in there - {"__init__"} if not re.search(rf"^{name} |`{name}`", text, re.MULTILINE)} == set()
