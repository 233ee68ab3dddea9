"""Fixtures of the end-to-end tests: one proxy for all tests that do not need their own."""

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from harness.proxy import RunningProxy, running_proxy, scripted

# Tests that run in the background of a script inherit an ignored Ctrl-C, and would pass it on to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
