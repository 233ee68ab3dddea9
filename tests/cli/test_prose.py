"""Docstrings, comments, messages and pages are in plain technical English: phrases of an older style stay out.

A list instead of a prose linter: vale downloads its program when it runs, and its rules know no comments in Python.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Each phrase, and what to write instead.
PHRASES = {
    r"(?<!there )(?<!There )\b(is|are) no (?!longer|more|less|such)": "is not a",
    r"\bmends?\b": "fix",
    r"\banew\b": "again, new",
    r"\bto the letter\b": "equal",
    r"\bwithout a word\b": "silently",
    r"\bput(s|ting)? right\b": "repair",
    r"\bleads? nowhere\b": "cannot be resolved, leads to no model",
    r"\b(can|cannot|could not) be had\b": "is available, is not supported",
    r"\bin vain\b": "without effect",
    r"\bspoil(s|t)?\b": "break",
    r"\bleaves? away\b": "leave out, drop",
    r"\b(asks|asked) nobody\b": "sends no request",
    r"\bwhat was said\b": "the messages",
    r"\bwhose (words|each)\b": "where it comes from",
    r"\btakes? (it|them|that) back\b": "undo, remove",
    r"\bwhoever\b": "everyone who, the user",
    r"\bfor the while\b": "until the program ends",
    r"\b[Tt]he law\b": "the rule itself",
    r"\bat the rate of now\b": "at the current rate",
    r"\bcommands? (a|the) terminal\b": "control the terminal",
    r"\bthis very\b": "this",
    r"\bhonoured\b": "applied",
    r"\bfor ever\b": "forever",
    r"\bwhat there is to\b": "the state, the choices",
    r"\bwants another\b": "requires another",
}
BAD = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES))
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
SOURCES = [file for folder in ("proxy", "cli") for file in (ROOT / folder).rglob("*.py")]


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page; of a source its comments and strings. A quotation in backticks is not prose."""
    text = file.read_text("utf-8")
    if file.suffix == ".md":
        pieces = list(enumerate(text.splitlines(), 1))
    else:
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        # From Python 3.12 on an f-string is several tokens.
        kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
        pieces = [(token.start[0], token.string) for token in tokens if token.type in kinds]
    yield from ((number, re.sub(r"`[^`]*`", "``", " ".join(piece.split()))) for number, piece in pieces)


def test_plain_words() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {match[0]!r}"
        for file in (*PAGES, *SOURCES)
        for number, piece in prose(file)
        for match in BAD.finditer(piece)
    ]
    assert len(SOURCES) > 200
    assert not found, "\n".join(found)


def test_the_phrases_are_found() -> None:
    for bad in ("the command that mends it", "This is no valid HTTP request", "it leads nowhere", "read anew"):
        assert BAD.search(bad), bad
    for good in ("There is no such model", "it is no longer there", "There are no more", "it is not valid"):
        assert not BAD.search(good), good
