"""The relative links of a Markdown page, and which of them lead nowhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Pages that are made from what clients were seen to do; a link to one holds once it is there.
LATER: frozenset[str] = frozenset()
# A link or a picture, not in code; the destination without its title.
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    titles = HEADING.findall(re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> list[str]:
    """Relative links that lead nowhere."""
    found = []
    for link in LINK.findall(CODE.sub("", text_of(page))):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        if path and not target.exists():
            if target.relative_to(ROOT).as_posix() not in LATER:
                found.append(link)
        elif anchor and anchor not in anchors(target):
            found.append(link)
    return found
