"""The pool without its patience: what it decides does not depend on the clock."""

import pytest

from claude_max.proxy.engine.planning import choice
from claude_max.proxy.engine.pool import pool


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process is started at once where one may be, and as many at a time as are wanted."""
    monkeypatch.setattr(pool, "is_worth_a_start", lambda *_: True)
    # Two workers are enough to show what is held in reserve.
    monkeypatch.setattr(choice, "RESERVING", 2)
    monkeypatch.setattr(pool, "PROCESSORS", 64)
