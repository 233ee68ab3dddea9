"""Reads and writes stored responses. Everything runs on the store's own thread."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..events import JsonObject
from ..json_text import dumps, loads
from ..records import Kept, Record, Wanted
from .media import put_in, references, taken_out

# The maximum length of a chain of responses: far more than any conversation has.
LONGEST_CHAIN = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a record is kept after it was last used, in seconds, and how many bytes of all at most."""

    seconds: float
    size: int


class OverLimit(OSError):
    """A record that alone has no place; its words are for the log."""


def put(database: sqlite3.Connection, record: Record, limits: Limits, now: float) -> None:
    """Keeps a record; what is over the limits then is deleted. Raises sqlite3.Error, OverLimit."""
    blobs: dict[str, str] = {}
    parts = {"object": record.object, "input": record.input, "output": record.output}
    body = dumps(taken_out({name: list(v) if isinstance(v, tuple) else v for name, v in parts.items()}, blobs))
    if len(body) + sum(map(len, blobs.values())) > limits.size:
        raise OverLimit(f"{record.id} is over the {limits.size} bytes that all may have")
    ids = {item["id"] for item in (*record.input, *record.output) if isinstance(item.get("id"), str)}
    with _transaction(database):
        database.execute(
            "INSERT OR REPLACE INTO responses (id, created, used, size, previous, body) VALUES (?, ?, ?, ?, ?, ?)",
            (record.id, record.created, now, len(body), record.previous, body),
        )
        database.executemany("INSERT OR IGNORE INTO items VALUES (?, ?)", [(id, record.id) for id in ids])
        database.executemany(
            "INSERT OR IGNORE INTO blobs (hash, size, data) VALUES (?, ?, ?)",
            [(hash, len(text), text) for hash, text in blobs.items()],
        )
        database.executemany("INSERT INTO blob_uses VALUES (?, ?)", [(hash, record.id) for hash in blobs])
        _prune(database, limits, now)


def get(database: sqlite3.Connection, id: str) -> Record | None:
    """The record of an id. Raises sqlite3.Error."""
    row = database.execute("SELECT id, created, previous, body FROM responses WHERE id = ?", (id,)).fetchone()
    return None if row is None else _record(database, row)


def delete(database: sqlite3.Connection, id: str) -> bool:
    """Whether there was such a record, which is gone now. Raises sqlite3.Error."""
    with _transaction(database):
        found = database.execute("DELETE FROM responses WHERE id = ?", (id,)).rowcount > 0
        _drop_unused(database)
    _give_back(database)
    return found


def kept(database: sqlite3.Connection, wanted: Wanted, limits: Limits, now: float) -> Kept:
    """What a request names of it, which counts as used now. Raises sqlite3.Error.

    A chain with a gap, because a response in it was deleted, is none.
    """
    with _transaction(database):
        _prune(database, limits, now)
        chain = _chain(database, wanted.previous)
        items = {id: item for id in wanted.items if (item := _item(database, id)) is not None}
        used = [record.id for record in chain]
        database.executemany("UPDATE responses SET used = ? WHERE id = ?", [(now, id) for id in used])
    return Kept(tuple(chain), items, on=True)


def prune(database: sqlite3.Connection, limits: Limits, now: float) -> None:
    """Deletes what is over the limits. Raises sqlite3.Error."""
    with _transaction(database):
        _prune(database, limits, now)
    _give_back(database)


def _chain(database: sqlite3.Connection, last: str | None) -> list[Record]:
    found: list[Record] = []
    while last is not None and len(found) < LONGEST_CHAIN:
        record = get(database, last)
        if record is None:
            return []
        found.append(record)
        last = record.previous
    return found[::-1]


def _item(database: sqlite3.Connection, id: str) -> JsonObject | None:
    row = database.execute(
        "SELECT r.id, r.created, r.previous, r.body FROM items i JOIN responses r ON r.id = i.response WHERE i.id = ? "
        "ORDER BY r.used DESC LIMIT 1",
        (id,),
    ).fetchone()
    if row is None:
        return None
    record = _record(database, row)
    return next(item for item in (*record.input, *record.output) if item.get("id") == id)


def _record(database: sqlite3.Connection, row: Sequence[Any]) -> Record:
    id, created, previous, text = row
    body = loads(text)
    blobs = {}
    for hash in references(body):
        (blobs[hash],) = database.execute("SELECT data FROM blobs WHERE hash = ?", (hash,)).fetchone()
    body = put_in(body, blobs)
    return Record(id, created, body["object"], tuple(body["input"]), tuple(body["output"]), previous)


def _prune(database: sqlite3.Connection, limits: Limits, now: float) -> None:
    gone = database.execute("DELETE FROM responses WHERE used < ?", (now - limits.seconds,)).rowcount
    while _size(database) > limits.size:
        # The least recently used first; those with the same time together.
        oldest = database.execute("DELETE FROM responses WHERE used = (SELECT min(used) FROM responses)").rowcount
        gone += oldest
        _drop_unused(database)
        if not oldest:
            break
    if gone:
        _drop_unused(database)


def _size(database: sqlite3.Connection) -> int:
    (total,) = database.execute(
        "SELECT (SELECT total(size) FROM responses) + (SELECT total(size) FROM blobs)"
    ).fetchone()
    return int(total)


def _drop_unused(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM blob_uses)")


def _give_back(database: sqlite3.Connection) -> None:
    """The space of what was deleted, to the disk."""
    database.execute("PRAGMA incremental_vacuum").fetchall()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
