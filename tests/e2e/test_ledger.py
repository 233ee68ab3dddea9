"""The ledger over mixed requests: its numbers are those that the scripted service counted; nothing of prompts is in it.

Also how a server that is killed, a full disk and a second server leave it.
"""

import contextlib
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from harness.asking import CHAT, directive
from harness.limited import limited
from harness.machine import eventually
from harness.proxy import OwnProxy, RunningProxy, running_proxy, scripted

FILE = Path(".local/state/claude-max/ledger.db")
TOKENS = "sum(input), sum(cache_read), sum(cache_write), sum(output)"


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(home / FILE)) as database:
        return list(database.execute(query))


def count(home: Path) -> int:
    # A file that is just being made has no tables yet.
    with contextlib.suppress(sqlite3.OperationalError):
        return int(rows(home, "SELECT count(*) FROM requests")[0][0]) if (home / FILE).exists() else 0
    return 0


def written(proxy: RunningProxy, number: int) -> None:
    eventually(lambda: count(proxy.home) >= number, 20, said=lambda: f"{count(proxy.home)} rows: {''.join(proxy.log)}")


def ask(proxy: RunningProxy, said: Any, path: str = CHAT, **fields: Any) -> httpx2.Response:
    messages = [{"role": "user", "content": said}]
    return proxy.http.post(path, json={"model": "sonnet", "messages": messages, **fields})


LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def test_the_numbers_are_those_that_the_service_counted(own_proxy: OwnProxy, marker: str) -> None:
    own = own_proxy("--workers", "2")
    requests: list[dict[str, Any]] = [
        {"said": directive(words=30), "model": "anthropic/claude-sonnet-5.5"},
        {"said": directive(words=12), "stream": True},
        {
            "said": directive(
                text="ok", usage={"input_tokens": 900, "output_tokens": 41, "cache_read_input_tokens": 800}
            )
        },
        {"said": directive(call={"name": "look", "input": {"a": 1}}), "tools": [LOOK]},
        {"said": directive(words=5), "n": 2},
        {"said": directive(thinking="let me see", text="so")},
        {"said": directive(words=9), "path": "/v1/messages", "max_tokens": 500},
        {"said": directive(words=9), "path": "/api/chat", "stream": False},
        {"said": directive(words=40), "max_completion_tokens": 7},
        {"said": directive(once={"status": 529}, text="at last")},
        {"said": directive(status=400, message="no")},
    ]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda fields: ask(own, **fields), requests))
    assert sorted({answer.status_code for answer in answers}) == [200, 400]
    refused = own.http.post(CHAT, json={"model": "sonnet"})
    assert refused.status_code == 400
    written(own, len(requests) + 1)

    assert own.api is not None
    counted = {"input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "output_tokens": 0}
    for answer in answers:
        if answer.headers["content-type"].startswith("text/event-stream"):
            continue
        body = answer.json()
        usage = body.get("usage") or {}
        if "prompt_tokens" in usage:
            cached = usage["prompt_tokens_details"]["cached_tokens"]
            counted["cache_read_input_tokens"] += cached
            counted["input_tokens"] += usage["prompt_tokens"] - cached
            counted["output_tokens"] += usage["completion_tokens"]
        elif "prompt_eval_count" in body:
            counted["input_tokens"] += body["prompt_eval_count"]
            counted["output_tokens"] += body["eval_count"]
        else:
            for name in counted:
                counted[name] += usage.get(name, 0)
    told = rows(own.home, f"SELECT {TOKENS} FROM requests")
    by_service = served(own)
    assert told == [by_service]
    assert rows(own.home, f"SELECT {TOKENS} FROM spans") == [by_service]
    # Clients were told all of it but the answer that was streamed without usage, and the calls, up to three, that the
    # CLI may have made behind the answer that ended at its limit of 7.
    assert by_service[3] - counted["output_tokens"] - 12 in (0, 7, 14, 21)
    [(priced, cost)] = rows(own.home, "SELECT count(*), sum(cost) FROM requests WHERE cost > 0 AND basis = 'list'")
    assert priced == len(requests) - 1
    # Sonnet's list price: 2 dollars for a million of input and 10 of output; cached input a tenth.
    expected = (by_service[0] * 2 + by_service[1] * 0.2 + by_service[3] * 10) / 1e6
    assert cost == pytest.approx(expected, rel=0.02)
    named = rows(own.home, "SELECT DISTINCT asked FROM requests")
    assert sorted(named) == [("anthropic/claude-sonnet-5.5",), ("sonnet",)], "as the clients said it"
    dialects = dict(rows(own.home, "SELECT dialect, count(*) FROM requests GROUP BY 1"))
    assert dialects == {"chat_completions": 10, "messages": 1, "ollama_chat": 1}
    errors = rows(own.home, "SELECT status, error, calls > 0 FROM requests WHERE status >= 400 ORDER BY calls")
    assert errors == [(400, "invalid_request", 0), (400, "invalid_request", 1)]
    [(client, model, way, warm)] = rows(
        own.home, "SELECT client, model, way, max(warm) FROM requests WHERE model != '' GROUP BY 1, 2, 3"
    )
    assert (model, way, warm) == ("claude-sonnet-5-5", "exact", 1)
    assert client == "Python (httpx)"
    for file in (own.home / FILE).parent.iterdir():
        if file.name.startswith("ledger.db"):
            assert marker.encode() not in file.read_bytes()
            assert b"let me see" not in file.read_bytes()
            assert file.stat().st_mode & 0o777 == 0o600


def served(proxy: RunningProxy) -> tuple[int, int, int, int]:
    """What the scripted service sent as usage, from its record of finished exchanges."""
    assert proxy.api is not None
    uses = [each.usage for each in proxy.api.api.messages() if each.usage is not None]
    return (
        sum(use["input_tokens"] for use in uses),
        sum(use["cache_read_input_tokens"] for use in uses),
        sum(use["cache_creation_input_tokens"] for use in uses),
        sum(use["output_tokens"] for use in uses),
    )


def test_what_was_written_outlives_a_kill(home: Path) -> None:
    with scripted() as api, running_proxy(home, "--workers", "2", api=api) as running:
        for _ in range(3):
            assert ask(running, directive(words=3)).status_code == 200
        written(running, 3)
        with ThreadPoolExecutor(2) as threads:
            late = [threads.submit(ask, running, directive(words=200, pause=0.01)) for _ in range(2)]
            api.api.wait_until_blocking(lambda: api.api.arrived >= 4, 20)
            os.kill(running.process.pid, signal.SIGKILL)
            running.process.wait(20)
            for each in late:
                with contextlib.suppress(httpx2.HTTPError):
                    each.result()
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]
    assert count(home) == 3
    with scripted() as api, running_proxy(home, api=api) as again:
        assert ask(again, directive(words=3)).status_code == 200
        written(again, 4)
        # Written at the latest when the server ends.
        assert ask(again, directive(words=3)).status_code == 200
    assert count(home) == 5


