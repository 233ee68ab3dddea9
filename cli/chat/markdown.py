"""Markdown on its way in: which blocks are whole, and how one is rendered. Pure: text in, text or renderables out.

The law: nothing the model said may be invisible, and nothing it said may command the terminal.
"""

from markdown_it import MarkdownIt
from rich.markdown import Markdown

# HTML is shown as the text it is: rich draws nothing at all for it.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])

# C0 and C1 controls but newline and tab; a lone escape character is enough to retitle or reprogram a terminal.
_CONTROLS = dict.fromkeys([*(c for c in range(32) if c not in (9, 10)), *range(127, 160)])


def printable(text: str) -> str:
    """`text` without control characters."""
    return text.translate(_CONTROLS)


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
    """`text` as rich draws it: links with their addresses, code in the terminal's own colours."""
    markdown = Markdown("", code_theme="ansi_dark", hyperlinks=False)
    markdown.parsed = _PARSER.parse(text)
    return markdown
