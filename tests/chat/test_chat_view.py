"""An answer on the screen: nothing of it is lost, nothing of it commands the terminal, nothing is painted twice."""

import asyncio
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from claude_max.cli.chat.markdown import finished, rendered
from claude_max.cli.chat.view import Painted, Plain, Region, picture, view
from claude_max.cli.output import printable

ANSWER = "# Title\n\nSome *words* here.\n\n- one\n- two\n\n```python\nx = 1\n\ny = 2\n```\n\n<b>html</b> end\n"


def console(width: int = 40, height: int = 10) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)


def written(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


class Screen:
    """The few control sequences that are used here, on rows that do not wrap."""

    def __init__(self) -> None:
        self.rows = [""]
        self.at = 0

    def write(self, text: str) -> "Screen":
        for piece in text.replace("\r", "").replace("\x1b[1A", "\f").replace("\x1b[2K", "\v"):
            if piece == "\f":
                self.at -= 1
            elif piece == "\v":
                self.rows[self.at] = ""
            elif piece == "\n":
                self.at += 1
                self.rows += [""] * (self.at == len(self.rows))
            else:
                self.rows[self.at] += piece
            assert self.at >= 0, "erased more than was painted"
        return self


@pytest.mark.parametrize(
    ("text", "blocks", "rest"),
    [
        ("", [], ""),
        ("one", [], "one"),
        ("one\n\n", [], "one\n\n"),
        ("one\n\ntwo", ["one\n\n"], "two"),
        ("# t\npara", ["# t\n"], "para"),
        ("- a\n\n- b", [], "- a\n\n- b"),
        ("- a\n\nb\n\nc", ["- a\n\n", "b\n\n"], "c"),
        ("```\na\n\nb", [], "```\na\n\nb"),
        ("```\na\n```\nb", ["```\na\n```\n"], "b"),
        ("p\n```\na", ["p\n"], "```\na"),
    ],
)
def test_only_blocks_that_cannot_change_are_finished(text: str, blocks: list[str], rest: str) -> None:
    assert finished(text) == (blocks, rest)


@settings(deadline=None)  # the first one loads the parser
@given(st.lists(st.sampled_from(["a", " ", "\n", "#", "- ", "```", "> ", "1. ", "|", "---", "\t", "\u2028", "\x0c"])))
def test_blocks_and_rest_are_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    blocks, rest = finished(text)
    assert "".join(blocks) + rest == text


def test_controls_are_taken_out() -> None:
    assert printable("a\x1b]0;title\x07b\r\n\tc\x9b2J\x7f") == "a]0;titleb\n\tc2J"


def test_html_and_addresses_are_visible() -> None:
    on = console()
    on.print(rendered("<div>shown</div>\n\n[name](http://x.y)"))
    assert "<div>shown</div>" in written(on)
    assert "name (http://x.y)" in written(on)


@pytest.mark.parametrize("height", [4, 40])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_streamed_answer_ends_as_the_same_picture(
    step: int, height: int, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_max.cli.chat.view.PAINT_SECONDS", 0)
    monkeypatch.setattr("claude_max.cli.chat.view.SHARE", 0)

    async def stream() -> Console:
        on = console(height=height)
        painted = Painted(on)
        painted.think("hm")
        for start in range(0, len(ANSWER), step):
            painted.say(ANSWER[start : start + step])
            while painted._timer is not None and not at_once:  # noqa: ASYNC110 - a turn of the loop, not a wait
                await asyncio.sleep(0)
        painted.close()
        return on

    rows = [row.rstrip() for row in Screen().write(written(asyncio.run(stream()))).rows]
    blocks = [*finished(ANSWER)[0], finished(ANSWER)[1]]
    whole = [["".join(s.text for s in row) for row in picture(console(), rendered(block))] for block in blocks]
    assert rows == [row for block in whole for row in [*block, ""]]


def test_what_does_not_show_leaves_no_blank_rows() -> None:
    async def answer() -> Console:
        on = console()
        painted = Painted(on)
        painted.say("one\n\n#\n\n[a]: http://x.y\n\ntwo\n\n#\n")
        painted.close()
        return on

    rows = Screen().write(written(asyncio.run(answer()))).rows
    assert rows == ["one", "", "two", ""]


def test_rows_that_a_narrower_window_wrapped_are_erased_too() -> None:
    on = console(width=40)
    region = Region(on)
    region.paint(Text("x" * 40 + "\nshort"))
    on.width = 15
    before = len(written(on))
    region.erase()
    assert written(on)[before:].count("\x1b[1A") == 3 + 1
    before = len(written(on))
    region.erase()
    assert "\x1b[1A" not in written(on)[before:]


def test_the_painted_part_fits_into_the_window() -> None:
    on = console(height=6)
    Region(on).paint(Text("\n".join(f"row {n}" for n in range(50))))
    assert written(on).count("\n") == 4
    assert "row 49" in written(on)


def test_a_pipe_gets_the_text_as_it_is() -> None:
    stream = io.StringIO()
    plain = Plain(stream)
    plain.think("hm")
    for text in ("# a\x1b[1m", "", "b"):
        plain.say(text)
    plain.close()
    assert stream.getvalue() == "# a\x1b[1mb\n"


def test_where_nothing_can_be_painted_text_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(view(Console(file=io.StringIO()), raw=False), Plain)
    assert isinstance(view(console(), raw=True), Plain)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(view(console(), raw=False), Plain)
