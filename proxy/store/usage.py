"""What requests used, added up as `claude-max usage` and the page show it: today, 7 and 30 days, and by group."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from . import ledger
from .ledger import SUMS, By, Sums

# By local midnights: the number of days before today at which each begins.
PERIODS = {"today": 0, "7 days": 6, "30 days": 29}


@dataclass(frozen=True, slots=True)
class Line:
    """Requests added up. `value_usd` is what they would cost at list price, by the CLI's own count."""

    name: str
    requests: int
    failed: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    value_usd: float
    unpriced: int

    @property
    def cached(self) -> float | None:
        """The share of the input that came from the prompt cache."""
        prompt = self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
        return self.cache_read_tokens / prompt if prompt else None


def periods(database: sqlite3.Connection, now: datetime) -> tuple[Line, ...]:
    """Today, 7 and 30 days, of the zone of `now`. Raises sqlite3.Error."""
    return tuple(line(name, ledger.summary(database, begin(now, name).timestamp()).get("", Sums())) for name in PERIODS)


def grouped(database: sqlite3.Connection, by: By, since: datetime) -> tuple[Line, ...]:
    """A line for each of what `by` names, in the order of `ledger.summary`. Raises sqlite3.Error."""
    found = ledger.summary(database, since.timestamp(), by)
    return tuple(line(name or "(none)", sums) for name, sums in found.items())


def begin(now: datetime, period: str) -> datetime:
    """The midnight at which one of the PERIODS begins."""
    return midnight(now) - timedelta(days=PERIODS[period])


def midnight(now: datetime) -> datetime:
    """The beginning of the day."""
    # Via naive time, so that a day with a clock change begins at its own midnight.
    return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None).astimezone()


def line(name: str, sums: Sums) -> Line:
    """A line of sums."""
    values: list[Any] = [getattr(sums, each) for each in SUMS]
    values[SUMS.index("cost")] = round(sums.cost, 6)
    return Line(name, *values)


def total(lines: Iterable[Line]) -> Line:
    """All of them together."""
    every = list(lines)
    names = Line.__slots__[1:]
    return Line("total", *(sum(getattr(each, name) for each in every) for name in names))
