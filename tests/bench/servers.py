"""One server in a process of its own: started, left until it rests, ended. Which servers there are: peers.py."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

from claude_max.proxy.scripted import ScriptedServer

from .usage import Seconds, claudes, processor

START_SECONDS = 60.0
GONE_SECONDS = 60.0
# A server rests when it and all below it used less than this in a tenth of a second.
REST_SECONDS, REST_MOST = 0.02, 10.0


@dataclass
class Server:
    """A running server; `command` is the one it was started with, `api` the scripted service behind its CLI."""

    name: str
    url: str
    pid: int
    claude: Path
    api: ScriptedServer
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    help: Sequence[Sequence[str]] = ()
    chat: Sequence[str] = ()
    loaded: float = 0.0  # time.monotonic() at the end of the load that memory is measured after
    used: Seconds | None = None  # until then

    def rest(self) -> Seconds:
        """Returns when the last answer's aftermath is over; the processor time until then."""
        deadline, before = time.monotonic() + REST_MOST, processor(self.pid)
        while time.monotonic() < deadline:
            time.sleep(0.1)
            now = processor(self.pid)
            used = now.since(before)
            if used.server + used.below <= REST_SECONDS:
                return now
            before = now
        return before

    @property
    def runs(self) -> bool:
        """Whether its process has not ended."""
        with contextlib.suppress(psutil.Error):
            return _runs(psutil.Process(self.pid))
        return False

    def claudes(self) -> list[psutil.Process]:
        """The CLI processes that it runs."""
        return claudes(self.pid, self.claude)

    def end(self) -> float:
        """Sends SIGTERM; the seconds until the server and every process below it are gone."""
        server = psutil.Process(self.pid)
        family = [server, *server.children(recursive=True)]
        began = time.perf_counter()
        server.send_signal(signal.SIGTERM)
        while any(_runs(process) for process in family):
            if time.perf_counter() - began > GONE_SECONDS:
                break
            with contextlib.suppress(psutil.Error):
                family += [child for child in server.children(recursive=True) if child not in family]
            time.sleep(0.01)
        return time.perf_counter() - began


def answering(response: httpx2.Response) -> bool:
    """A server that is ready when it answers."""
    return response.status_code == 200


@contextmanager
def serving(
    command: Sequence[str],
    make: Callable[[int], Server],
    environment: Mapping[str, str],
    folder: Path,
    ready: Callable[[httpx2.Response], bool] = answering,
) -> Iterator[Server]:
    """Starts `command` in `folder`; `make` makes the Server of a process id.

    Ends it with SIGTERM, and kills what is left. Raises RuntimeError where it does not become ready.
    """
    quiet, log = subprocess.DEVNULL, folder / "stderr"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, env=dict(environment), cwd=folder, stdin=quiet, stdout=quiet, stderr=errors)
    family: list[psutil.Process] = []
    try:
        server = make(process.pid)
        if not _became_ready(f"{server.url}/health", process, ready):
            said = log.read_text("utf-8", "replace").strip().splitlines()
            raise RuntimeError(f"{command[0]} did not become ready: {said[-1] if said else 'it said nothing'}")
        server.rest()
        yield server
    finally:
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True)
        if process.poll() is None:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        for child in family:
            with contextlib.suppress(psutil.Error):
                child.kill()


def _became_ready(url: str, process: "subprocess.Popen[bytes]", ready: Callable[[httpx2.Response], bool]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx2.HTTPError):
            if ready(httpx2.get(url, timeout=5)):
                return True
        time.sleep(0.05)
    return False


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
