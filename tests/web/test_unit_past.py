"""The page's figures are the ledger's; a ledger that is absent, locked or broken is told, and fails nothing."""

import asyncio
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from claude_max.proxy.records import Row
from claude_max.proxy.store import database as store
from claude_max.proxy.store import ledger
from claude_max.proxy.store.database import opened
from claude_max.proxy.store.ledger import MIGRATIONS, Sample
from claude_max.proxy.store.usage import PERIODS, begin
from claude_max.proxy.web.past import MOST_LINES, OFF, PAGE_ROWS, Past

ROW = Row(0.0, "", "messages", "curl", "sonnet", "claude-sonnet-5-5", 200, calls=1, input=7, output=3, cost=0.5)
NASTY = '<img src=x onerror="alert(1)">'


def filled(file: Path, rows: int) -> list[Row]:
    dice, now = random.Random(7), time.time()
    made = [
        replace(
            ROW,
            # Several at one moment, too.
            at=now - 3600 * (number // 3) / 20,
            id=f"req_{number:05}",
            client=dice.choice(["curl", "Codex", NASTY]),
            model=dice.choice(["claude-sonnet-5-5", "claude-haiku-4-5", ""]),
            status=dice.choice([200, 200, 429]),
            input=dice.randrange(1000),
            cache_read=dice.randrange(1000),
            output=dice.randrange(100),
            cost=dice.choice([None, dice.random()]),
            warm=dice.random() > 0.5,
        )
        for number in range(rows)
    ]
    with closing(opened(file, MIGRATIONS)) as database:
        ledger.put(
            database, made, [Sample("five_hour", now - 60, 0.25, now + 3600), Sample("five_hour", now, 0.5, now)]
        )
    return made


@pytest.mark.parametrize("names", [MOST_LINES, MOST_LINES + 1, 3 * MOST_LINES])
async def test_however_many_names_there_are(tmp_path: Path, names: int) -> None:
    made = [replace(ROW, at=time.time(), id=f"req_{number}", client=f"client {number}") for number in range(names)]
    with closing(opened(tmp_path / "ledger.db", MIGRATIONS)) as database:
        ledger.put(database, made, [])
    lines = (await Past(tmp_path / "ledger.db").usage())["client"]
    assert len(lines) == MOST_LINES
    assert sum(line["requests"] for line in lines) == names
    assert sum(line["value_usd"] for line in lines) == pytest.approx(names * 0.5)
    others = [line["name"] for line in lines if line["name"].endswith("others")]
    assert others == ([] if names == MOST_LINES else [f"{names - MOST_LINES + 1} others"])


async def test_every_figure_is_the_ledgers(tmp_path: Path) -> None:
    rows = filled(tmp_path / "ledger.db", 3000)
    found = await Past(tmp_path / "ledger.db").usage()
    assert found["trouble"] == ""
    now = datetime.now().astimezone()
    for line, name in zip(found["periods"], PERIODS, strict=True):
        since = begin(now, name).timestamp()
        those = [row for row in rows if row.at >= since]
        assert line["requests"] == len(those) > 0
        assert line["failed"] == sum(row.status >= 400 for row in those)
        assert line["input_tokens"] == sum(row.input for row in those)
        assert line["cache_read_tokens"] == sum(row.cache_read for row in those)
        assert line["output_tokens"] == sum(row.output for row in those)
        assert line["value_usd"] == pytest.approx(sum(row.cost or 0 for row in those), abs=1e-5)
        assert line["unpriced"] == sum(row.cost is None for row in those)
    for group in ("day", "model", "client"):
        assert sum(line["requests"] for line in found[group]) == found["periods"][-1]["requests"]
    assert {line["name"] for line in found["client"]} == {"curl", "Codex", NASTY}
    assert found["today"] == max(line["name"] for line in found["day"])


async def test_ten_thousand_rows_come_page_by_page(tmp_path: Path) -> None:
    rows = filled(tmp_path / "ledger.db", 10_000)
    past = Past(tmp_path / "ledger.db")
    seen: list[str] = []
    before = None
    while True:
        found = await past.requests(before)
        assert len(found["requests"]) <= PAGE_ROWS
        seen += [row["id"] for row in found["requests"]]
        if not found["more"]:
            break
        before = (found["requests"][-1]["at"], found["requests"][-1]["id"])
    assert seen == [row.id for row in sorted(rows, key=lambda row: (row.at, row.id), reverse=True)]
    assert isinstance(found["requests"][0]["warm"], bool)


async def test_windows_of_before(tmp_path: Path) -> None:
    filled(tmp_path / "ledger.db", 3)
    past = Past(tmp_path / "ledger.db")
    assert past.last() == []
    await past.close()
    assert [sample.used for sample in past.samples("five_hour")] == [0.25, 0.5]
    assert [sample.used for sample in past.last()] == [0.5]


async def test_no_ledger_yet_is_no_trouble(tmp_path: Path) -> None:
    past = Past(tmp_path / "ledger.db")
    assert await past.usage() == {"trouble": ""}
    assert await past.requests() == {"trouble": ""}
    (tmp_path / "ledger.db").touch()
    assert await past.requests() == {"trouble": ""}


async def test_what_is_not_kept_is_said() -> None:
    assert await Past(None).usage() == {"trouble": OFF}


@pytest.mark.parametrize("spoilt", ["broken", "a folder", "locked"])
async def test_a_ledger_that_cannot_be_read(tmp_path: Path, spoilt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    file = tmp_path / "ledger.db"
    if spoilt == "broken":
        file.write_text("not a database at all" * 100)
    elif spoilt == "a folder":
        file.mkdir()
    else:
        filled(file, 10)
    with closing(sqlite3.connect(file if spoilt == "locked" else ":memory:", isolation_level=None)) as other:
        if spoilt == "locked":
            other.executescript("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;")
        past = Past(file)
        assert "cannot be read now" in (await past.usage())["trouble"]
        assert "cannot be read now" in (await past.requests())["trouble"]
        past.samples("five_hour")
        await past.close()
        assert past.last() == []


async def test_many_who_ask_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "ledger.db", 10)
    past, reads = Past(tmp_path / "ledger.db"), 0
    read = past._read

    async def counted(*arguments: object) -> object:
        nonlocal reads
        reads += 1
        return await read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(past, "_read", counted)
    found = await asyncio.gather(*(past.usage() for _ in range(50)))
    assert reads == 1
    assert all(one is found[0] for one in found)
    leaving = asyncio.ensure_future(past.usage())
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert (await past.usage())["periods"]
