"""Extra usage and the plan's windows: what is refused, from which request on, and what answers tell of it."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest
from harness.asking import CHAT, directive
from harness.machine import eventually
from harness.proxy import OwnProxy, RunningProxy, running_proxy, scripted

# The tests of both proxies of this file run in one process.
pytestmark = pytest.mark.xdist_group("wallet")
LOCAL = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC[+-]\d\d:\d\d"
FIVE = {"status": "allowed", "claim": "five_hour", "reset": "+3600", "5h": 0.5}
EXTRA = {"status": "rejected", "claim": "five_hour", "reset": "+3600", "5h": 1.0, "overage": "allowed", "in_use": True}


def ask(proxy: RunningProxy, limits: dict[str, Any] | None = None, path: str = CHAT, **fields: Any) -> httpx2.Response:
    said = directive(text="hello", **({"limits": limits} if limits else {}))
    body = {"model": "sonnet", "messages": [{"role": "user", "content": said}], **fields}
    return proxy.http.post(path, json=body)


def arrived(proxy: RunningProxy) -> int:
    assert proxy.api is not None
    return proxy.api.api.arrived


@pytest.fixture(scope="module")
def warning(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy with the default settings. The first test needs it as it is after its start."""
    return own_proxy()


@pytest.fixture(scope="module")
def silent(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy that does not tell of extra usage, and has the lines composition."""
    return own_proxy(environ={"CLAUDE_MAX_OVERAGE": "allow", "CLAUDE_MAX_COMPOSITION": "lines"})


def test_refuse_takes_requests_again_when_the_window_resets_and_stops_at_the_next(home: Path) -> None:
    """It stops at the request behind the first that is billed."""
    with scripted() as api, running_proxy(home, api=api, environ={"CLAUDE_MAX_OVERAGE": "refuse"}) as own:
        assert ask(own, {**EXTRA, "reset": "+3"}).status_code == 200
        assert ask(own).status_code == 402
        eventually(lambda: ask(own).status_code == 200, 10)
        for _ in range(3):
            assert ask(own, FIVE).status_code == 200
        # The service tells of extra usage with the answer that draws from it first.
        first = ask(own, EXTRA)
        assert first.status_code == 200
        before = arrived(own)
        refused = [ask(own), ask(own, path="/v1/messages", max_tokens=5), ask(own, stream=True)]
        assert [answer.status_code for answer in refused] == [402, 402, 402]
        assert arrived(own) == before
        error = refused[0].json()["error"]
        assert error["code"] == "extra_usage_required"
        assert re.search(rf"billed as extra usage now\. It ends at {LOCAL}", error["message"])
        assert 3500 < int(refused[0].headers["retry-after"]) <= 3600
        assert refused[0].headers["x-should-retry"] == "false"
    with sqlite3.connect(home / ".local/state/claude-max/ledger.db") as database:
        rows = list(database.execute("SELECT status, error, overage, window, used FROM requests ORDER BY rowid"))
    database.close()
    assert rows[-5:-2] == [
        (200, "", 0, "five_hour", 0.5),
        (200, "", 1, "five_hour", 1.0),
        (402, "extra_usage_required", 0, "", None),
    ]


def test_warnings_at_80_and_95_percent(warning: RunningProxy) -> None:
    first = ask(warning, FIVE)
    assert "x-claude-max-warning" not in first.headers
    assert "x-claude-max-window" not in first.headers, "nothing was said before"
    for used in (0.79, 0.81, 0.83, 0.96, 0.97):
        ask(warning, {**FIVE, "status": "allowed_warning", "5h": used, "5h_surpassed": 0.75})
    last = ask(warning)
    warning.wait_for("96 % of the five-hour limit used")
    assert re.fullmatch(rf"97 % of the five-hour limit used, resets {LOCAL}", last.headers["x-claude-max-warning"])
    assert re.fullmatch(r"five_hour;used=0\.97;resets=\d+", last.headers["x-claude-max-window"])
    assert next(line for line in warning.log if "limit used" in line).count("81 %") == 1
    assert sum("limit used" in line for line in warning.log) == 2


def goes_on(proxy: RunningProxy, *, tells: bool) -> None:
    """Answers requests that are billed, and tells of it in each answer and once in the log, or not at all."""
    for _ in range(4):
        answer = ask(proxy, EXTRA)
        assert answer.status_code == 200
    told = "extra usage is billed on top of the plan"
    assert (told in answer.headers["x-claude-max-warning"]) is tells
    assert answer.headers["x-claude-max-window"].startswith("five_hour;used=1;resets=")
    assert answer.headers["x-claude-max-window"].endswith(", extra_usage")
    if tells:
        proxy.wait_for(told)
    assert sum(told in line for line in proxy.log) == int(tells)


def test_extra_usage_is_told(warning: RunningProxy) -> None:
    goes_on(warning, tells=True)


def test_extra_usage_is_not_told_where_it_is_allowed(silent: RunningProxy) -> None:
    goes_on(silent, tells=False)


def test_receipts(warning: RunningProxy, silent: RunningProxy) -> None:
    said = directive(text="so", usage={"input_tokens": 100, "cache_read_input_tokens": 300, "output_tokens": 2})
    for stream in (False, True):
        body = {"model": "sonnet", "stream": stream, "messages": [{"role": "user", "content": said}]}
        answer = warning.http.post(CHAT, json=body)
        timing = re.fullmatch(
            r"prepare;dur=([\d.]+), queue;dur=([\d.]+), first;dur=([\d.]+)", answer.headers["server-timing"]
        )
        assert timing
        assert 0 < float(timing[3]) < 20_000
        assert answer.headers["x-claude-max-cached"] == "0.750"
        assert answer.headers["x-claude-max-way"] == "exact; warm"
    # Two at once, and one process that stands ready: the other is started for its request.
    said = directive(words=2000, pause=0.05)
    body = {"model": "sonnet", "stream": True, "messages": [{"role": "user", "content": said}]}
    with silent.http.stream("POST", CHAT, json=body) as one, silent.http.stream("POST", CHAT, json=body) as two:
        assert [each.headers["x-claude-max-way"] for each in (one, two)] == ["lines; warm", "lines; new"]
