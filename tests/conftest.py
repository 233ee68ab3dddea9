"""Fixtures of the end-to-end tests: one proxy for all tests that do not need their own."""

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from harness.proxy import RunningProxy, running_proxy, scripted

# Tests that run in the background of a script inherit an ignored Ctrl-C, and would pass it on to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was imported is not looked through at each collection that `anyio_backend` asks for."""
    gc.freeze()


@pytest.fixture
def anyio_backend() -> Iterator[tuple[str, dict[str, Callable[[], asyncio.AbstractEventLoop]]]]:
    """Runs each `async def test_…` on a loop of its own, which anyio closes before this ends.

    A failure in a task that nobody awaits, such as one of the pool's own, is an error of the test.
    """
    unseen: list[dict[str, Any]] = []

    class Loop(asyncio.SelectorEventLoop):
        def call_exception_handler(self, context: dict[str, Any]) -> None:
            unseen.append(context)

    yield "asyncio", {"loop_factory": Loop}
    # A task reports its exception when it is collected.
    gc.collect()
    assert not unseen, unseen


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """A running proxy, shared: tests tell their own upstream requests by a marker."""
    with scripted() as api, running_proxy(tmp_path_factory.mktemp("home"), api=api) as running:
        yield running


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
