"""Programs in a real pseudo-terminal. Every wait is for something on the screen, with a bound."""

import os
import re
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import pexpect
from pexpect import fdpexpect

from . import forked
from .forked import installed

BOUND = 20.0
# prompt_toolkit turns bracketed paste on when it begins to read a line, and off when the line is taken.
READING, TAKEN = "\x1b[?2004h", "\x1b[?2004l"
PASTE, PASTED = "\x1b[200~", "\x1b[201~"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>78]|\x1b\][^\x07]*\x07")


# Backgrounds, and black, yellow, cyan and white text: on a light or on a dark terminal they can hardly be read.
_SWALLOWED = {*range(40, 50), *range(100, 108), 30, 33, 36, 37, 90, 93, 96, 97} - {49}


def swallowed(text: str) -> set[int]:
    """The colours of `text`, as numbers of its SGR sequences, that a light or a dark background swallows."""
    found = set()
    for codes in re.findall(r"\x1b\[([\d;]*)m", text):
        numbers = iter(map(int, filter(None, codes.split(";"))))
        for number in numbers:
            found.add(number)
            if number == 38:
                # One of 256 colours has a number of its own, any other three.
                for _ in range(1 if next(numbers) == 5 else 3):
                    next(numbers)
    return found & _SWALLOWED


# Generic in its type stub alone.
if TYPE_CHECKING:
    Spawned = fdpexpect.fdspawn[str]
else:
    Spawned = fdpexpect.fdspawn


class AtTerminal(Spawned):
    """A `claude-max` that was forked, with what tests use of `pexpect.spawn`."""

    def __init__(self, environ: Mapping[str, str], *arguments: str, columns: int, rows: int) -> None:
        ours, theirs = os.openpty()
        super().__init__(ours, encoding="utf-8", timeout=BOUND)
        try:
            self.setwinsize(rows, columns)
            self.process = forked.at_terminal(arguments, environ, theirs)
        finally:
            os.close(theirs)
        self.pid = self.process.pid

    def setwinsize(self, rows: int, columns: int) -> None:
        """Makes the window as large."""
        termios.tcsetwinsize(self.child_fd, (rows, columns))

    def sendcontrol(self, char: str) -> None:
        """Types Ctrl and a letter."""
        self.send(chr(ord(char) & 0x1F))

    def sendintr(self) -> None:
        """Types Ctrl-C."""
        self.sendcontrol("c")

    def wait(self) -> None:
        """Waits for the end."""
        self.exitstatus = self.process.wait(BOUND)

    def close(self, force: bool = True) -> None:
        """Takes the terminal away, and kills the program where it goes on."""
        super().close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(BOUND)


class Terminal:
    """A program and its keyboard."""

    def __init__(self, child: "pexpect.spawn[str] | AtTerminal") -> None:
        self.child = child

    def prompt(self) -> str:
        """Waits until a line is asked for; what was shown until then. What stands in the line is yet to be seen."""
        self.child.expect_exact(READING)
        before = str(self.child.before)
        self.child.expect_exact(">")
        return plain(before)

    def see(self, text: str) -> str:
        """Waits for `text` on the screen; what was shown before it."""
        self.child.expect_exact(text)
        return plain(str(self.child.before))

    def type(self, text: str) -> None:
        """Types without Enter; what is known to be a key sequence is given as it is."""
        self.child.send(text)

    def enter(self, line: str = "") -> None:
        """Types a line and waits until it was taken."""
        self.child.send(f"{line}\r")
        self.child.expect_exact(TAKEN)

    def ask(self, line: str) -> str:
        """A line, and all that is shown until the next prompt."""
        self.enter(line)
        return self.prompt()

    def told(self, line: str) -> str:
        """As `ask`, without the line breaks, which depend on how long a path is."""
        return " ".join(self.ask(line).split())

    def leaves(self) -> int:
        """Waits for the end; the exit code."""
        self.child.expect(pexpect.EOF)
        self.child.wait()
        assert isinstance(self.child.exitstatus, int)
        return self.child.exitstatus


def chat(
    environ: Mapping[str, str], *arguments: str, columns: int = 80, rows: int = 24
) -> AbstractContextManager[Terminal]:
    """A chat whose first prompt is not yet waited for; killed at the end if it still runs."""
    return shell(environ, installed(), "chat", *arguments, columns=columns, rows=rows)


@contextmanager
def shell(
    environ: Mapping[str, str], program: str, *arguments: str, columns: int = 80, rows: int = 24
) -> Iterator[Terminal]:
    """A shell, or another program, at a terminal of its own; killed at the end if it still runs."""
    # A pexpect terminal answers no question about the cursor's place.
    env = {**environ, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
    child: pexpect.spawn[str] | AtTerminal
    if program == installed() and forked.can_fork(env):
        child = AtTerminal(env, *arguments, columns=columns, rows=rows)
    else:
        child = pexpect.spawn(
            program,
            list(arguments),
            env=env,
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=BOUND,
        )
    child.delaybeforesend = None
    try:
        yield Terminal(child)
    finally:
        child.close(force=True)


def plain(text: str) -> str:
    """What a person sees of what was written."""
    return _ESCAPES.sub("", text).replace("\r\n", "\n")
