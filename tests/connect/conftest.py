"""A home folder with a client's file in it, and the two commands as functions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from claude_max.cli.connect import actions
from claude_max.cli.connect.places import Surroundings
from claude_max.cli.connect.recipe import Target
from claude_max.cli.connect.record import Store
from claude_max.cli.connect.results import Connected

TARGET = Target("http://127.0.0.1:3456", "claude-max", "sonnet")
Act = Callable[..., Connected]


@pytest.fixture
def surroundings(home: Path) -> Surroundings:
    return Surroundings({"PATH": str(home)}, home, "linux")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state")


@pytest.fixture
def connect(surroundings: Surroundings, store: Store) -> Act:
    """Sets a client up, without asking."""

    def run(
        name: str, target: Target = TARGET, *, dry_run: bool = False, where: Surroundings = surroundings
    ) -> Connected:
        return actions.connect(name, where, store, target, dry_run=dry_run, yes=True, json=True)

    return run


@pytest.fixture
def disconnect(surroundings: Surroundings, store: Store) -> Act:
    """Takes it back, without asking."""

    def run(name: str) -> Connected:
        return actions.disconnect(name, surroundings, store, dry_run=False, yes=True, json=True)

    return run
