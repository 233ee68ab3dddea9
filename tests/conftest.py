"""What all tests share: markers and groups, the loop of coroutine tests, and one proxy for those that need no other.

A test in `unit` starts neither claude-max nor the real CLI; an audit hook holds that. In parallel (`-n`), tests that
share a proxy of their file run in one process; every other end-to-end test may run anywhere.
"""

import asyncio
import gc
import logging
import os
import re
import signal
import ssl
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpcore2
import pytest
from harness.forked import installed
from harness.proxy import RunningProxy, running_proxy, scripted

from claude_max.proxy.engine.probe.locate import locate

# Tests that run in the background of a script, or under `nohup`, inherit ignored signals, and would pass them on.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# The marker of each folder; a file that is not of its folder's kind is named itself.
MARKERS = {
    "agent": "e2e",
    "agent/test_agent_files.py": "unit",
    "agent/test_agent_spec.py": "unit",
    "bench": "unit",
    "chat": "e2e",
    "chat/test_chat_prompt.py": "unit",
    "chat/test_chat_session.py": "unit",
    "chat/test_chat_view.py": "unit",
    "cli": "e2e",
    "cli/test_documents.py": "unit",
    "cli/test_explain_spans.py": "unit",
    "cli/test_maps.py": "unit",
    "cli/test_site.py": "unit",
    "cli/test_readme_blocks.py": "unit",
    "certified": "certified",
    "clients": "clients",
    "compat": "compat",
    "clients/test_clients_agents.py": "slow_clients",
    "dialects": "unit",
    "connect": "unit",
    "connect/test_connect_commands.py": "e2e",
    "connect/test_connect_llm.py": "e2e",
    "doctor": "e2e",
    "e2e": "e2e",
    "engine": "unit",
    "packaging": "e2e",
    "packaging/test_packaging_files.py": "unit",
    "routes": "unit",
    "scripted": "unit",
    "scripted/test_scripted_cli.py": "e2e",
    "store": "unit",
    "translate": "unit",
    "test_config.py": "unit",
    "test_errors.py": "unit",
    "test_json_text.py": "unit",
    "web": "unit",
}
# Of these kinds the tests of one file run in one process: what they import, client libraries above all, takes seconds.
TOGETHER = ("unit", "clients")
# Seconds for one unit test; those that start processes have `timeout` of pyproject.toml.
UNIT_SECONDS = 20
HERE = Path(__file__).parent
# Programs that a unit test must not start.
PROGRAMS = {installed(), str(locate(None, {}).path)}
current: list[str] = []


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`. Tests wait for about half of their time, so that there are two of them for each core."""
    return (os.cpu_count() or 2) * 2


# First: a worker of xdist reads the groups in a hook that is registered later, and so would run before.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks each test, and groups those that share something slow. In parallel the short ones run last."""
    for item in items:
        file = item.path.relative_to(HERE)
        kind = _marker(file)
        assert kind is not None, f"{file} needs a marker, see MARKERS"
        item.add_marker(getattr(pytest.mark, kind))
        if kind == "unit" and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(UNIT_SECONDS))
        shared = _shared_in_module(item)
        if item.get_closest_marker("xdist_group") is None and (shared or kind in TOGETHER):
            item.add_marker(pytest.mark.xdist_group(" ".join((file.stem, *shared))))
    if "slow_clients" not in config.option.markexpr:
        slow = [item for item in items if item.get_closest_marker("slow_clients")]
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, int]:
    """Short tests last; others in a mixed order, so that those that wait run beside those that work."""
    group = item.get_closest_marker("xdist_group")
    return item.get_closest_marker("unit") is not None, zlib.crc32((group.args[0] if group else item.nodeid).encode())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Puts groups into force: xdist writes them where pytest 9.2 does not read (pytest-dev/pytest-xdist#1386)."""
    for item in session.items:
        if grouped := vars(item).get("_nodeid"):
            item._id = item.id.parse(grouped)


def _shared_in_module(item: pytest.Item) -> list[str]:
    """The names of the item's fixtures that live as long as their module, without factories."""
    assert isinstance(item, pytest.Function)
    found = item._fixtureinfo.name2fixturedefs
    return sorted(name for name, made in found.items() if made[-1].scope == "module" and name != "own_proxy")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Keeps the name of the unit test that runs, for `only_stand_ins`."""
    if item.get_closest_marker("unit") is not None:
        current.append(item.name)
    try:
        return (yield)
    finally:
        current.clear()


def only_stand_ins(event: str, arguments: tuple[Any, ...]) -> None:
    """Fails a unit test that starts claude-max or the real CLI."""
    if event == "subprocess.Popen" and current and str(arguments[0]) in PROGRAMS:
        pytest.fail(f"{current[0]} is a unit test and starts {arguments[0]}")


sys.addaudithook(only_stand_ins)

# asyncio warns of every connection that a test cuts on purpose. pytest's `log_level` would set this for each test anew.
logging.getLogger("asyncio").setLevel(logging.ERROR)

# Every HTTP client makes a TLS context, which takes 17 ms as it loads all authorities. No test changes one.
for _module, _name in ((ssl, "create_default_context"), (httpcore2, "default_ssl_context")):
    setattr(_module, _name, cache(getattr(_module, _name)))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files of kinds that `-m` leaves out are not even imported: that takes seconds."""
    if not collection_path.is_file() or not collection_path.is_relative_to(HERE):
        return None
    kind = _marker(collection_path.relative_to(HERE))
    return True if kind is not None and _left_out(kind, config.option.markexpr) else None


def _left_out(kind: str, expression: str) -> bool:
    """Whether `-m` selects no test of a kind. Reads only plain terms that `and` joins."""
    terms = expression.split(" and ")
    if kind == "slow_clients" and kind not in expression:
        return True
    if not all(re.fullmatch(r"(not )?\w+", term) for term in terms):
        return False
    return f"not {kind}" in terms or any(term in MARKERS.values() and term != kind for term in terms)


def _marker(file: Path) -> str | None:
    return MARKERS.get(file.as_posix()) or MARKERS.get(file.parts[0])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The garbage collector waits while all is imported, does not look through that later, and runs less often."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(5000)
        gc.enable()


@pytest.fixture
def anyio_backend() -> Iterator[tuple[str, dict[str, Callable[[], asyncio.AbstractEventLoop]]]]:
    """Runs each `async def test_…` on a loop of its own, which anyio closes before this ends.

    A failure in a task that nobody awaits, such as one of the pool's own, is an error of the test.
    """
    unseen: list[dict[str, Any]] = []
    # What is there already is not looked through by the collection below.
    gc.freeze()

    class Loop(asyncio.SelectorEventLoop):
        def call_exception_handler(self, context: dict[str, Any]) -> None:
            unseen.append(context)

    yield "asyncio", {"loop_factory": Loop}
    # A task reports its exception when it is collected.
    gc.collect()
    assert not unseen, unseen


@pytest.fixture
def composition() -> str:
    """How requests reach the model; the core of the end-to-end tests runs with "auto" and with "lines"."""
    return "auto"


@pytest.fixture(scope="session")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], RunningProxy]]:
    """One running proxy for each composition, from its first use to the end."""
    with ExitStack() as stack:

        @cache
        def with_composition(composition: str) -> RunningProxy:
            home, environ = tmp_path_factory.mktemp("home"), {"CLAUDE_MAX_COMPOSITION": composition}
            api = stack.enter_context(scripted())
            return stack.enter_context(running_proxy(home, api=api, environ=environ))

        yield with_composition


@pytest.fixture
def proxy(proxies: Callable[[str], RunningProxy], composition: str) -> RunningProxy:
    """A running proxy, shared: tests tell their own upstream requests by a marker."""
    return proxies(composition)


@pytest.fixture
def marker() -> str:
    """A word that is in no other test's requests."""
    return f"word{uuid4().hex[:12]}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of one's own."""
    made = tmp_path / "home"
    made.mkdir()
    return made
