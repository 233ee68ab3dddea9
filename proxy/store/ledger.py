"""The ledger's tables, and their reads and writes. Called from one thread at a time.

`requests` has one row per request. `spans` has sums per quarter of an hour, so that local days start on a span and a
summary of 90 days reads some thousand rows. `windows` has what the CLI reported of the plan.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal

from ..records import Row

# The same as in the trigger below.
SPAN_SECONDS = 900
COLUMNS = tuple(field.name for field in fields(Row))
# The sums: requests, those with a status of 400 or above, tokens and value.
SUMS = ("requests", "failed", "input", "cache_read", "cache_write", "output", "reasoning", "cost", "unpriced")
By = Literal["model", "client", "day", "dialect"]

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE requests (
        at REAL NOT NULL,
        id TEXT NOT NULL,
        dialect TEXT NOT NULL,
        client TEXT NOT NULL,
        asked TEXT NOT NULL,
        model TEXT NOT NULL,
        status INTEGER NOT NULL,
        error TEXT NOT NULL,
        calls INTEGER NOT NULL,
        input INTEGER NOT NULL,
        cache_read INTEGER NOT NULL,
        cache_write INTEGER NOT NULL,
        output INTEGER NOT NULL,
        reasoning INTEGER NOT NULL,
        prepare_ms INTEGER,
        queue_ms INTEGER,
        first_ms INTEGER,
        total_ms INTEGER NOT NULL,
        way TEXT NOT NULL,
        warm INTEGER NOT NULL,
        cost REAL,
        basis TEXT NOT NULL,
        window TEXT NOT NULL,
        used REAL,
        resets REAL,
        overage INTEGER NOT NULL
    );
    CREATE INDEX requests_by_time ON requests (at);
    CREATE UNIQUE INDEX requests_by_id ON requests (id);
    CREATE TABLE spans (
        span INTEGER NOT NULL,
        model TEXT NOT NULL,
        client TEXT NOT NULL,
        dialect TEXT NOT NULL,
        requests INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        input INTEGER NOT NULL,
        cache_read INTEGER NOT NULL,
        cache_write INTEGER NOT NULL,
        output INTEGER NOT NULL,
        reasoning INTEGER NOT NULL,
        cost REAL NOT NULL,
        unpriced INTEGER NOT NULL,
        PRIMARY KEY (span, model, client, dialect)
    ) WITHOUT ROWID;
    CREATE TRIGGER requests_add_up AFTER INSERT ON requests BEGIN
        INSERT INTO spans VALUES (
            CAST(new.at AS INTEGER) / 900 * 900, new.model, new.client, new.dialect,
            1, new.status >= 400, new.input, new.cache_read, new.cache_write, new.output, new.reasoning,
            coalesce(new.cost, 0), new.cost IS NULL AND new.calls > 0
        ) ON CONFLICT DO UPDATE SET
            requests = requests + excluded.requests, failed = failed + excluded.failed,
            input = input + excluded.input, cache_read = cache_read + excluded.cache_read,
            cache_write = cache_write + excluded.cache_write, output = output + excluded.output,
            reasoning = reasoning + excluded.reasoning, cost = cost + excluded.cost,
            unpriced = unpriced + excluded.unpriced;
    END;
    CREATE TABLE windows (
        name TEXT NOT NULL,
        at REAL NOT NULL,
        used REAL NOT NULL,
        resets REAL NOT NULL,
        PRIMARY KEY (name, at)
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """How full (0 to 1) a window was `at` a time, and when it resets, both in unix seconds."""

    name: str
    at: float
    used: float
    resets: float


@dataclass(frozen=True, slots=True)
class Sums:
    """Requests added up. `cost` is their value in US dollars; `unpriced` of them have none, as the CLI said none."""

    requests: int = 0
    failed: int = 0
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cost: float = 0.0
    unpriced: int = 0


def put(database: sqlite3.Connection, rows: Iterable[Row], samples: Iterable[Sample]) -> None:
    """Writes rows, all or none. A row that is there already is left as it is. Raises sqlite3.Error."""
    values = list(map(attrgetter(*COLUMNS), rows))
    database.execute("BEGIN IMMEDIATE")
    try:
        marks = ", ".join("?" * len(COLUMNS))
        database.executemany(f"INSERT OR IGNORE INTO requests ({', '.join(COLUMNS)}) VALUES ({marks})", values)  # noqa: S608 - constants
        database.executemany(
            "INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?)",
            map(attrgetter("name", "at", "used", "resets"), samples),
        )
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def prune(database: sqlite3.Connection, before: float) -> None:
    """Deletes what is older than `before`. Raises sqlite3.Error."""
    for table, column in (("requests", "at"), ("spans", "span"), ("windows", "at")):
        database.execute(f"DELETE FROM {table} WHERE {column} < ?", (before,))  # noqa: S608 - constants
    database.execute("PRAGMA incremental_vacuum").fetchall()


def latest(database: sqlite3.Connection) -> float | None:
    """The time of the row that was written last, None without any. Raises sqlite3.Error."""
    found = database.execute("SELECT at FROM requests ORDER BY rowid DESC LIMIT 1").fetchone()
    return None if found is None else float(found[0])


def summary(database: sqlite3.Connection, since: float, by: By | None = None) -> dict[str, Sums]:
    """Requests since `since` (to a quarter of an hour), by what `by` names: the most expensive first, days in order.

    Without `by` one sum, of the empty name. Days are local, as `2026-11-26`. Raises sqlite3.Error.
    """
    key = {None: "''", "day": "date(span, 'unixepoch', 'localtime')"}.get(by, str(by))
    sums = ", ".join(f"total({name})" if name == "cost" else f"sum({name})" for name in SUMS)
    order = "1" if by == "day" else "sum(cost) DESC, sum(requests) DESC, 1"
    start = int(since) // SPAN_SECONDS * SPAN_SECONDS
    query = f"SELECT {key}, {sums} FROM spans WHERE span >= ? GROUP BY 1 ORDER BY {order}"  # noqa: S608 - constants
    found: Iterable[tuple[Any, ...]] = database.execute(query, (start,))
    return {str(name): Sums(*values) for name, *values in found}


def samples(database: sqlite3.Connection, name: str, since: float) -> list[Sample]:
    """What was said of a window since `since`, the oldest first. Raises sqlite3.Error."""
    rows = database.execute("SELECT * FROM windows WHERE name = ? AND at >= ? ORDER BY at", (name, since))
    return [Sample(*row) for row in rows]


def rows(database: sqlite3.Connection, count: int, before: tuple[float, str] | None = None) -> list[Row]:
    """The latest `count` requests, the newest first; those before the time and id of one. Raises sqlite3.Error."""
    where = "" if before is None else "WHERE (at, id) < (?, ?)"
    query = f"SELECT {', '.join(COLUMNS)} FROM requests {where} ORDER BY at DESC, id DESC LIMIT ?"  # noqa: S608 - constants
    found = database.execute(query, (*(before or ()), count))
    return [Row(**_typed(dict(zip(COLUMNS, values, strict=True)))) for values in found]


def latest_samples(database: sqlite3.Connection) -> list[Sample]:
    """What was said last of each window. Raises sqlite3.Error."""
    found = database.execute("SELECT name, max(at), used, resets FROM windows GROUP BY name ORDER BY name")
    return [Sample(*row) for row in found]


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    """SQLite has no truth values."""
    return {**row, "warm": bool(row["warm"]), "overage": bool(row["overage"])}
