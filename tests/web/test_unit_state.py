"""What there is to see: windows of now and of before, workers, requests; two looks are alike while nothing happens."""

import os
import time
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson
import pytest

from claude_max.proxy.engine.planning.roster import Member, PoolLimits, Status
from claude_max.proxy.engine.planning.want import BARE
from claude_max.proxy.engine.pool.pool import Pool
from claude_max.proxy.events import Model
from claude_max.proxy.receipts import Call, Receipt
from claude_max.proxy.routes.accounts import Accounts
from claude_max.proxy.routes.journal import Entry
from claude_max.proxy.store.ledger import Sample
from claude_max.proxy.web.past import Past
from claude_max.proxy.web.state import Remembered, Sources, state

NOW = 1_795_700_000.0
LIMITS = {
    "status": "allowed",
    "unifiedWindows": {
        "five_hour": {"utilization": 0.85, "resetsAt": NOW + 3600},
        "<b>odd": {"utilization": None, "resetsAt": None},
    },
}


@dataclass
class StillPool:
    """Workers that do nothing."""

    found: list[tuple[Member, int | None]] = field(default_factory=list)
    waiting: int = 0
    limits: PoolLimits = field(default_factory=PoolLimits)

    def members(self) -> list[tuple[Member, int | None]]:
        return self.found


class Kept(Past):
    """A ledger in memory."""

    def __init__(self, *told: Sample) -> None:
        super().__init__(None)
        names = dict.fromkeys(each.name for each in told)
        self._samples = {name: [each for each in told if each.name == name] for name in names}

    def _refresh(self) -> None:
        pass


def sources(*told: Sample, pool: StillPool | None = None) -> Sources:
    return Sources(
        health=lambda: {"version": "1", "ready": True, "signed_in": True},
        plan=lambda: "max",
        models=lambda: (Model("sonnet", "claude-sonnet-5-5", "Sonnet"),),
        pool=cast("Pool", pool or StillPool()),
        accounts=Accounts(now=lambda: NOW),
        past=Kept(*told),
        since=NOW - 60,
        pid=12,
        now=lambda: NOW,
    )


def answered(accounts: Accounts, limits: dict[str, Any]) -> None:
    tab = accounts.begin(Entry("req_1", "POST", "/v1/messages"), {"user-agent": "curl/8"}, "messages")
    tab.opened(Call("exact", True, 0.0))
    tab.settled(Receipt(None, limits))
    accounts.end(tab)


def test_windows_of_now_and_of_before() -> None:
    found = sources(
        Sample("five_hour", NOW - 3000, 0.2, NOW + 3600),
        Sample("seven_day", NOW - 7200, 0.4, NOW + 86400),
        Sample("seven_day_opus", NOW - 90_000, 0.9, NOW - 10),
    )
    before = state(found)["limits"]
    assert [(window["name"], window["used"], window["as_of"]) for window in before["windows"]] == [
        ("five_hour", 0.2, NOW - 3000),
        ("seven_day", 0.4, NOW - 7200),
    ]
    answered(found.accounts, LIMITS)
    limits = state(found)["limits"]
    windows = {window["name"]: window for window in limits["windows"]}
    assert list(windows) == ["five_hour", "<b>odd", "seven_day"]
    five = windows["five_hour"]
    assert (five["label"], five["used"], five["resets_at"], five["as_of"]) == (
        "five-hour limit",
        0.85,
        NOW + 3600,
        None,
    )
    # 0.65 in 50 minutes: the rest of it in 12.
    assert NOW + 600 < five["full_at"] < NOW + 900
    assert windows["<b>odd"]["full_at"] is None
    assert limits["warnings"] == found.accounts.warnings() != []


def test_a_forecast_is_made_anew_when_more_is_known() -> None:
    found = sources()
    answered(found.accounts, LIMITS)
    alone = state(found)["limits"]["windows"][0]["full_at"]
    found.past._samples = {"five_hour": [Sample("five_hour", NOW - 3000, 0.2, NOW + 3600)]}
    assert state(found)["limits"]["windows"][0]["full_at"] == alone
    found.past.reads += 1
    assert state(found)["limits"]["windows"][0]["full_at"] < (alone or NOW + 1e9)


def test_requests_and_workers() -> None:
    member = Member(3, BARE, time.monotonic() - 50, time.monotonic(), Status.IDLE, 7)
    gone = replace(member, key=4, status=Status.CLOSING)
    pool = StillPool(
        [(member, os.getpid()), (gone, 2**22 + 1), (replace(member, key=5, status=Status.STARTING), None)], 2
    )
    found = sources(pool=pool)
    changes: list[str] = []
    found.accounts.on_change = lambda: changes.append("")
    entry = Entry("req_1", "POST", "/v1/messages", asked="opus", model="opus")
    tab = found.accounts.begin(entry, {"user-agent": "<script>"}, "messages")
    seen = state(found)
    assert [each["state"] for each in seen["running"]] == ["waiting"]
    tab.opened(Call("exact", True, 0.0))
    assert [each["state"] for each in state(found)["running"]] == ["asking"]
    entry.first, entry.model = 5, "claude-opus-5-5"
    assert state(found)["running"] == [
        {
            "id": "req_1",
            "at": NOW,
            "dialect": "messages",
            "client": "<script>",
            "asked": "opus",
            "model": "claude-opus-5-5",
            "state": "answering",
        }
    ]
    found.accounts.end(tab)
    assert state(found)["running"] == []
    assert len(changes) == 2
    workers = seen["workers"]
    assert [(each["id"], each["state"], each["turns"]) for each in workers["processes"]] == [
        (3, "idle", 7),
        (4, "closing", 7),
        (5, "starting", 7),
    ]
    memory = [each["memory"] for each in workers["processes"]]
    assert memory[0] > 10 * 2**20
    assert memory[1:] == [0, 0]
    assert abs(workers["processes"][0]["since"] - (NOW - 50)) <= 1
    assert (workers["waiting"], workers["most"]) == (2, 8)


def test_nothing_changes_while_nothing_happens() -> None:
    pool = StillPool([(Member(3, BARE, time.monotonic(), time.monotonic(), Status.IDLE, 7), os.getpid())])
    found = sources(Sample("five_hour", NOW - 3000, 0.2, NOW + 3600), pool=pool)
    one, two = state(found), state(found)
    assert one == two
    assert orjson.dumps(one)


@pytest.mark.parametrize(("after", "made"), [(1.0, 1), (4.9, 1), (5.0, 2)])
def test_what_is_remembered(after: float, made: int) -> None:
    now, times = 0.0, 0

    def make() -> int:
        nonlocal times
        times += 1
        return times

    remembered = Remembered(5.0, lambda: now)
    assert remembered.of("a", make) == 1
    now = after
    assert remembered.of("a", make) == made
