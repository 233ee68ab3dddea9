"""README, SECURITY, CONTRIBUTING, CHANGELOG and the pages in docs: their links, their length, and what they name."""

import re
import subprocess
from pathlib import Path

import pytest
import readme_blocks
from page_links import CODE, LINK, ROOT, broken, text_of

import claude_max.proxy

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PROXY = Path(claude_max.proxy.__path__[0])
# Of the README. What is longer belongs into docs.
MOST_LINES = 130


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, here\n[a](#a-title-here) [b](#b) [c](page.md#b) `[d](#d)` [e](https://example.invalid/#e)\n"
    )
    assert broken(page) == ["#b", "page.md#b"]


def test_the_readme_is_short() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= MOST_LINES


def test_every_page_is_linked() -> None:
    """From the README, or from a page that is."""
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        links = LINK.findall(CODE.sub("", text_of(page)))
        ahead += [(page.parent / link.partition("#")[0]).resolve() for link in links if ":" not in link]
    assert {page.name for page in PAGES} - {page.name for page in seen} == set()


def test_contributing_shows_every_room() -> None:
    picture = text_of(ROOT / "CONTRIBUTING.md").partition("## Rooms")[2].partition("## ")[0]
    rooms = {folder.parent.name for folder in PROXY.rglob("__init__.py")} - {PROXY.name}
    assert {room for room in rooms if f"{room}/" not in picture} == set()


def test_every_block_of_the_readme_is_run_or_a_few_variables() -> None:
    """`.ci/run` runs serve, ask and test; `clients/test_readme_snippets.py` the clients. What is left needs a login."""
    text = text_of(ROOT / "README.md")
    blocks = re.findall(r"(<!-- run: \w+ -->\n)?```\w+\n(.*?)```", text, re.DOTALL)
    left = [block for marker, block in blocks if not marker]
    assert [block.split()[0] for block in left] == [".uv/bin/uv", "export"]


def test_commands_that_are_named_exist() -> None:
    """`claude-max NAME` in code, in any page."""
    known = set(readme_blocks.commands())
    said = {name for page in PAGES for name in re.findall(r"`claude-max ([a-z][a-z-]+)", text_of(page))}
    assert said - known - {"agent"} == set()
    assert len(said) > 8


def test_every_command_is_on_the_page_of_commands() -> None:
    text = text_of(ROOT / "docs" / "commands.md")
    small = {"help", "version"}
    assert {name for name in readme_blocks.commands() if f"<!-- help: {name} -->" not in text} - small == set()


def test_shell_blocks_are_valid_shell() -> None:
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", text_of(page), re.DOTALL):
            done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
            assert done.returncode == 0, f"{page.name}: {done.stderr}"