def test_two_servers_write_to_one_ledger(home: Path) -> None:
    workers = ("--workers", "1")
    with (
        scripted() as api,
        running_proxy(home, *workers, api=api) as one,
        running_proxy(home, *workers, api=api) as two,
    ):
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda each: ask(each, directive(words=3)), [one, two] * 8))
        assert {answer.status_code for answer in answers} == {200}
        written(one, 16)
    assert count(home) == 16
    assert rows(home, "SELECT sum(requests) FROM spans") == [(16,)]


def test_a_full_disk_costs_one_line_and_no_request(home: Path) -> None:
    # The limit is on the size of every file that the server writes; its log is a pipe.
    limit = limited("FSIZE", 24 * 1024, 24 * 1024)
    with scripted() as api, running_proxy(home, api=api, through=limit) as own:
        for _ in range(3):
            assert ask(own, directive(words=3)).status_code == 200
        own.wait_for("the ledger is not written")
        assert ask(own, directive(words=3)).status_code == 200
    assert sum("the ledger is not written" in line for line in own.log) == 1


@pytest.mark.parametrize("spoilt", ["not a database at all" * 100, None])
def test_a_broken_file_costs_one_line_and_no_request(home: Path, spoilt: str | None) -> None:
    (home / FILE).parent.mkdir(parents=True)
    if spoilt is None:
        (home / FILE).mkdir()
    else:
        (home / FILE).write_text(spoilt)
    with scripted() as api, running_proxy(home, api=api) as own:
        assert ask(own, directive(words=3)).status_code == 200
        own.wait_for("the ledger is not written")
        assert ask(own, directive(words=3)).status_code == 200
    assert sum("the ledger is not written" in line for line in own.log) == 1


def test_a_client_that_leaves_is_accounted_for(proxy: RunningProxy, marker: str) -> None:
    body = {
        "model": "sonnet",
        "stream": True,
        "messages": [{"role": "user", "content": directive(words=500, pause=0.02)}],
    }
    with proxy.http.stream("POST", CHAT, json=body, headers={"user-agent": f"{marker}/1"}) as answer:
        next(answer.iter_lines())
    query = f"SELECT status, calls, input, first_ms FROM requests WHERE client = '{marker}'"
    [(status, calls, tokens, first)] = eventually(lambda: rows(proxy.home, query) if count(proxy.home) else None, 20)
    assert (status, calls) == (200, 1)
    assert tokens > 0
    assert first > 0


def test_nothing_is_kept_where_that_is_off(home: Path) -> None:
    environ = {"CLAUDE_MAX_LEDGER_KEEP_DAYS": "0"}
    with scripted() as api, running_proxy(home, api=api, environ=environ) as own:
        assert ask(own, directive(words=3)).status_code == 200
    assert not (home / FILE).exists()
