"""The database file: its mode and its migrations.

A released migration never changes; new ones are appended. The file's `user_version` counts the applied ones.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Seconds to wait for another process's write. Short, because an answer waits for it.
BUSY_SECONDS = 2.0

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE responses (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        used REAL NOT NULL,
        size INTEGER NOT NULL,
        previous TEXT,
        body BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX responses_by_use ON responses (used, size);
    CREATE TABLE items (
        id TEXT NOT NULL,
        response TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
        PRIMARY KEY (id, response)
    ) WITHOUT ROWID;
    CREATE INDEX items_by_response ON items (response);
    CREATE TABLE blobs (hash TEXT PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE INDEX blobs_by_size ON blobs (size);
    CREATE TABLE blob_uses (
        hash TEXT NOT NULL REFERENCES blobs (hash),
        response TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
        PRIMARY KEY (hash, response)
    ) WITHOUT ROWID;
    CREATE INDEX blob_uses_by_response ON blob_uses (response);
    """,
)


class NewerDatabase(sqlite3.DatabaseError):
    """A later version of this program has made the file."""


def opened(file: Path, migrations: Sequence[str] = MIGRATIONS) -> sqlite3.Connection:
    """A connection to `file`, made where it is not there. Raises sqlite3.Error, OSError.

    It has the tables of `migrations`. The file, and those that SQLite puts beside it, can be read by this user alone.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite creates its other files with the mode of this one.
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    file.chmod(0o600)
    database = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # Deleted data is overwritten, and its space is freed.
        database.executescript("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = ON;")
        database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;")
        migrate(database, migrations)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def read_only(file: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that changes nothing; None where there is no file. Raises sqlite3.Error."""
    if not file.exists():
        yield None
        return
    database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", timeout=BUSY_SECONDS, uri=True)
    try:
        yield database
    finally:
        database.close()


def migrate(database: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Takes the database through the migrations that it has not been through. Raises NewerDatabase."""
    database.execute("BEGIN IMMEDIATE")
    try:
        (done,) = database.execute("PRAGMA user_version").fetchone()
        if done > len(migrations):
            raise NewerDatabase(f"its version {done} is of a newer claude-max, this one knows {len(migrations)}")
        for number, script in enumerate(migrations[done:], done + 1):
            for statement in statements(script):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {number}")
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit before it begins."""
    found = ""
    for part in script.split(";"):
        found += part + ";"
        # A trigger contains statements itself.
        if sqlite3.complete_statement(found):
            if found.strip(" \n;"):
                yield found
            found = ""
