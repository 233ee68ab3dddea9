"""`claude-max usage` of a ledger: periods, groups, spans, CSV; and the windows' forecast beside the plan's price."""

import contextlib
import csv
import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from harness.command import claude_max
from harness.plan_service import plan_service, sign_in
from harness.proxy import scripted

from claude_max.cli.spending import tokens
from claude_max.cli.values import GROUPS
from claude_max.proxy.records import Row
from claude_max.proxy.store import ledger
from claude_max.proxy.store.database import opened
from claude_max.proxy.store.ledger import MIGRATIONS, Sample

DAY = 24 * 3600.0
FILE = Path(".local/state/claude-max/ledger.db")
UTC_ONLY = {"TZ": "UTC"}


@pytest.fixture
def kept(home: Path) -> Path:
    """A home with a ledger of four requests: now, two days ago, 20 days and 60 days ago."""
    now = time.time()
    ages = ((0.0, "claude-opus-5", "Codex"), (2.0, "claude-sonnet-5-5", "curl"), (20.0, "claude-opus-5", "=evil"),
            (60.0, "claude-opus-5", "curl"))  # fmt: skip
    rows = [
        Row(now - age * DAY, f"req_{age}", "messages", client, "opus", model, 200, calls=1, input=1000, cache_read=3000,
            output=50, cost=1.5)
        for age, model, client in ages
    ]  # fmt: skip
    with contextlib.closing(opened(home / FILE, MIGRATIONS)) as database:
        ledger.put(database, rows, [Sample("five_hour", now - 3600, 0.2, now + 7200)])
    return home


def asked(home: Path, *arguments: str) -> Any:
    ended = claude_max(home, "usage", "--json", *arguments, environ=UTC_ONLY)
    assert ended.code == 0, ended.err
    return ended.json


def test_groups(kept: Path) -> None:
    by_model = asked(kept, "--by", "model")
    assert [(row["name"], row["requests"], row["value_usd"]) for row in by_model["rows"]] == [
        ("claude-opus-5", 2, 3.0),
        ("claude-sonnet-5-5", 1, 1.5),
    ]
    assert by_model["total"] == {
        "name": "total",
        "requests": 3,
        "failed": 0,
        "input_tokens": 3000,
        "cache_read_tokens": 9000,
        "cache_write_tokens": 0,
        "output_tokens": 150,
        "reasoning_tokens": 0,
        "value_usd": 4.5,
        "unpriced": 0,
    }
    assert by_model["schema"] == 1
    days = [row["name"] for row in asked(kept, "--by", "day", "--since", "90d")["rows"]]
    assert days == sorted(days)
    assert days[-1] == f"{datetime.now(UTC):%Y-%m-%d}"
    assert len(days) == 4
    people = claude_max(kept, "usage", "--by", "client", environ=UTC_ONLY)
    assert "Codex" in people.out
    assert "75 %" in people.out
    assert "$4.50" in people.out
    assert people.err == ""


@pytest.mark.parametrize(("since", "requests"), [("1h", 1), ("3d", 2), ("4w", 3), ("90d", 4), ("2001-01-01", 4)])
def test_since(kept: Path, since: str, requests: int) -> None:
    assert asked(kept, "--since", since)["total"]["requests"] == requests


def test_csv(kept: Path) -> None:
    ended = claude_max(kept, "usage", "--csv", "--by", "client", environ=UTC_ONLY)
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    # No spreadsheet takes a client's name for a formula.
    assert {row["client"] for row in rows} == {"Codex", "curl", "'=evil"}
    assert {row["value_usd"] for row in rows} == {"1.5"}


@pytest.mark.parametrize("wrong", [("--by", "colour"), ("--since", "yesterday"), ("--since", "999999999999w")])
def test_wrong_words(kept: Path, wrong: tuple[str, str]) -> None:
    ended = claude_max(kept, "usage", *wrong)
    assert ended.code == 2
    assert wrong[1] in ended.err


def test_without_a_ledger(home: Path) -> None:
    assert asked(home, "--since", "7d")["rows"] == []
    assert not (home / FILE).exists(), "looking makes no file"


def test_a_broken_ledger_is_said(home: Path) -> None:
    (home / FILE).parent.mkdir(parents=True)
    (home / FILE).write_text("no database" * 500)
    ended = claude_max(home, "usage", "--since", "7d")
    assert ended.code == 1
    assert "The ledger cannot be read" in ended.err


def test_beside_the_plan(kept: Path, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    resets = (now + timedelta(seconds=7200)).isoformat()
    plan = {"five_hour": {"utilization": 60.0, "resets_at": resets}}
    sign_in(kept)
    with scripted() as api, plan_service(tmp_path, plan) as service:
        environ = {**service.environ(), **UTC_ONLY, "ANTHROPIC_BASE_URL": api.url, "CLAUDE_MAX_PLAN_PRICE": "120"}
        found = claude_max(kept, "usage", "--json", environ=environ).json
        people = claude_max(kept, "usage", environ=environ)
    [window] = found["windows"]
    # From 20 to 60 % in an hour: the rest takes another.
    assert abs((datetime.fromisoformat(window["full_at"]) - now).total_seconds() - 3600) < 120
    assert [(line["name"], line["requests"]) for line in found["periods"]] == [
        ("today", 1),
        ("7 days", 2),
        ("30 days", 3),
    ]
    assert found["plan_price"] == [120]
    assert "at this rate" in people.out
    assert "$120 a month" in people.out


def test_the_groups_that_a_shell_offers() -> None:
    assert get_args(ledger.By) == GROUPS


def test_tokens_in_three_digits() -> None:
    assert [tokens(count) for count in (0, 999, 1234, 5_000_000, 7_250_000_000)] == [
        "0",
        "999",
        "1.23 k",
        "5 M",
        "7.25 G",
    ]
