"""Markdown on its way in: which blocks are whole, and how one is drawn. Pure: text in, text or renderables out.

The law: nothing the model said may be invisible, and nothing it said may command the terminal. Colours are the
terminal's own and need no background, so that they can be read on light and dark ones.
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

# HTML is shown as the text it is: rich draws nothing at all for it.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])

# Neither white, black, yellow nor cyan, which one of the two backgrounds swallows.
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
    """The blocks at the head of a growing text that can no longer change, and the rest; joined they are `text`.

    The last block is never finished: a list, a table or a fence may go on.
    """
    starts = [token.map[0] for token in _PARSER.parse(text) if token.level == 0 and token.map and token.nesting >= 0]
    if len(starts) < 2:
        return [], text
    lines = text.splitlines(keepends=True)
    blocks = ["".join(lines[start:end]) for start, end in zip([0, *starts[1:]], starts[1:], strict=False)]
    return blocks, "".join(lines[starts[-1] :])


def rendered(text: str) -> Markdown:
    """`text` as rich draws it: links with their addresses, tasks as boxes, code in the terminal's own colours."""
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
