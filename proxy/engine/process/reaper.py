"""Ends the workers of a server that was killed: `kill -9`, out of memory, a crash of Python.

A claude process whose stdin closes finishes its answer first, and waits for a silent model without limit. So a small
shell runs beside the server. It holds a pipe from the server and the ids of the running processes, and ends them when
the pipe closes. Linux and macOS only; on Windows workers end with their answers.
"""

import atexit
import contextlib
import subprocess
import sys

# Runs in its own session and ignores signals: what ends the server's group must not end this. Idle workers exit by
# themselves, stopped ones once they are continued. SIGTERM lets a busy one remove its session file.
SCRIPT = """# claude-max: ends the claude processes of a server that is gone
trap '' HUP INT TERM
pause=$1
held=' '
while read -r word pid; do
    case $word in
        hold) held="$held$pid " ;;
        release) held="${held%% "$pid" *} ${held#* "$pid" }" ;;
    esac
done
set -- $held
[ $# -gt 0 ] || exit 0
for pid; do kill -s CONT -- "-$pid"; done
sleep "$pause"
for pid; do kill -s TERM -- "-$pid"; done
sleep "$pause"
for pid; do kill -s KILL -- "-$pid"; done
"""


# Before each stronger signal.
PAUSE_SECONDS = 2


class Reaper:
    """The shell, started with the first process to watch. Process groups are named by the id of their leader."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        self._held: set[int] = set()

    def hold(self, pid: int) -> None:
        """Ends this process group when this program ends."""
        self._held.add(pid)
        self._tell(f"hold {pid}\n")

    def release(self, pid: int) -> None:
        """Forgets a group that has ended; its id may be reused."""
        if pid in self._held:
            self._held.remove(pid)
            self._tell(f"release {pid}\n")

    def _tell(self, line: str) -> None:
        if sys.platform == "win32":
            return
        if self._shell is None or self._shell.poll() is not None:
            line = "".join(f"hold {pid}\n" for pid in self._held)
            self._shell = self._begin()
        # Without a shell (no file handle left, or just killed) workers end with their answers; the next call tries
        # again.
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(OSError):
                self._shell.stdin.write(line.encode())

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        null = subprocess.DEVNULL
        try:
            shell = subprocess.Popen(
                ["/bin/sh", "-c", SCRIPT, "sh", str(PAUSE_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=null,
                stderr=null,
                bufsize=0,
                env={"PATH": "/bin:/usr/bin"},
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            return None
        atexit.register(_end, shell)
        return shell


def _end(shell: "subprocess.Popen[bytes]") -> None:
    """For an orderly exit: nothing is watched any more, so the shell exits at once."""
    if shell.stdin is not None:
        shell.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        shell.wait(2)


REAPER = Reaper()
