"""Ends the workers of a server that died: `kill -9`, out of memory, a crash of Python itself.

A claude process whose stdin closes finishes its answer first, and waits for a silent model as long as the model is
silent. So one small shell waits beside the server, holding nothing but a pipe from it and the numbers of the processes
that run; when the pipe ends, it ends them. Linux and macOS; on Windows workers end with their answers.
"""

import atexit
import contextlib
import subprocess
import sys

# In a session of its own and deaf to signals: whatever ends the server's group must not end this first. Idle workers go
# by themselves, stopped ones as soon as they may go on; one that is told to while it goes may leave its session file
# behind. SIGTERM lets a busy one take it away.
SCRIPT = """# claude-max: ends the claude processes of a server that is gone
trap '' HUP INT TERM
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
sleep 2
for pid; do kill -s TERM -- "-$pid"; done
sleep 2
for pid; do kill -s KILL -- "-$pid"; done
"""


class Reaper:
    """The shell, begun with the first process to hold. Knows process groups by the id of their leader."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        self._held: set[int] = set()

    def hold(self, pid: int) -> None:
        """From now on this process group ends when this program does."""
        self._held.add(pid)
        self._tell(f"hold {pid}\n")

    def release(self, pid: int) -> None:
        """The group is gone; its number may soon be somebody else's."""
        if pid in self._held:
            self._held.remove(pid)
            self._tell(f"release {pid}\n")

    def _tell(self, line: str) -> None:
        if sys.platform == "win32":
            return
        if self._shell is None or self._shell.poll() is not None:
            line = "".join(f"hold {pid}\n" for pid in self._held)
            self._shell = self._begin()
        # Without a shell (no file handle left, or killed just now) workers end with their answers; the next word to it
        # tries again.
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(OSError):
                self._shell.stdin.write(line.encode())

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        null = subprocess.DEVNULL
        try:
            shell = subprocess.Popen(
                ["/bin/sh", "-c", SCRIPT],
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
    """An orderly end: nothing is held any more, so it goes at once."""
    if shell.stdin is not None:
        shell.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        shell.wait(2)


REAPER = Reaper()
