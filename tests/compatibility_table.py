"""docs/compatibility-requests.md, made from data of tests: `uv run python tests/compatibility_table.py [--write]`."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.shape import Shape

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "compatibility-requests.md"
# Each table: its title, the file with the data and their name there, the file of the test and the test.
TABLES = (
    ("Addresses", "routes/test_unit_addresses", "SERVED", "", "test_nearly_right"),
    ("Addresses of other APIs", "routes/test_unit_addresses", "ELSEWHERE", "", "test_not_here"),
    ("Conversations", "translate/shapes", "CONVERSATIONS", "translate/test_unit_shapes", "test_a_shape"),
    ("Values", "translate/shapes_values", "VALUES", "translate/test_unit_shapes", "test_a_shape"),
    (
        "The Responses API",
        "translate/shapes_responses",
        "RESPONSES",
        "translate/test_unit_shapes",
        "test_a_shape_of_responses",
    ),
    (
        "The Messages API",
        "translate/shapes_messages",
        "MESSAGES",
        "translate/test_unit_shapes",
        "test_a_shape_of_messages",
    ),
    ("ollama", "translate/shapes_ollama", "OLLAMA", "translate/test_unit_shapes", "test_a_shape_of_ollama"),
    ("Images that are too large", "engine/planning/test_unit_images", "LARGE", "", "test_sides"),
    ("Bodies", "translate/test_unit_bodies", "BODIES", "", "test_a_body"),
    ("Compressed bodies", "routes/test_unit_compressed", "COMPRESSED", "", "test_a_compressed_body"),
    ("Names of models", "translate/test_unit_models", "SPELLINGS", "", "test_another_spelling_is_the_same_name"),
    ("Web origins", "routes/test_unit_origins", "ORIGINS", "", "test_an_origin"),
)
HEAD = """# What clients send, and what happens

Made by `uv run python tests/compatibility_table.py --write` from the data of the tests: each row is one test, run with
`uv run pytest 'tests/<test>'`.

Repairs are named in the response header `x-claude-max-repaired` (marked with *). With the setting
`strict = true` it is refused instead, where OpenAI refuses it. What has no effect is named in `x-claude-max-ignored`.
"""


def document() -> str:
    """The whole document."""
    return HEAD + "".join(_table(*table) for table in TABLES)


def _table(title: str, data: str, name: str, file: str, test: str) -> str:
    shapes: Mapping[str, Shape] = getattr(importlib.import_module(data.replace("/", ".")), name)
    rows = [
        f"| {_cell(shape.sends)} | {_cell(shape.happens)}{' *' if shape.repaired else ''} | `{row}` |"
        for row, shape in shapes.items()
    ]
    head = f"\n## {title}\n\n`tests/{file or data}.py::{test}`\n\n"
    head += "| A client sends | What happens | Test |\n|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    if "--write" in sys.argv:
        DOCUMENT.write_text(document(), "utf-8")
    elif DOCUMENT.read_text("utf-8") != document():
        sys.exit(f"{DOCUMENT} is not what the tests' data say: {sys.argv[0]} --write")
