"""How many requests reach the service for one of a client's: one, where there is a clean way to it."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from harness.asking import ask, directive
from harness.machine import eventually
from harness.proxy import RunningProxy


def calls(proxy: RunningProxy, marker: str) -> int:
    """The requests, once nothing is on its way."""
    assert ask(proxy, directive(text="fine")).status_code == 200
    return len(proxy.bodies(marker))


LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
# The scripted model sends its last events with pauses, as a real one does. In a burst one more request may begin.
PACE = {"event_pause": 0.03}
ENDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an answer": ({"text": "fine"}, {}),
    "a stop sequence": ({"text": "one END two"}, {"stop": "END"}),
    "max_tokens": ({"words": 20}, {"max_tokens": 5}),
    "the context window": ({"text": "half", "stop_reason": "model_context_window_exceeded"}, {}),
    "a refusal": ({"text": "no", "stop_reason": "refusal"}, {}),
    "a pause": ({"text": "wait", "stop_reason": "pause_turn"}, {}),
    "an empty answer": ({"text": ""}, {}),
    "a call": ({"call": {"name": "look", "input": {}}}, {"tools": [LOOK]}),
    "a call of a tool that is not there": ({"call": {"name": "nowhere", "input": {}}}, {"tools": [LOOK]}),
    "two calls with unreadable arguments": ({"call": [{"name": "look", "input": "{"}] * 2}, {"tools": [LOOK]}),
}


@pytest.mark.parametrize("end", ENDS)
def test_one_call_however_the_answer_ends(proxy: RunningProxy, marker: str, end: str) -> None:
    reply, fields = ENDS[end]
    answer = ask(proxy, f"{marker}\n{directive(**reply, **PACE)}", **fields)
    assert answer.status_code == 200, answer.text
    assert calls(proxy, marker) == 1


# What the CLI itself sends again, with retries off: a refused request without betas, and one with a login read anew.
REFUSED = {400: 3, 401: 2, 403: 1, 404: 2, 413: 1, 429: 1}


@pytest.mark.parametrize("status", REFUSED)
def test_what_the_cli_sends_again(proxy: RunningProxy, marker: str, status: int) -> None:
    answer = ask(proxy, f"{marker}\n{directive(status=status, message='no')}")
    assert answer.status_code == status
    assert calls(proxy, marker) <= REFUSED[status]


def test_a_client_that_leaves(proxy: RunningProxy, marker: str) -> None:
    def leave() -> None:
        with proxy.http.stream(
            "POST",
            "/v1/chat/completions",
            json={
                "model": "sonnet",
                "stream": True,
                "messages": [{"role": "user", "content": f"{marker}\n{directive(words=500, pause=0.05)}"}],
            },
        ) as answer:
            for line in answer.iter_lines():
                if "word2" in line:
                    break

    threading.Thread(target=leave).start()
    assert proxy.api is not None
    api = proxy.api.api
    eventually(lambda: any(marker in str(each.body) and each.aborted for each in api.messages()), 20)
    assert calls(proxy, marker) == 1


BRIEF: dict[str, dict[str, Any]] = {
    "a connection dropped before its answer": {"drop": "before_headers"},
    "a connection dropped within its answer": {"drop": "after_headers"},
    "500": {"status": 500},
    "529": {"status": 529},
}


@pytest.mark.parametrize("fault", BRIEF)
def test_a_brief_fault_is_not_the_clients(proxy: RunningProxy, marker: str, fault: str) -> None:
    begun = time.monotonic()
    answer = ask(proxy, f"{marker}\n{directive(text='fine', once=BRIEF[fault])}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "fine"
    assert calls(proxy, marker) == 2
    assert time.monotonic() - begun < 20
    assert any("asking once more" in line for line in proxy.log)


@pytest.mark.parametrize(("status", "count"), [(500, 2), (529, 2)])
def test_a_lasting_fault_is_told_after_one_retry(proxy: RunningProxy, marker: str, status: int, count: int) -> None:
    assert ask(proxy, f"{marker}\n{directive(status=status)}").status_code in (502, 503)
    assert calls(proxy, marker) == count


def test_nothing_is_asked_again_once_an_event_came(proxy: RunningProxy, marker: str) -> None:
    answer = ask(proxy, f"{marker}\n{directive(words=10, cut_after=4)}")
    assert answer.status_code == 502
    assert calls(proxy, marker) == 1


# How many of the mixed run; CLAUDE_MAX_MIXED=500 for the long form.
MIXED = int(os.environ.get("CLAUDE_MAX_MIXED", "60"))
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
KINDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"text": "fine"}, {}),
    ({"words": 50}, {"stream": True}),
    ({"words": 20, **PACE}, {"max_tokens": 5}),
    ({"text": "one END two"}, {"stop": "END"}),
    ({"call": {"name": "look", "input": {}}}, {"tools": [LOOK]}),
    (
        {"text": '{"n": 1}'},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
    ),
    ({"thinking": "hm", "text": "so"}, {"reasoning_effort": "high"}),
    ({"text": "haiku"}, {"model": "haiku"}),
]


def test_one_call_a_request_in_a_mixed_run(proxy: RunningProxy, marker: str) -> None:
    def one(number: int) -> int:
        reply, fields = KINDS[number % len(KINDS)]
        return int(ask(proxy, f"{marker} {number}.\n{directive(**reply)}", **fields).status_code)

    with ThreadPoolExecutor(4) as together:
        assert set(together.map(one, range(MIXED))) == {200}
    assert calls(proxy, marker) == MIXED
