"""The table of what each dialect carries is complete, names tests that exist, and stands in the documentation."""

import re

import dialect_table
import pytest

from claude_max.proxy.app import DIALECTS
from dialects.features import FEATURES

COLUMNS = dialect_table.columns()


def test_the_document_is_made_of_it() -> None:
    assert dialect_table.DOCUMENT.read_text("utf-8") == dialect_table.document(), "tests/dialect_table.py --write"


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.TITLE)
def test_each_dialect_says_something_of_each_feature(column: dialect_table.Column) -> None:
    assert list(column.ROWS) == list(FEATURES)
    served = {path for dialect in DIALECTS for path in dialect.paths}
    assert set(column.PATHS) <= served


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.TITLE)
def test_what_it_says_is_shown_by_a_test(column: dialect_table.Column) -> None:
    for feature, row in column.ROWS.items():
        if row.state == "no":
            continue
        file, _, name = row.test.partition("::")
        path = dialect_table.HERE / file
        assert path.exists(), (feature, row.test)
        assert re.search(rf"^(async )?def {name}\(", path.read_text("utf-8"), re.MULTILINE), (feature, row.test)
