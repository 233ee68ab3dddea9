"""`claude-max usage`: the real CLI against a stand-in for the service's usage endpoint, and how windows are drawn."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness.command import claude_max
from harness.plan_service import plan_service, sign_in
from harness.proxy import scripted
from rich.console import Console
from rich.text import Text

from claude_max.cli.usage import Usage, from_get_usage, resets
from claude_max.proxy.errors import UpstreamFault

RESET = "2031-01-02T03:04:05+00:00"
PLAN: dict[str, Any] = {
    "five_hour": {"utilization": 12.0, "resets_at": RESET},
    "seven_day": {"utilization": 80.5, "resets_at": RESET},
    "seven_day_opus": None,
    "extra_usage": {"is_enabled": False, "monthly_limit": None, "used_credits": None, "utilization": None},
}


def shown_at(usage: Usage, width: int) -> str:
    """What a terminal of that width shows."""
    console = Console(width=width, file=io.StringIO(), color_system=None)
    for part in usage.view():
        console.print(part, soft_wrap=isinstance(part, Text))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_windows_are_those_that_the_cli_got(home: Path, tmp_path: Path) -> None:
    sign_in(home)
    with scripted() as api, plan_service(tmp_path, PLAN) as service:
        environ = {**service.environ(), "ANTHROPIC_BASE_URL": api.url}
        ended = claude_max(home, "usage", "--json", environ=environ)
        people = claude_max(home, "usage", environ=environ)
    assert ended.code == 0, ended.err
    assert ended.json == {
        "schema": 1,
        "plan": "max",
        "available": True,
        "windows": [
            {"name": "five_hour", "label": "five-hour limit", "utilization": 12, "resets_at": RESET, "full_at": None},
            {"name": "seven_day", "label": "weekly limit", "utilization": 80.5, "resets_at": RESET, "full_at": None},
        ],
        "extra_usage": PLAN["extra_usage"],
        "periods": [],
        "plan_price": [100, 200],
    }
    assert "Plan: max" in people.out
    assert "12 %" in people.out
    assert people.err == ""
    # Nothing else is asked than what the question needs: no telemetry, no feature flags, no model.
    assert {request.split("?")[0] for request in service.asked} == {"GET /api/oauth/profile", "GET /api/oauth/usage"}
    assert api.api.bodies() == []


def test_a_service_that_does_not_answer_is_said(home: Path, tmp_path: Path) -> None:
    sign_in(home)
    with scripted() as api, plan_service(tmp_path, None) as service:
        environ = {**service.environ(), "ANTHROPIC_BASE_URL": api.url}
        ended = claude_max(home, "usage", "--json", environ=environ)
    assert ended.code == 1
    assert "could not get the usage" in ended.json["error"]["message"]


def test_a_login_without_windows_is_said(home: Path) -> None:
    with scripted() as api:
        ended = claude_max(home, "usage", environ={"ANTHROPIC_BASE_URL": api.url})
    assert ended.code == 0
    assert ended.out.startswith("This login has no plan limits")


def test_windows_of_models_and_of_the_future() -> None:
    found = from_get_usage(
        {
            "subscription_type": "pro",
            "rate_limits_available": True,
            "rate_limits": {
                "thirty_day_new": {"utilization": None, "resets_at": None},
                "model_scoped": [{"display_name": "Fable", "utilization": 99, "resets_at": RESET}],
                "extra_usage": {"is_enabled": True, "used_credits": 3, "monthly_limit": None, "currency": "USD"},
            },
        }
    )
    assert [(window.name, window.label) for window in found.windows] == [
        ("thirty_day_new", "thirty day new"),
        ("model_scoped:Fable", "weekly Fable limit"),
    ]
    shown = shown_at(found, 100)
    assert "?" in shown
    assert "99 %" in shown
    assert "Extra usage: 3 of no limit USD" in shown


def test_available_windows_that_could_not_be_had_are_a_failure() -> None:
    with pytest.raises(UpstreamFault):
        from_get_usage({"rate_limits_available": True, "rate_limits": None})


@pytest.mark.parametrize("width", [1, 6, 12, 20, 60, 200])
def test_any_width(width: int) -> None:
    answer = {"subscription_type": "max", "rate_limits_available": True, "rate_limits": PLAN}
    shown = shown_at(from_get_usage(answer), width)
    letters = "".join(letter for letter in shown if letter.isalnum() or letter == "%")
    assert "Fivehourlimit12%resets" in letters
    assert "Weeklylimit80%resets" in letters
    if width >= len("resets"):
        assert {"Weekly", "limit", "12", "%", "resets"} <= set(shown.split()), "no word is broken"


def test_when_it_resets() -> None:
    now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def after(**span: float) -> str:
        return resets((now + timedelta(**span)).isoformat(), now).split(", ")[1]

    assert after(minutes=5, seconds=30) == "in 5 min"
    assert after(hours=2) == "in 2 h 0 min"
    assert after(days=3, hours=4, minutes=9) == "in 3 d 4 h"
    assert after(hours=-1) == "in 0 min"
    assert resets(None, now) == resets("soon", now) == ""
    assert resets("2026-05-04T12:10:00", now).endswith("in 10 min")
