"""Fixtures for tests that spoil the proxy they use."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from harness.proxy import OwnProxy, RunningProxy, running_proxy, scripted


@pytest.fixture(scope="module")
def own_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnProxy]:
    """Starts a proxy, and a service behind it, that the tests of one file share and may change."""
    with ExitStack() as stack:

        def start(*arguments: str, **more: Any) -> RunningProxy:
            api = stack.enter_context(scripted())
            return stack.enter_context(running_proxy(tmp_path_factory.mktemp("home"), *arguments, api=api, **more))

        yield start


@pytest.fixture
def small(home: Path) -> Iterator[RunningProxy]:
    """A proxy with two workers of its own."""
    with scripted() as api, running_proxy(home, "--workers", "2", "--warm-workers", "1", api=api) as running:
        yield running
