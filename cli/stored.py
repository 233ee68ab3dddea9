"""Everything that claude-max stores: one list, for `claude-max purge`, the docs and the end of an installation."""

import contextlib
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from platformdirs import user_cache_path, user_state_path
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from claude_max.proxy.config import ConfigError
from claude_max.proxy.errors import ServerFault

from . import background
from .output import Result, render

# Suffixes of SQLite's files next to a database.
BESIDE = ("", "-wal", "-shm")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Stored:
    """One kind of stored data. `content` says whether it contains prompts or answers."""

    name: str
    about: str
    content: bool
    files: tuple[Path, ...]
    database: bool = False


def everything() -> tuple[Stored, ...]:
    """All kinds, whether or not there is data."""
    state, cache = user_state_path("claude-max"), user_cache_path("claude-max")
    return (
        Stored("ledger", "usage of requests: numbers and names", False, (state / "ledger.db",), database=True),
        Stored("responses", "requests and answers of /v1/responses", True, (state / "responses.db",), database=True),
        Stored(
            "chat", "the last chat, and the input history", True, (state / "conversation.json", state / "chat_history")
        ),
        Stored("log", "the log of `claude-max start`", False, (background.log_file(),)),
        Stored("contracts", "results of the contract check for each CLI", False, (cache / "contracts.json",)),
        Stored("update", "the newest version of claude-max, with `update_check`", False, (cache / "update.json",)),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """The size of one kind in bytes, and whether it was removed."""

    name: str
    about: str
    content: bool
    paths: tuple[str, ...]
    bytes: int
    purged: bool


@dataclass(frozen=True, slots=True)
class Purge(Result):
    """What is stored, or what was removed of it."""

    stored: tuple[Place, ...]

    def view(self) -> Iterable[RenderableType]:
        """A table, and how to remove what it lists."""
        table = Table.grid(Column(no_wrap=True), Column(justify="right", no_wrap=True), "", padding=(0, 2))
        for place in self.stored:
            holds = " (holds content)" if place.content else ""
            size = "removed" if place.purged else f"{place.bytes:,} bytes"
            table.add_row(place.name, size, f"{place.about}{holds}")
        yield table
        if not any(place.purged for place in self.stored):
            yield Text("Remove with `claude-max purge NAME…` or `claude-max purge all`.")


def purge(names: Iterable[str], *, json: bool) -> NoReturn:
    """Removes the kinds in `names`, or lists all. Exits USAGE, or FAILED if something cannot be removed."""
    render(lambda: purged(tuple(names)), json=json)


def purged(names: tuple[str, ...]) -> Purge:
    """As `purge`. Raises ConfigError for a wrong name, ServerFault."""
    kinds = everything()
    known = [kind.name for kind in kinds]
    for name in names:
        if name not in (*known, ALL):
            raise ConfigError(f"purge {name}: use {', '.join(known)} or {ALL}")
    found = []
    for kind in kinds:
        size = sum(path.stat().st_size for path in _paths(kind))
        wanted = kind.name in names or ALL in names
        if wanted:
            _remove(kind)
        shown = tuple(str(path) for path in kind.files)
        found.append(Place(kind.name, kind.about, kind.content, shown, 0 if wanted else size, wanted))
    return Purge(tuple(place for place in found if not names or place.purged))


def _paths(kind: Stored) -> list[Path]:
    beside = BESIDE if kind.database else ("",)
    paths = [path.with_name(path.name + end) for path in kind.files for end in beside]
    return [path for path in paths if path.is_file()]


def _remove(kind: Stored) -> None:
    try:
        if kind.database:
            for file in kind.files:
                _empty(file)
            return
        in_use = background.log_file() in kind.files and background.running() is not None
        for path in _paths(kind):
            if in_use:
                os.truncate(path, 0)
            else:
                path.unlink()
    except (OSError, sqlite3.OperationalError) as error:
        raise ServerFault(f"{kind.name} cannot be removed: {error}.") from None


def _empty(file: Path) -> None:
    """Deletes every row: a running server keeps using the same file, and the old content is overwritten."""
    if not file.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=5)) as database:
            database.execute("PRAGMA secure_delete = ON")
            tables = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            database.execute("BEGIN IMMEDIATE")
            for (name,) in tables.fetchall():
                database.execute(f'DELETE FROM "{name}"')  # noqa: S608 - a name of the database's own
            database.execute("COMMIT")
            database.execute("PRAGMA incremental_vacuum").fetchall()
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        # Not a database, so no server uses it.
        for end in BESIDE:
            file.with_name(file.name + end).unlink(missing_ok=True)
