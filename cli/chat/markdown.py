"""Streamed Markdown: which blocks are complete, and how they are rendered.

Pure: text in, text or renderables out. All of the model's text stays visible, and none of it can control the terminal.
Colours are the terminal's own, without a background, so they are readable on light and dark terminals.
"""

from collections.abc import Iterable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments.token import Comment, Keyword, Name, Number, Operator, String  # type: ignore[import-untyped]
from rich.markdown import Markdown
from rich.style import Style
from rich.syntax import ANSISyntaxTheme
from rich.theme import Theme

# HTML is shown as text: rich would render nothing for it.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])

# Not white, black, yellow or cyan: each is unreadable on a light or a dark background.
CODE = ANSISyntaxTheme(
    {
        Comment: Style(dim=True, italic=True),
        Keyword: Style(color="blue", bold=True),
        Name.Function: Style(color="magenta"),
        Name.Class: Style(color="magenta", bold=True),
        Number: Style(color="magenta"),
        Operator: Style(),
        String: Style(color="green"),
    }
)
THEME = Theme(
    {
        "markdown.code": "bold magenta",
        "markdown.code_block": "none",
        "markdown.list": "none",
        "markdown.item.number": "bold",
        "markdown.link": "underline",
        "markdown.link_url": "underline",
        "markdown.table.border": "dim",
        "markdown.table.header": "bold",
    }
)
TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


def finished(text: str) -> tuple[list[str], str]:
    """Splits a growing text into the blocks that can no longer change and the rest; joined they are `text`.

    The last block is never complete: a list, a table or a fence may continue.
    """
    starts = [token.map[0] for token in _PARSER.parse(text) if token.level == 0 and token.map and token.nesting >= 0]
    if len(starts) < 2:
        return [], text
    lines = text.splitlines(keepends=True)
    blocks = ["".join(lines[start:end]) for start, end in zip([0, *starts[1:]], starts[1:], strict=False)]
    return blocks, "".join(lines[starts[-1] :])


def rendered(text: str) -> Markdown:
    """`text` as a rich renderable: links with their addresses, tasks as boxes, code in the terminal's own colours."""
    theme: Any = CODE
    markdown = Markdown("", code_theme=theme, hyperlinks=False)
    markdown.parsed = _PARSER.parse(text)
    _boxes(markdown.parsed)
    return markdown


def _boxes(tokens: Iterable[Token]) -> None:
    """Task lists, which CommonMark does not know: `- [x] done`."""
    before: list[str] = []
    for token in tokens:
        if token.type == "inline" and before[-2:] == ["list_item_open", "paragraph_open"] and token.children:
            first = token.children[0]
            for mark, box in TASKS.items():
                if first.type == "text" and first.content.startswith(mark):
                    first.content = box + first.content.removeprefix(mark)
        before.append(token.type)
