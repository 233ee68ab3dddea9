"""Shows a streamed answer: Markdown rendered live on a terminal, plain text everywhere else.

rich.live is not used: it computes the rows to erase from the old width, so every resize leaves its last output behind,
and it cuts output that is taller than the window. Here complete blocks are printed once, and only the tail of the last
one is repainted.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.segment import ControlType, Segment, SegmentLines
from rich.text import Text

from ..output import err, printable, spoken, trimmed, writing

# At most this often; after a slow paint, four times its duration is left for other work.
PAINT_SECONDS = 0.05
SHARE = 4
THINKING_ROWS = 8
SPIN_SECONDS = 0.1
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class View(Protocol):
    """Shows one answer. Always call `close`: it prints everything received."""

    def say(self, text: str) -> None:
        """More of the answer."""

    def think(self, text: str) -> None:
        """More of the thinking, which is shown until the answer begins and then removed."""

    def continued(self) -> None:
        """The program was suspended and continues: the cursor is below the shell's output."""

    def close(self) -> None:
        """The end of the answer, complete or not."""


class Plain:
    """Text as it comes, and a newline at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clean = stream.isatty()
        self._last = "\n"

    def say(self, text: str) -> None:
        """Writes it at once: unchanged into a pipe, without control characters to a terminal."""
        text = printable(text) if self._clean else text
        self._last = text[-1:] or self._last
        self._write(text)

    def think(self, text: str) -> None:
        """Does nothing: only the answer goes to stdout."""

    def continued(self) -> None:
        """Continues on the next line."""

    def close(self) -> None:
        """Ends the last line."""
        if self._last != "\n":
            self._write("\n")

    def _write(self, text: str) -> None:
        with writing():
            self._stream.write(text)
            self._stream.flush()


class Painted:
    """Markdown, painted live. Needs a running event loop."""

    def __init__(self, console: Console) -> None:
        # Half of the program's import time, and only needed here.
        from . import markdown

        self._markdown = markdown
        self._console = console
        self._region = Region(console)
        self._open = self._thoughts = ""
        self._printed = False
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._begun = time.monotonic()
        self._waiting: asyncio.TimerHandle | None = None
        self._spin()

    def say(self, text: str) -> None:
        """Takes more of the answer; it is painted now or very soon."""
        self._open += printable(text)
        self._soon()

    def think(self, text: str) -> None:
        """Takes more of the thinking."""
        self._thoughts += printable(text)
        self._soon()

    def continued(self) -> None:
        """Leaves the painted rows to the shell."""
        self._region.forget()

    def close(self) -> None:
        """Prints the rest, and restores the terminal."""
        for timer in (self._timer, self._waiting):
            if timer is not None:
                timer.cancel()
        blocks, last = self._markdown.finished(self._open)
        with self._console:
            self._region.erase()
            for block in (*blocks, last):
                self._print(block)

    def _spin(self) -> None:
        """Until the answer begins: the elapsed time, under the thinking."""
        if self._printed or self._open.strip():
            return
        self._paint_waiting()
        self._waiting = asyncio.get_running_loop().call_later(SPIN_SECONDS, self._spin)

    def _paint_waiting(self) -> None:
        seconds = time.monotonic() - self._begun
        frame = FRAMES[int(seconds / SPIN_SECONDS) % len(FRAMES)]
        spinner = Text(f"{frame} {seconds:.0f} s", style="dim")
        thoughts = self._thoughts.strip()
        shown = Group(Text(thoughts, style="dim italic"), spinner) if thoughts else spinner
        self._region.paint(shown, rows=THINKING_ROWS)

    def _soon(self) -> None:
        if self._timer is None:
            wait = max(0.0, self._next - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._paint)

    def _paint(self) -> None:
        self._timer = None
        began = time.monotonic()
        blocks, self._open = self._markdown.finished(self._open)
        with self._console:
            if blocks:
                self._region.erase()
            for block in blocks:
                self._print(block)
            if self._open.strip():
                self._region.paint(self._markdown.rendered(self._open), space=self._printed)
            elif not self._printed:
                self._paint_waiting()
        ended = time.monotonic()
        self._next = ended + max(PAINT_SECONDS, SHARE * (ended - began))

    def _print(self, block: str) -> None:
        rows = picture(self._console, self._markdown.rendered(block))
        # Some blocks render to nothing: an empty heading, blanks, a link definition.
        if rows:
            self._console.print(SegmentLines([[], *rows] if self._printed else rows, new_lines=True), end="")
            self._printed = True


class Region:
    """Rows above the cursor that are repainted repeatedly; the cursor is on the row below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._widths: list[int] = []

    def paint(self, what: RenderableType, *, rows: int | None = None, space: bool = False) -> None:
        """Shows the last rows of `what` that fit into the window (at most `rows`), under an empty row if `space`."""
        height = max(1, self._console.height - 2)
        lines = picture(self._console, what)
        if space:
            lines.insert(0, [])
        lines = lines[-min(height, rows or height) :]
        with self._console:
            self.erase()
            self._console.print(SegmentLines(lines, new_lines=True), end="")
        self._widths = [sum(segment.cell_length for segment in line) for line in lines]

    def erase(self) -> None:
        """Erases the rows. A narrower window has wrapped them, so they are counted with the current width."""
        width = max(1, self._console.width)
        rows = sum(max(1, -(-each // width)) for each in self._widths)
        up = [(ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)] * rows
        self._console.control(Control(ControlType.CARRIAGE_RETURN, *up))
        self.forget()

    def forget(self) -> None:
        """Keeps the rows as they are; they are not repainted any more."""
        self._widths = []


def view(console: Console, *, raw: bool) -> View:
    """The best view that stdout can have."""
    if raw or not console.is_terminal or console.is_dumb_terminal:
        return Plain(sys.stdout)
    from .markdown import THEME

    # Once for the console: code that can be read on light terminals, too.
    if console.get_style("markdown.code") != THEME.styles["markdown.code"]:
        console.push_theme(THEME)
    return Painted(console)


@contextlib.contextmanager
def quiet_keys(screen: View) -> Iterator[None]:
    """During an answer, keys are not echoed.

    They are not lost: the next prompt reads them. After Ctrl-Z and `fg` the shell has changed the terminal mode, and
    has written to the screen.
    """
    if sys.platform == "win32":
        yield
        return
    import termios

    before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None

    def behave(quiet: bool) -> None:
        # After `bg` the terminal belongs to the shell; a process that changes its mode is stopped again.
        if before is not None and not _in_background(sys.stdin.fileno()):
            # Without NOFLSH a Ctrl-C would discard typed input.
            flags = before[3] & ~termios.ECHO | termios.NOFLSH if quiet else before[3]
            termios.tcsetattr(sys.stdin, termios.TCSANOW, [*before[:3], flags, *before[4:]])

    def go_on(*_: object) -> None:
        behave(quiet=True)
        screen.continued()

    def leave(number: int, _: object) -> None:
        # Not every shell restores the terminal mode itself.
        behave(quiet=False)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        signal.signal(number, leave)
        go_on()

    # Not an event loop handler: those run after pending callbacks, which would paint first.
    others = {number: signal.signal(number, way) for number, way in ((signal.SIGTSTP, leave), (signal.SIGCONT, go_on))}
    behave(quiet=True)
    try:
        yield
    finally:
        behave(quiet=False)
        for number, way in others.items():
            signal.signal(number, way)


def _in_background(keyboard: int) -> bool:
    try:
        return os.tcgetpgrp(keyboard) != os.getpgrp()
    except OSError:
        # Not our terminal, so there is nothing to restore.
        return False


def note(line: str) -> None:
    """A message; on a terminal broken between words."""
    err.print(spoken(line), style="dim", soft_wrap=True, highlight=False)


def picture(console: Console, what: RenderableType) -> list[list[Segment]]:
    """`what` as rows, with no blanks at their ends (a row only filled up is not wrapped) and no empty rows around."""
    rows = [trimmed(line) for line in console.render_lines(what, pad=False)]
    filled = [index for index, row in enumerate(rows) if row]
    return rows[filled[0] : filled[-1] + 1] if filled else []
