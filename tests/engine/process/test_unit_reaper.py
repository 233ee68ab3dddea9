"""What a program holds ends with it, what it released does not; with real processes, because they are the point."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")

PROGRAM = """
import os, signal, sys, time
from claude_max.proxy.engine.process.reaper import Reaper
line = Reaper()
held, released, late = (int(pid) for pid in sys.argv[1:4])
line.hold(held)
line.hold(released)
if "shell dies" in sys.argv:
    line._shell.kill()
    line._shell.wait()
line.release(released)
line.hold(late)
print(line._shell.pid, flush=True)
if "orderly" not in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
line.release(held)
line.release(late)
"""


@pytest.fixture
def sleepers() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Three processes, each the leader of its group."""
    made = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(3)]
    yield made
    for process in made:
        process.kill()
        process.wait()


@pytest.mark.parametrize("how", ["killed", "shell dies"])
def test_what_is_held_ends_with_the_program(sleepers: list["subprocess.Popen[bytes]"], how: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *_pids(sleepers), how], check=False, timeout=20)
    assert done.returncode == -signal.SIGKILL
    held, released, late = sleepers
    assert held.wait(10) == late.wait(10) == -signal.SIGTERM
    assert released.poll() is None


def test_an_orderly_end_leaves_no_shell_and_ends_nothing(sleepers: list["subprocess.Popen[bytes]"]) -> None:
    program = [sys.executable, "-c", PROGRAM, *_pids(sleepers), "orderly"]
    done = subprocess.run(program, check=True, timeout=20, capture_output=True)
    assert not psutil.pid_exists(int(done.stdout))
    assert [process.poll() for process in sleepers] == [None, None, None]


def _pids(processes: list["subprocess.Popen[bytes]"]) -> list[str]:
    return [str(process.pid) for process in processes]
