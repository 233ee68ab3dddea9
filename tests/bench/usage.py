"""What processes use, by psutil: CPU, memory, how many there are; and whether the machine was quiet meanwhile."""

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

SAMPLE_SECONDS = 0.1
# A machine is quiet where others use less than this, in cores, while the benchmark runs.
QUIET_CORES = 0.15


@dataclass(frozen=True)
class Seconds:
    """Processor time so far: of the server's own process, and of all that it started, living or ended."""

    server: float
    below: float

    def since(self, before: "Seconds") -> "Seconds":
        """What was used between the two."""
        return Seconds(self.server - before.server, self.below - before.below)


def processor(pid: int) -> Seconds:
    """As the system counts it, in hundredths of a second."""
    times = psutil.Process(pid).cpu_times()
    below = times.children_user + times.children_system
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            used = child.cpu_times()
            below += used.user + used.system + used.children_user + used.children_system
    return Seconds(times.user + times.system, below)


def claudes(server: int, claude: Path) -> list[psutil.Process]:
    """The CLI processes that a server started; not what they start themselves, some of it for under 0.1 s."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(server).children():
            with contextlib.suppress(psutil.Error):
                if child.exe() == str(claude):
                    found.append(child)
    return found


def memory(processes: Sequence[psutil.Process]) -> float:
    """Megabytes that they hold, a page shared by n processes counted as 1/n (PSS); resident where no PSS is told."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            told = process.memory_full_info()
            total += getattr(told, "pss", told.rss)
    return total / 2**20


@dataclass
class Crowd:
    """The most processes seen at once, and the most memory that they and the server held together, in MB."""

    processes: int = 0
    memory: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)


@contextmanager
def counted(server: int, claude: Path) -> Iterator[Crowd]:
    """Looks from outside and all the while; takes processor time, so nothing is timed meanwhile."""
    crowd, proxy = Crowd(), psutil.Process(server)

    def look() -> None:
        while not crowd._stop.wait(SAMPLE_SECONDS):
            found = claudes(server, claude)
            crowd.processes = max(crowd.processes, len(found))
            crowd.memory = max(crowd.memory, memory([proxy, *found]))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield crowd
    finally:
        crowd._stop.set()
        thread.join()


@dataclass(frozen=True)
class Ran:
    """A command that has ended: its seconds by the clock and of the processor, those of its children included."""

    wall: float
    cpu: float
    code: int


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Ran:
    """Runs it to its end, its output thrown away."""
    nowhere = subprocess.DEVNULL
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=dict(environment), cwd=folder, stdin=nowhere, stdout=nowhere, stderr=nowhere
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ran(wall, used.ru_utime + used.ru_stime, process.returncode)


class Others:
    """How much of the processors others use, from now on: all that is busy but this process and its children."""

    def __init__(self) -> None:
        self.load = os.getloadavg()[0]
        self._began, self._busy, self._own = time.perf_counter(), _busy(), _own()

    def cores(self) -> float:
        """On average since the beginning; meaningful when the children have ended."""
        seconds = time.perf_counter() - self._began
        return max(0.0, (_busy() - self._busy - (_own() - self._own)) / seconds)

    def told(self) -> dict[str, Any]:
        """For the history: the load before, the cores that others used, and whether that is quiet."""
        others, seconds = self.cores(), time.perf_counter() - self._began
        quiet = others <= QUIET_CORES and self.load <= (os.cpu_count() or 1) / 2
        return {
            "seconds": round(seconds),
            "load before": round(self.load, 2),
            "cores used by others": round(others, 2),
            "quiet": quiet,
        }


def _busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - sum(getattr(times, name, 0.0) for name in ("iowait", "guest", "guest_nice")))


def _own() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
