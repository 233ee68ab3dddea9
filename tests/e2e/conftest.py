"""Fixtures for tests that spoil the proxy they use."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness.machine import eventually
from harness.proxy import OwnProxy, RunningProxy, running_proxy, scripted
from harness.short_waits import SHORT_WAITS

# The files whose tests run in both compositions.
CORE = ("test_chat", "test_tools", "test_parameters", "test_content", "test_structured")
# The files whose tests need the exact composition: nothing may be altered on the way.
EXACT = ("test_messages", "test_ollama")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The core runs with the exact composition and with the lines one."""
    name = metafunc.module.__name__.rpartition(".")[2]
    if name in (*CORE, *EXACT) and "proxy" in metafunc.fixturenames:
        marks = {mark.name for mark in getattr(metafunc.function, "pytestmark", ())}
        is_exact = "exact" in marks or name in EXACT
        exact = pytest.param("auto", id="exact")
        metafunc.parametrize("composition", [exact] if is_exact else [exact, "lines"])


@pytest.fixture(scope="module")
def own_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnProxy]:
    """Starts a proxy, and a service behind it, that the tests of one file share and may change."""
    with ExitStack() as stack:

        def start(*arguments: str, **more: Any) -> RunningProxy:
            api = stack.enter_context(scripted())
            return stack.enter_context(running_proxy(tmp_path_factory.mktemp("home"), *arguments, api=api, **more))

        yield start


@pytest.fixture(scope="module")
def two_workers(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy with two workers, one of them kept warm, that soon replaces one which is lost."""
    return own_proxy("--workers", "2", "--warm-workers", "1", through=SHORT_WAITS)


@pytest.fixture
def renewed(two_workers: RunningProxy) -> RunningProxy:
    """The same, as after its start: one new worker, which holds nothing."""
    assert two_workers.api is not None
    old = two_workers.claudes() if two_workers.api.api.arrived else []
    for process in old:
        process.kill()
    psutil.wait_procs(old, 10)

    def one() -> bool:
        found = two_workers.claudes()
        # One that was just starting, besides the one that replaces the old.
        for process in found[1:]:
            process.kill()
        return len(found) == 1

    eventually(one, 20, said=lambda: "".join(two_workers.log))
    return two_workers


@pytest.fixture
def small(home: Path) -> Iterator[RunningProxy]:
    """A proxy with two workers of its own."""
    with scripted() as api, running_proxy(home, "--workers", "2", api=api, through=SHORT_WAITS) as running:
        yield running
