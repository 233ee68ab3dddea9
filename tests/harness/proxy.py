"""The installed `claude-max serve` in a process of its own, the real CLI behind it, a scripted API behind that."""

import asyncio
import contextlib
import fcntl
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import psutil

from claude_max.proxy.engine.probe.contract_store import record_of
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.scripted import ScriptedAPI, ScriptedServer, scripted_in_thread

from .forked import Process, start
from .machine import eventually
from .upstream import without_notes

if TYPE_CHECKING:
    import openai

START_SECONDS = 30.0
CACHE = Path(tempfile.gettempdir()) / "claude-max-tests-cache"


def home_environment(home: Path) -> dict[str, str]:
    """An environment with a login and folders of its own, and nothing of the developer's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TZ": "UTC",
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-test",
        # The contract check's result is kept here; one check of the tested CLI is enough for a whole run.
        "XDG_CACHE_HOME": str(CACHE),
    }


def sessions(home: Path) -> list[Path]:
    """What the CLI leaves for each running process."""
    return list((home / ".claude" / "sessions").glob("*.json"))


@dataclass
class RunningProxy:
    """A proxy that answers at `url` (without `/v1`); `api` is the scripted service behind its CLI."""

    url: str
    process: Process
    home: Path
    api: ScriptedServer | None
    log: list[str] = field(default_factory=list)
    composition: str = "auto"
    _texts: dict[int, str] = field(default_factory=dict, repr=False)

    @cached_property
    def client(self) -> "openai.OpenAI":
        """The real SDK, without retries so that every status is seen."""
        import openai  # takes half a second, in every test process

        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="anything", max_retries=0)

    @cached_property
    def http(self) -> httpx2.Client:
        """A plain HTTP client."""
        return httpx2.Client(base_url=self.url, timeout=30)

    def wait_for(self, words: str, after: int = 0) -> None:
        """Waits until the log says it, behind its line `after`."""
        eventually(
            lambda: any(words in line for line in self.log[after:]), START_SECONDS, said=lambda: "".join(self.log)
        )

    def bodies(self, marker: str) -> list[dict[str, Any]]:
        """The upstream request bodies that hold `marker`, in order."""
        assert self.api is not None
        exchanges = self.api.api.messages()
        # Of each one the text is made once: there are many, some of them large.
        self._texts |= {each.number: str(each.body) for each in exchanges if each.number not in self._texts}
        found = [each.body for each in exchanges if marker in self._texts[each.number]]
        return [without_notes(body) for body in found] if self.composition == "lines" else found

    def claudes(self) -> list[psutil.Process]:
        """The workers of this proxy."""
        return workers_of(self.process.pid)


def workers_of(pid: int) -> list[psutil.Process]:
    """The claude processes that a server has begun, those of an examination too."""
    found = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error):
            if "--input-format" in child.cmdline():
                found.append(child)
    return found


@cache
def _check_once() -> None:
    """Checks the CLI where it is not known. On a new machine all processes of xdist would do so at the same time."""
    folder = CACHE / "claude-max"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environ = home_environment(CACHE)
        checked = record_of(locate(None, environ), folder / "contracts.json", version("claude-max-toolkit"), environ)
        # The test that comes first may have a loop of its own.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, checked).result()


@contextmanager
def running_proxy(
    home: Path,
    *arguments: str,
    api: ScriptedServer | None = None,
    environ: Mapping[str, str] | None = None,
    ready: bool | None = True,
    through: Sequence[str] = (),
) -> Iterator[RunningProxy]:
    """Starts `claude-max serve` on a free port, waits until it is ready, and ends it with SIGTERM.

    `ready` False waits for an answer of any kind, None only for an answer. `through` is a program that starts it, such
    as SHORT_WAITS. After the first worker none is started before it is needed, unless `--warm-workers` says otherwise:
    each takes a third of a second of processor time.
    """
    _check_once()
    environment = {**home_environment(home), "CLAUDE_MAX_WARM_WORKERS": "0"}
    if api is not None:
        environment["ANTHROPIC_BASE_URL"] = api.url
    process = start(
        ["serve", "--port", "0", *arguments],
        {**environment, **(environ or {})},
        through=through,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    log: list[str] = []
    url = threading.Event()
    reader = threading.Thread(target=_read, args=(process, log, url), daemon=True)
    reader.start()
    try:
        assert url.wait(START_SECONDS), "".join(log)
        found = re.search(r"http://(?:localhost|127\.0\.0\.1):\d+", "".join(log))
        assert found, f"the server ended: {''.join(log)}"
        wait_until_ready(found[0], ready)
        composition = (environ or {}).get("CLAUDE_MAX_COMPOSITION", "auto")
        running = RunningProxy(found[0], process, home, api, log, composition)
        with closing(running.http), closing(running.client):
            yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(20)
        reader.join(5)
        assert process.stderr is not None
        process.stderr.close()


# Starts one with these arguments of `serve`; `environ` are variables beside them.
OwnProxy = Callable[..., RunningProxy]


@contextmanager
def scripted() -> Iterator[ScriptedServer]:
    """A scripted service of one's own."""
    with scripted_in_thread(ScriptedAPI(keep=10_000)) as server:
        yield server


def _read(process: Process, log: list[str], url: threading.Event) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line.decode(errors="replace"))
        if b"OPENAI_BASE_URL" in line:
            url.set()
    url.set()


def wait_until_ready(url: str, ready: bool | None) -> None:
    """Polls /health, as a service manager would; `ready` as in `running_proxy`."""

    def is_ready() -> bool:
        try:
            health = httpx2.get(f"{url}/health", timeout=5).json()
            return bool(health["ready"] or ready is None or (ready is False and health["signed_in"] is not None))
        except (httpx2.HTTPError, KeyError):
            return False

    eventually(is_ready, START_SECONDS, said=lambda: f"{url} did not become ready")
