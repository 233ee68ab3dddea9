"""The site's pages link to each other."""

from pathlib import Path

import pytest
import site_pages
from page_links import CODE, LATER, LINK

LATE = {Path(page).name for page in LATER}


def test_every_link_leads_to_a_page(tmp_path: Path) -> None:
    pages = site_pages.assembled(tmp_path)
    assert pages[0] == "index.md"
    for page in pages:
        text = CODE.sub("", (tmp_path / "docs" / page).read_text(encoding="utf-8"))
        links = {link.partition("#")[0] for link in LINK.findall(text) if "://" not in link and link[0] != "#"}
        there = {file.name for file in (tmp_path / "docs").iterdir()}
        assert links - there - LATE == set(), page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](docs/errors.md#exit-codes)", "[a](errors.md#exit-codes)"),
        ("[a](../SECURITY.md) [b](#c)", "[a](SECURITY.md) [b](#c)"),
        ("[a](../README.md)", "[a](index.md)"),
        ("[`completions/`](../completions)", "`completions/`"),
        ("[a](https://example.invalid/docs/x)", "[a](https://example.invalid/docs/x)"),
    ],
)
def test_links_are_made_for_one_folder(before: str, after: str) -> None:
    assert site_pages.linked(before) == after
