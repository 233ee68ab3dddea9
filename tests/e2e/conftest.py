"""Fixtures for tests that spoil the proxy they use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.proxy import RunningProxy, running_proxy, scripted


@pytest.fixture
def small(home: Path) -> Iterator[RunningProxy]:
    """A proxy with two workers of its own."""
    with scripted() as api, running_proxy(home, "--max-workers", "2", "--warm", "1", api=api) as running:
        yield running
