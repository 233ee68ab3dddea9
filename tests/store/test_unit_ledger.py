"""Rows are written once, in batches, and added up; a clock set ahead deletes nothing; a million rows are quick."""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from claude_max.proxy.records import Row
from claude_max.proxy.store import ledger
from claude_max.proxy.store.database import opened
from claude_max.proxy.store.ledger import MIGRATIONS, Sample, Sums
from claude_max.proxy.store.ledger_writer import LedgerWriter

DAY = 24 * 3600.0
NOW = 1_795_700_000.0
ROW = Row(NOW, "req_1", "messages", "curl", "sonnet", "claude-sonnet-5-5", 200, calls=1, input=7, output=3, cost=0.5)


class Clock:
    """The time of day and a steady one, which go together unless one is set."""

    def __init__(self) -> None:
        self.now, self.steady = NOW, 1000.0

    def go(self, seconds: float) -> None:
        self.now += seconds
        self.steady += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def database(file: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(opened(file, MIGRATIONS)) as made:
        yield made


def writer(file: Path, clock: Clock, keep: float = 90 * DAY) -> LedgerWriter:
    return LedgerWriter(file, keep, lambda: clock.now, lambda: clock.steady)


def ids(file: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return [id for (id,) in database.execute("SELECT id FROM requests ORDER BY rowid")]


def test_requests_are_added_up(database: sqlite3.Connection) -> None:
    later = replace(ROW, id="req_2", at=NOW + DAY, model="claude-opus-5", client="Codex", cost=2.0)
    failed = replace(ROW, id="req_3", status=429, error="rate_limited", calls=0, cost=None, input=0, output=0)
    unpriced = replace(ROW, id="req_4", cost=None)
    ledger.put(database, [ROW, later, failed, unpriced, ROW], [])
    assert ledger.summary(database, 0) == {"": Sums(4, 1, 21, 0, 0, 9, 0, 2.5, 1)}
    assert list(ledger.summary(database, 0, "model")) == ["claude-opus-5", "claude-sonnet-5-5"]
    assert ledger.summary(database, 0, "client")["Codex"] == Sums(1, 0, 7, 0, 0, 3, 0, 2.0, 0)
    assert [each.requests for each in ledger.summary(database, 0, "day").values()] == [3, 1]
    assert ledger.summary(database, NOW + DAY / 2)[""].requests == 1
    assert ledger.summary(database, NOW + 2 * DAY) == {}


async def test_rows_are_written_in_batches(file: Path, clock: Clock) -> None:
    written = writer(file, clock)
    for number in range(5):
        written.put(replace(ROW, id=f"req_{number}"), (Sample("five_hour", NOW + number, 0.5, NOW + 100),))
    assert not written._beside.is_open
    await written.close()
    assert ids(file) == [f"req_{number}" for number in range(5)]
    with contextlib.closing(sqlite3.connect(file)) as database:
        assert len(ledger.samples(database, "five_hour", NOW)) == 5


async def test_what_could_not_be_written_is_written_later(file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch,
                                                          caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, "claude_max.store")
    monkeypatch.setattr("claude_max.proxy.store.database.BUSY_SECONDS", 0.01)
    written = writer(file, clock)
    written.put(ROW)
    await written.flush()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for number in (2, 3):
        written.put(replace(ROW, id=f"req_{number}"))
        await written.flush()
    other.execute("ROLLBACK")
    other.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    await written.close()
    assert ids(file) == ["req_1", "req_2", "req_3"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_another_users_file_is_told_once(file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch,
                                               caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, "claude_max.store")

    def refused(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    # As root, which tests may run as, every file can be opened.
    monkeypatch.setattr("claude_max.proxy.store.database.os.open", refused)
    written = writer(file, clock)
    for _ in range(3):
        written.put(ROW)
        await written.flush()
    await written.close()
    assert caplog.text.count("the ledger is not written: [Errno 13] Permission denied") == 1


async def test_what_waits_is_bounded(file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claude_max.proxy.store.ledger_writer.WAITING", 3)
    file.parent.write_text("no folder")
    written = writer(file, clock)
    for number in range(8):
        written.put(replace(ROW, id=f"req_{number}"))
        await written.flush()
    assert [row.id for row in written._rows] == ["req_5", "req_6", "req_7"]
    file.parent.unlink()
    await written.close()
    assert ids(file) == ["req_5", "req_6", "req_7"]


async def batch(written: LedgerWriter, clock: Clock, id: str) -> None:
    written.put(replace(ROW, id=id, at=clock.now))
    await written.flush()


async def test_rows_are_kept_for_their_days(file: Path, clock: Clock) -> None:
    written = writer(file, clock, 10 * DAY)
    await batch(written, clock, "req_1")
    clock.go(6 * DAY)
    await batch(written, clock, "req_2")
    clock.go(6 * DAY)
    await batch(written, clock, "req_3")
    assert ids(file) == ["req_2", "req_3"]
    await written.close()


async def test_a_clock_that_jumps_ahead_deletes_nothing(file: Path, clock: Clock) -> None:
    written = writer(file, clock, 10 * DAY)
    await batch(written, clock, "req_1")
    clock.now += 400 * DAY
    clock.go(DAY / 12)
    await batch(written, clock, "req_2")
    clock.now -= 400 * DAY
    clock.go(DAY / 12)
    await batch(written, clock, "req_3")
    assert ids(file) == ["req_1", "req_2", "req_3"]
    await written.close()
    # Nor does one that is wrong at the start.
    clock.now += 400 * DAY
    again = writer(file, clock, 10 * DAY)
    await batch(again, clock, "req_4")
    assert len(ids(file)) == 4
    # A day later it is believed.
    clock.go(1.1 * DAY)
    await batch(again, clock, "req_5")
    clock.go(1.1 * DAY)
    await batch(again, clock, "req_6")
    assert ids(file) == ["req_2", "req_4", "req_5", "req_6"]
    await again.close()


def test_a_file_of_a_later_version_is_left_alone(file: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "claude_max.store")
    with contextlib.closing(opened(file, MIGRATIONS)) as database:
        database.execute("PRAGMA user_version = 99")

    async def once() -> None:
        written = writer(file, clock)
        await batch(written, clock, "req_1")
        await written.close()

    asyncio.run(once())
    assert "a newer claude-max" in caplog.text
    assert ids(file) == []


def test_a_million_rows_are_summed_up_at_once(database: sqlite3.Connection) -> None:
    """What 90 days leave in `spans`: in each quarter of an hour six requests of five clients with four models each."""
    database.execute(
        f"""
        WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 90 * 96 * 20 - 1)
        INSERT INTO spans SELECT {int(NOW)} / 900 * 900 + n / 20 * 900, 'model' || (n % 4), 'client' || (n % 5),
        'messages', 6, 0, 60, 120, 30, 42, 6, 0.006, 0 FROM number
        """
    )
    begun = time.process_time()
    groups: list[tuple[ledger.By, int]] = [("model", 4), ("client", 5), ("day", 90)]
    for by, names in groups:
        found = ledger.summary(database, NOW, by)
        assert len(found) >= names
        assert sum(each.requests for each in found.values()) == 1_036_800
    for days in (1, 7, 30):
        ledger.summary(database, NOW + (90 - days) * DAY)
    assert time.process_time() - begun < 1
    assert sum(each.cost for each in found.values()) == pytest.approx(1036.8)
