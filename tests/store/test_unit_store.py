"""What is kept comes back as it was, this user's alone, within its limits; what fails is told once."""

import asyncio
import logging
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.proxy.errors import Overloaded
from claude_max.proxy.events import JsonObject
from claude_max.proxy.records import Kept, Record, Wanted
from claude_max.proxy.store.database import MIGRATIONS, NewerDatabase, migrate, opened
from claude_max.proxy.store.keeper import Keeper
from claude_max.proxy.store.media import REFERENCE, put_in, references, taken_out
from claude_max.proxy.store.responses import Limits

IMAGE = "data:image/png;base64," + "A" * 4000
DAY = 24 * 3600.0


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "responses.db"


@pytest.fixture
def keeper(file: Path, clock: Clock) -> Iterator[Keeper]:
    made = Keeper(file, Limits(7 * DAY, 1_000_000), clock)
    yield made
    asyncio.run(made.close())


def record(id: str, previous: str | None = None, text: str = "hi", image: str | None = None) -> Record:
    content = [{"type": "input_text", "text": text}]
    if image:
        content.append({"type": "input_image", "image_url": image})
    return Record(
        id,
        5.5,
        {"id": id, "object": "response"},
        ({"id": f"msg_{id}", "type": "message", "role": "user", "content": content},),
        ({"id": f"rs_{id}", "type": "reasoning", "encrypted_content": "é\u2028"},),
        previous,
    )


def rows(file: Path, query: str) -> list[Any]:
    with sqlite3.connect(file) as database:
        found = [row[0] for row in database.execute(query)]
    database.close()
    return found


async def test_a_record_comes_back_as_it_was(keeper: Keeper, file: Path, clock: Clock) -> None:
    await keeper.keep(record("resp_1", image=IMAGE))
    assert await keeper.get("resp_1") == record("resp_1", image=IMAGE)
    assert await keeper.get("resp_2") is None
    again = Keeper(file, Limits(DAY, 1_000_000), clock)
    assert await again.get("resp_1") == record("resp_1", image=IMAGE)
    await again.close()


