"""Signals whose exception Python drops, as it does for one raised in a callback; two signals in a row."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys, weakref
from claude_max.cli.signals import undo_when_terminated

class Thing: pass

def in_a_callback():
    thing = Thing()
    seen = weakref.ref(thing, lambda _: {callback})
    del thing

undo_when_terminated()
in_a_callback()
print("it goes on", flush=True)
{afterwards}
print("never")
"""


def run(callback: str, afterwards: str) -> "subprocess.CompletedProcess[str]":
    script = SCRIPT.format(callback=callback, afterwards=afterwards)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("dropped", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize("next_one", ["SIGTERM", "SIGHUP"])
def test_the_next_signal_ends_the_program(dropped: str, next_one: str) -> None:
    """The first signal makes the program ignore all others, because it is about to end; here it does not end."""
    kill = "os.kill(os.getpid(), signal.{})".format
    done = run(kill(dropped), kill(next_one))
    assert (done.stdout, done.stderr) == ("it goes on\n", "")
    assert done.returncode == 128 + signal.Signals[next_one]


def test_two_signals_at_the_same_time() -> None:
    """Python handles them one after the other, and the first makes the second ignored."""
    both = "signal.pthread_sigmask(signal.SIG_SETMASK, {})"
    block = "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})"
    sent = "; ".join(f"os.kill(os.getpid(), signal.{name})" for name in ("SIGTERM", "SIGHUP"))
    done = run("None", f"try: {block}; {sent}; {both}\nexcept SystemExit: print('ending', flush=True); raise")
    assert (done.stdout, done.stderr) == ("it goes on\nending\n", "")
    assert done.returncode in (128 + signal.SIGTERM, 128 + signal.SIGHUP)


def test_any_other_exception_is_told() -> None:
    done = run("1 / 0", "sys.exit(3)")
    assert "Exception ignored in" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert (done.stdout, done.returncode) == ("it goes on\n", 3)


CHAT = """
import asyncio, os, signal, sys
import typer
from claude_max.cli.chat.command import run
from claude_max.cli.signals import undo_when_terminated

async def work():
    try:
        os.kill(os.getpid(), signal.{first})
        await asyncio.sleep(20)
    finally:
        os.kill(os.getpid(), signal.{second})
        await asyncio.sleep(0.05)
        print("all is cleaned up")

undo_when_terminated()
try:
    run(work())
except typer.Exit as end:
    sys.exit(end.exit_code)
"""


@pytest.mark.parametrize("second", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize("first", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_second_signal_does_not_disturb_the_end_of_chat(first: str, second: str) -> None:
    script = CHAT.format(first=first, second=second)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("all is cleaned up\n", "")
    assert done.returncode == 128 + signal.Signals[first]
