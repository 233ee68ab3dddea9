"""The manual as a site: README, SECURITY, CONTRIBUTING, CHANGELOG and docs in one folder, for zensical to build.

`uv run python tests/site_pages.py FOLDER`, then `uvx zensical==0.0.73 build` in FOLDER (`just site` does both). Pages
of the repository lie in two folders and link across them; here they lie in one. Nothing of the site is loaded from
elsewhere.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The order of the pages, by their names here; what is not there yet is left out.
PAGES = (
    "index.md",
    "clients.md",
    "dialects.md",
    "configuration.md",
    "commands.md",
    "page.md",
    "json.md",
    "errors.md",
    "service.md",
    "upgrading.md",
    "docker.md",
    "team.md",
    "compatibility.md",
    "troubleshooting.md",
    "how-it-works.md",
    "performance.md",
    "storage.md",
    "certified.md",
    "compatibility-requests.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)
# `font = false`: otherwise each reader's browser asks another host for fonts.
CONFIG = """[project]
site_name = "claude-max"
site_description = "Your Claude Code login as an endpoint on your own machine."
docs_dir = "docs"
site_dir = "site"
use_directory_urls = false
nav = [{nav}]

[project.theme]
font = false
"""
LINK = re.compile(r"\]\((?!https?:|#)(?:\.\./|docs/)*([^)\s]+)\)")
# Folders of the repository that pages link to and that are no pages.
ELSEWHERE = re.compile(r"\[([^\]]+)\]\(\.\./[a-z]+\)")


def assembled(folder: Path) -> list[str]:
    """Writes the pages and zensical's configuration; the names of the pages."""
    docs = folder / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").iterdir()]
    for file in found:
        if file.suffix == ".md":
            (docs / name_of(file)).write_text(linked(file.read_text(encoding="utf-8")), encoding="utf-8")
        elif file.is_file():
            shutil.copy(file, docs)
    names = {name_of(file) for file in found if file.suffix == ".md"}
    pages = [*(page for page in PAGES if page in names), *sorted(names.difference(PAGES))]
    nav = ", ".join(f'"{page}"' for page in pages)
    (folder / "zensical.toml").write_text(CONFIG.replace("{nav}", nav), encoding="utf-8")
    return pages


def name_of(file: Path) -> str:
    """Its name on the site."""
    return "index.md" if file.name == "README.md" else file.name


def linked(text: str) -> str:
    """The text with its links to pages made for one folder."""
    return LINK.sub(lambda link: f"]({link[1].replace('README.md', 'index.md')})", ELSEWHERE.sub(r"\1", text))


if __name__ == "__main__":
    sys.stdout.write(f"{len(assembled(Path(sys.argv[1])))} pages in {sys.argv[1]}\n")
