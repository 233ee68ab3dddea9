"""One look after another: what changed on disk decides what becomes of the pool."""

import asyncio
import os
from pathlib import Path
from typing import Any, cast

import pytest

from claude_max.proxy.engine.planning.steps import Feature
from claude_max.proxy.engine.pool import upkeep
from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.engine.pool.upkeep import Upkeep, login_file, resident, signature
from claude_max.proxy.engine.process.channel import Unconfirmed
from claude_max.proxy.engine.wire.versions import Version
from claude_max.proxy.errors import CliUnavailable, ProxyError

REWIND: frozenset[Feature] = frozenset({"rewind"})


# Process ids, and the memory of each.
SMALL, LARGE = 1, 2
MEMORY = {SMALL: upkeep.LARGE_BYTES, LARGE: upkeep.LARGE_BYTES + 1}


class Looked:
    """The pool as upkeep sees it: a list of what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.admitted = asyncio.Event()

    def admit(self, features: frozenset[Feature]) -> None:
        self.told.append(features)
        self.admitted.set()

    def refuse(self, error: ProxyError) -> None:
        self.told.append(error.message)

    def renew(self) -> None:
        self.told.append("renew")

    def trim(self, *, idle: float, too_large: Any) -> None:
        assert idle > 0
        assert not too_large(SMALL)
        assert too_large(LARGE)


class Room:
    """A CLI and a login on disk, and the upkeep of a pool."""

    def __init__(self, folder: Path) -> None:
        self.program, self.login = folder / "claude", folder / "login"
        self.program.write_text("one")
        self.pool = Looked()
        self.finds: frozenset[Feature] | CliUnavailable = REWIND
        self.version = (2, 1, 401)
        self.meanwhile: str | None = None
        self.upkeep = Upkeep(cast("Pool", self.pool), self.program, self.login, self.recheck)

    async def recheck(self) -> tuple[Version, frozenset[Feature]]:
        if isinstance(self.finds, CliUnavailable):
            raise self.finds
        if self.meanwhile is not None:
            self.program.write_text(self.meanwhile)
            self.meanwhile = None
        return self.version, self.finds

    def look(self) -> list[Any]:
        """What the pool is told at one look."""
        self.pool.told.clear()
        asyncio.run(self.upkeep.look())
        return list(self.pool.told)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(upkeep, "resident", MEMORY.__getitem__)
    return Room(tmp_path)


def test_nothing_changed(room: Room) -> None:
    assert room.look() == []


def test_a_login_that_comes_changes_and_goes(room: Room) -> None:
    room.login.write_text("secret")
    assert room.look() == ["renew"]
    assert room.look() == []
    os.utime(room.login, ns=(1, 1))
    assert room.look() == ["renew"]
    room.login.unlink()
    assert room.look() == ["renew"]


def test_a_new_cli_is_examined_and_all_workers_are_renewed(room: Room) -> None:
    room.program.write_text("other")
    assert room.look() == [REWIND, "renew"]
    assert room.look() == []


def test_a_link_that_leads_elsewhere_is_a_new_cli(room: Room, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other one")
    room.program.unlink()
    room.program.symlink_to(other)
    assert room.look() == [REWIND, "renew"]


def test_a_cli_that_may_not_be_used_is_refused_until_a_good_one_comes(room: Room) -> None:
    room.finds = CliUnavailable("too old")
    room.program.write_text("other")
    told, renewed = room.look()
    assert "`claude-max doctor`" in told
    assert "too old" not in told, "why is in the log: it names files of this machine"
    assert renewed == "renew"
    room.finds = REWIND
    room.program.write_text("a third")
    assert room.look() == [REWIND, "renew"]


def test_a_recheck_that_failed_by_bad_luck_is_tried_again(room: Room) -> None:
    room.finds = CliUnavailable("did not answer in time")
    room.program.write_text("other")
    room.look()
    room.finds = REWIND
    assert REWIND in room.look()


def test_a_cli_is_examined_before_it_is_run(room: Room) -> None:
    """Not only at the next look: a burst, or a worker that died, would run an unknown one before."""
    asyncio.run(room.upkeep.examine())
    assert room.pool.told == []
    room.finds = CliUnavailable("too old")
    room.program.write_text("other")
    for _ in range(2):
        with pytest.raises(CliUnavailable, match="has changed on disk"):
            asyncio.run(room.upkeep.examine())
    assert len(room.pool.told) == 2, "examined once, not with every process that is wanted"


def test_a_wrapper_whose_cli_changes_is_examined(room: Room) -> None:
    for version in ("2.1.400", "2.1.400"):
        room.upkeep.accept({"claude_code_version": version})
    assert room.look() == []
    with pytest.raises(Unconfirmed, match=r"2\.1\.401"):
        room.upkeep.accept({"claude_code_version": "2.1.401"})
    room.pool.told.clear()
    asyncio.run(room.upkeep.examine())
    assert room.pool.told == [REWIND, "renew"]
    room.upkeep.accept({"claude_code_version": "2.1.401"})
    with pytest.raises(Unconfirmed):
        room.upkeep.accept({"claude_code_version": "2.1.402"})


def test_a_cli_that_is_away_for_a_moment_decides_nothing(room: Room) -> None:
    """As while it is replaced: idle workers go on, only a new process cannot be had now."""
    room.program.unlink()
    with pytest.raises(CliUnavailable):
        asyncio.run(room.upkeep.examine())
    assert room.pool.told == []
    room.program.write_text("one more")
    asyncio.run(room.upkeep.examine())
    assert room.pool.told == [REWIND, "renew"]


def test_a_cli_that_is_still_away_at_a_look_is_refused(room: Room) -> None:
    room.finds = CliUnavailable("it is not there")
    room.program.unlink()
    assert len(room.look()) == 2


def test_a_cli_that_changes_during_its_examination_is_examined_again(room: Room) -> None:
    room.program.write_text("other")
    room.meanwhile = "a third one"
    asyncio.run(room.upkeep.examine())
    assert room.pool.told == [REWIND, "renew"] * 2


def test_a_cli_that_stays_bad_is_examined_more_and_more_seldom(room: Room) -> None:
    room.finds = CliUnavailable("too old")
    room.program.write_text("other")
    examined = [bool(room.look()) for _ in range(16)]
    assert [look for look, was in enumerate(examined) if was] == [0, 1, 3, 7, 15]
    room.program.write_text("yet another")
    assert room.look()
    assert room.look()


async def test_a_look_that_fails_is_not_the_last(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it was: without it nobody would look after the workers any more."""
    monkeypatch.setattr(upkeep, "GLANCE_SECONDS", 0)
    looked = 0

    async def recheck() -> tuple[Version, frozenset[Feature]]:
        nonlocal looked
        looked += 1
        if looked == 1:
            room.program.write_text("yet another one")
            raise RuntimeError("something nobody thought of")
        return (2, 1, 400), REWIND

    running = asyncio.create_task(Upkeep(cast("Pool", room.pool), room.program, room.login, recheck).run())
    room.program.write_text("other")
    await asyncio.wait_for(room.pool.admitted.wait(), 10)
    running.cancel()
    assert "something nobody thought of" in caplog.text


def test_signatures(tmp_path: Path) -> None:
    file = tmp_path / "a"
    assert signature(file) is None
    file.write_text("abc")
    os.utime(file, ns=(5, 5))
    assert signature(file) == (3, 5)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/h"}, "/h/.claude/.credentials.json"),
        ({"USERPROFILE": "/u"}, "/u/.claude/.credentials.json"),
        ({"HOME": "/h", "CLAUDE_CONFIG_DIR": "/c"}, "/c/.credentials.json"),
        ({"HOME": "/h", "CLAUDE_CONFIG_DIR": ""}, "/h/.claude/.credentials.json"),
    ],
)
def test_where_the_login_is(environ: dict[str, str], expected: str) -> None:
    assert login_file(environ) == Path(expected)


def test_memory() -> None:
    assert resident(os.getpid()) > 1_000_000
    assert resident(2**22 + 5) == 0
