"""Fixtures of the service tests."""

from pathlib import Path

import pytest
from harness.stand_ins import StandIns


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    """launchctl, systemctl and the programs that print logs, none of them real."""
    made = StandIns(tmp_path / "machine", tmp_path / "home")
    for name in ("launchctl", "systemctl", "journalctl", "tail"):
        made.add(name)
    return made