async def test_it_is_this_users_alone(keeper: Keeper, file: Path) -> None:
    await keeper.keep(record("resp_1"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == dict.fromkeys(["responses.db", "responses.db-wal", "responses.db-shm"], 0o600)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_chain_is_told_from_its_beginning(keeper: Keeper) -> None:
    chain = [record("resp_1"), record("resp_2", "resp_1"), record("resp_3", "resp_2")]
    for each in chain:
        await keeper.keep(each)
    assert await keeper.kept(Wanted("resp_3")) == Kept(tuple(chain), on=True)
    assert await keeper.kept(Wanted("resp_2")) == Kept(tuple(chain[:2]), on=True)
    assert await keeper.delete("resp_2")
    assert not await keeper.delete("resp_2")
    # What it went on from is gone.
    assert await keeper.kept(Wanted("resp_3")) == Kept(on=True)
    assert await keeper.kept(Wanted("resp_9")) == Kept(on=True)


async def test_items_by_their_ids(keeper: Keeper) -> None:
    kept = record("resp_1", image=IMAGE)
    await keeper.keep(kept)
    found = await keeper.kept(Wanted(items=("msg_resp_1", "rs_resp_1", "msg_x")))
    assert found.items == {"msg_resp_1": kept.input[0], "rs_resp_1": kept.output[0]}


async def test_an_image_is_kept_once_and_as_long_as_it_is_used(keeper: Keeper, file: Path) -> None:
    await keeper.keep(record("resp_1", image=IMAGE))
    await keeper.keep(record("resp_2", "resp_1", image=IMAGE))
    assert rows(file, "SELECT data FROM blobs") == [IMAGE]
    assert not any(b"AAAA" in body for body in rows(file, "SELECT body FROM responses"))
    await keeper.delete("resp_1")
    assert await keeper.get("resp_2") == record("resp_2", "resp_1", image=IMAGE)
    await keeper.delete("resp_2")
    assert rows(file, "SELECT data FROM blobs") == []


async def test_what_is_deleted_is_no_longer_in_the_files(keeper: Keeper, file: Path) -> None:
    await keeper.keep(record("resp_1", text="a secret word" * 50))
    await keeper.delete("resp_1")
    assert all(b"secret" not in path.read_bytes() for path in file.parent.iterdir())


async def test_what_is_not_used_for_days_is_deleted(keeper: Keeper, file: Path, clock: Clock) -> None:
    await keeper.keep(record("resp_1"))
    await keeper.keep(record("resp_2", "resp_1"))
    clock.now += 6 * DAY
    await keeper.keep(record("resp_other"))
    # Using a response keeps those that it goes on from.
    assert len((await keeper.kept(Wanted("resp_2"))).chain) == 2
    clock.now += 6 * DAY
    assert len((await keeper.kept(Wanted("resp_2"))).chain) == 2
    clock.now += 1.5 * DAY
    assert await keeper.get("resp_other") is None
    assert rows(file, "SELECT id FROM responses ORDER BY id") == ["resp_1", "resp_2"]
    clock.now += 7 * DAY
    assert await keeper.get("resp_2") is None
    assert rows(file, "SELECT id FROM items") == []


async def test_the_longest_unused_make_room(file: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "claude_max.store")
    keeper = Keeper(file, Limits(DAY, 30_000), clock)
    for number in range(6):
        clock.now += 1
        await keeper.keep(record(f"resp_{number}", image="data:" + str(number) * 8000))
    left = rows(file, "SELECT id FROM responses ORDER BY used")
    assert left == ["resp_3", "resp_4", "resp_5"]
    assert len(rows(file, "SELECT hash FROM blobs")) == 3
    # What alone is too much takes no place from the others.
    await keeper.keep(record("resp_big", text="x" * 40_000))
    assert rows(file, "SELECT id FROM responses ORDER BY used") == left
    assert "resp_big is over the 30000 bytes" in caplog.text
    await keeper.close()


@pytest.mark.parametrize("limits", [Limits(0, 1000), Limits(DAY, 0)])
async def test_nothing_is_kept_where_that_is_off(file: Path, clock: Clock, limits: Limits) -> None:
    keeper = Keeper(file, limits, clock)
    await keeper.keep(record("resp_1"))
    assert await keeper.get("resp_1") is None
    assert await keeper.kept(Wanted("resp_1")) == Kept(on=False)
    assert not await keeper.delete("resp_1")
    await keeper.close()
    assert not file.parent.exists()


async def test_nothing_is_opened_before_it_is_needed(keeper: Keeper) -> None:
    assert await keeper.kept(Wanted()) == Kept(on=True)
    assert not keeper._beside.is_open


async def test_a_locked_database_is_told_once(keeper: Keeper, file: Path, caplog: pytest.LogCaptureFixture,
                                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, "claude_max.store")
    monkeypatch.setattr("claude_max.proxy.store.database.BUSY_SECONDS", 0.01)
    await keeper.keep(record("resp_0"))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await keeper.keep(record("resp_1"))
    await keeper.keep(record("resp_2"))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "answers are not stored: database is locked" in caplog.text
    with pytest.raises(Overloaded, match="database is locked"):
        await keeper.kept(Wanted("resp_0"))
    other.execute("ROLLBACK")
    other.close()
    await keeper.keep(record("resp_3"))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert (await keeper.kept(Wanted("resp_3"))).chain == (record("resp_3"),)


async def test_a_full_disk_leaves_what_is_kept_as_it_was(keeper: Keeper, file: Path,
                                                         caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, "claude_max.store")
    await keeper.keep(record("resp_0"))
    database = keeper._beside._database
    assert database is not None
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    await keeper.keep(record("resp_1", text="x" * 100_000))
    assert "answers are not stored: database or disk is full" in caplog.text
    assert await keeper.get("resp_0") == record("resp_0")
    assert await keeper.get("resp_1") is None


def test_a_file_that_is_no_database(keeper: Keeper, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "claude_max.store")
    file.parent.mkdir()
    file.write_text("not a database at all" * 100)
    asyncio.run(keeper.keep(record("resp_1")))
    assert "file is not a database" in caplog.text
    file.unlink()
    asyncio.run(keeper.keep(record("resp_1")))
    assert asyncio.run(keeper.get("resp_1")) == record("resp_1")


async def test_a_folder_that_cannot_be_made(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "claude_max.store")
    (tmp_path / "state").write_text("a file")
    keeper = Keeper(tmp_path / "state" / "responses.db", Limits(DAY, 1000), clock)
    await keeper.keep(record("resp_1"))
    assert "answers are not stored" in caplog.text
    await keeper.close()


def test_migrations_build_on_each_other(file: Path) -> None:
    database = opened(file)
    database.execute("INSERT INTO blobs VALUES ('h', 1, 'x')")
    migrate(database, [*MIGRATIONS, "ALTER TABLE blobs ADD COLUMN note TEXT; UPDATE blobs SET note = 'n'"])
    assert database.execute("SELECT data, note FROM blobs").fetchall() == [("x", "n")]
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
    database.close()
    with pytest.raises(NewerDatabase):
        opened(file)


def test_a_migration_that_fails_changes_nothing(file: Path) -> None:
    database = opened(file)
    with pytest.raises(sqlite3.OperationalError):
        migrate(database, [*MIGRATIONS, "CREATE TABLE more (id TEXT); CREATE TABLE blobs (id TEXT)"])
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert database.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchall() == []
    database.close()


urls = st.sampled_from([IMAGE, "data:short", "https://a.example/" + "b" * 600])
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | urls,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["image_url", "file_data", "text", "content"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_media_are_taken_out_and_put_in_again(value: JsonObject) -> None:
    blobs: dict[str, str] = {}
    bare = taken_out(value, blobs)
    assert references(bare) == set(blobs)
    assert set(blobs.values()) <= {IMAGE}
    assert put_in(bare, blobs) == value


def test_a_reference_has_a_form_that_no_field_has() -> None:
    blobs: dict[str, str] = {}
    bare = taken_out({"image_url": IMAGE}, blobs)
    assert bare["image_url"].startswith(REFERENCE)
    assert ":" not in bare["image_url"]
