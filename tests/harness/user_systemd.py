"""A real user systemd in namespaces of its own, so that neither the machine nor the developer's own units are touched.

It gets a private /run (where systemd looks whether the machine was booted with systemd) and private process numbers:
when its first process is killed, everything it started is gone.
"""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 10.0
SYSTEMD = next((path for path in ("/usr/lib/systemd/systemd", "/lib/systemd/systemd") if Path(path).exists()), None)
# The shell stays as process 1 of the namespace and reaps; systemd tells the test itself when it is up.
BOOT = 'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && "$0" --user & echo $$; wait'


class Unavailable(Exception):
    """Why there can be no user systemd here."""


@dataclass(frozen=True)
class UserSystemd:
    """Runs commands beside a user systemd, as its user would at a terminal."""

    leader: int
    environ: Mapping[str, str]

    def run(self, *argv: str | Path) -> "subprocess.CompletedProcess[str]":
        """Runs a command there and keeps what it says."""
        words = ["nsenter", "--mount", "--pid", f"--target={self.leader}", *map(str, argv)]
        return subprocess.run(words, env=self.environ, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def user_systemd(folder: Path, environ: Mapping[str, str]) -> Iterator[UserSystemd]:
    """Boots one, and ends it with all it started. Raises Unavailable with the reason."""
    if SYSTEMD is None or any(shutil.which(name) is None for name in ("systemctl", "unshare", "nsenter")):
        raise Unavailable("systemd and util-linux are not installed (Debian: apt-get install systemd util-linux)")
    if os.geteuid() != 0:
        raise Unavailable("a private /run needs root")
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, (folder / "systemd.log").open("w+") as log:
        notify.bind(str(folder / "notify"))
        notify.settimeout(START_SECONDS)
        inside = {**environ, "XDG_RUNTIME_DIR": str(runtime)}
        leader = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", BOOT, SYSTEMD],
            env={**inside, "NOTIFY_SOCKET": str(folder / "notify"), "SYSTEMD_LOG_TARGET": "console"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            try:
                while b"READY=1" not in notify.recv(4096):
                    pass
            except TimeoutError:
                log.seek(0)
                raise Unavailable(f"a user systemd does not start here: {log.read()[-500:]}") from None
            # It goes on telling, and would wait for room.
            notify.settimeout(None)
            reader = threading.Thread(target=_drain, args=(notify,), daemon=True)
            reader.start()
            yield UserSystemd(_child(leader.pid), inside)
        finally:
            leader.kill()
            leader.wait()
            # Ends the reader.
            notify.shutdown(socket.SHUT_RD)


def _drain(notify: socket.socket) -> None:
    while notify.recv(4096):
        pass


def _child(pid: int) -> int:
    children: Sequence[str] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])
