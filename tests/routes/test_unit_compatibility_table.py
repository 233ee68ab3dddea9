"""The table of what clients send is made from the tests' data, and each row's test is there."""

import importlib
import re

import compatibility_table
import pytest


def test_the_document_is_made_of_the_data() -> None:
    assert compatibility_table.DOCUMENT.read_text("utf-8") == compatibility_table.document(), (
        "uv run python tests/compatibility_table.py --write"
    )


@pytest.mark.parametrize("table", compatibility_table.TABLES, ids=lambda table: table[0])
def test_the_test_of_a_table_takes_its_rows(table: tuple[str, str, str, str, str]) -> None:
    """One that is parametrized with something else would make the table say what nobody tries."""
    _, data, name, file, test = table
    file = file or data
    source = (compatibility_table.HERE / f"{file}.py").read_text("utf-8")
    found = re.search(rf'@pytest\.mark\.parametrize\("\w+", (\w+)\)\n(?:@.*\n)*(?:async )?def {test}\(', source)
    assert found, f"{file} has no {test} with rows"
    used = getattr(importlib.import_module(file.replace("/", ".")), found[1])
    assert getattr(importlib.import_module(data.replace("/", ".")), name).items() <= used.items()
