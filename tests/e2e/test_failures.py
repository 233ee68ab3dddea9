"""Every failure keeps its meaning, through the real CLI: the status, the code, the words, and when to try again."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from harness.asking import ask, directive
from harness.openai_schema import check_error
from harness.proxy import OwnProxy, RunningProxy, running_proxy
from harness.upstream import assistant, expected, seen, user


@pytest.fixture(scope="module")
def hasty(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy that waits one second for a silent model, and writes to a client that waits every 50 ms."""
    return own_proxy("--timeout", "1", environ={"CLAUDE_MAX_KEEPALIVE_INTERVAL": "0.05"})


CASES: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "overloaded": ({"status": 529}, 503, "overloaded", "overloaded"),
    "server error": ({"status": 500}, 502, "upstream_error", "500"),
    "not signed in": ({"status": 401}, 401, "not_signed_in", "claude auth login"),
    "revoked": ({"status": 403, "message": "OAuth token has been revoked."}, 401, "not_signed_in", "log in again"),
    "not allowed": ({"status": 403, "message": "Not for you."}, 403, "permission_denied", "Not for you."),
    "no such model": ({"status": 404}, 404, "model_not_found", "model"),
    "refused": ({"status": 400, "message": "odd field"}, 400, "invalid_value", "odd field"),
    "too large": ({"status": 413}, 413, "request_too_large", "too large"),
    "too long": (
        {"status": 400, "message": "prompt is too long: 250000 tokens > 200000 maximum"},
        400,
        "context_length_exceeded",
        "context window",
    ),
    "billed apart": (
        {"status": 400, "message": "Third-party apps now draw from your extra usage."},
        402,
        "extra_usage_required",
        "Third-party apps now draw from your extra usage.",
    ),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_failure_before_the_answer_has_its_own_status(proxy: RunningProxy, name: str, stream: bool) -> None:
    reply, status, code, words = CASES[name]
    answer = ask(proxy, directive(**reply), stream=stream)
    assert answer.status_code == status
    check_error(answer.json())
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.json()["error"]["code"] == code
    assert words in answer.json()["error"]["message"]
    assert answer.headers["x-request-id"]
    assert answer.headers.get("x-should-retry") == ("false" if status in (401, 402, 403) else None)


def test_a_conversation_beyond_the_context_window(proxy: RunningProxy, marker: str) -> None:
    """The service says so, not the CLI, which has a count of its own."""
    too_long = directive(status=400, kind="invalid_request_error", message="prompt is too long: 1000001 tokens")
    answer = ask(proxy, f"{marker}{' word' * 1_000_000}\n{too_long}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert answer.json()["error"]["param"] == "messages"
    assert proxy.bodies(marker)


@pytest.mark.parametrize(("window", "words"), [("five_hour", "five-hour limit"), ("seven_day", "weekly limit")])
def test_a_rate_limit_tells_which_window_and_when(proxy: RunningProxy, window: str, words: str) -> None:
    resets = int(time.time()) + 7200
    answer = ask(proxy, directive(status=429, reset=resets, claim=window))
    assert answer.status_code == 429
    assert words in answer.json()["error"]["message"]
    assert time.strftime("%Y-%m-%d %H:%M UTC", time.localtime(resets)) in answer.json()["error"]["message"]
    assert 7100 < int(answer.headers["retry-after"]) <= 7200
    assert answer.headers["x-should-retry"] == "false"


def test_a_short_rate_limit_may_be_retried(proxy: RunningProxy) -> None:
    answer = ask(proxy, directive(status=429, reset=int(time.time()) + 20, claim="five_hour"))
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    assert "x-should-retry" not in answer.headers


@pytest.mark.xdist_group("timing")
def test_errors_are_fast(proxy: RunningProxy) -> None:
    """The CLI's own default is to retry a rate limit for more than a minute; a bound, not a benchmark."""
    begun = time.monotonic()
    assert ask(proxy, directive(status=429)).status_code == 429
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("reply", [{"cut_after": 4}, {"error_after": 4, "error": {"kind": "overloaded_error"}}])
def test_a_failure_in_the_middle_is_an_error_event(proxy: RunningProxy, reply: dict[str, Any]) -> None:
    seen = ""
    stream = proxy.client.chat.completions.create(
        model="sonnet", stream=True, messages=[{"role": "user", "content": directive(words=10, **reply)}]
    )
    with pytest.raises(openai.APIError) as failure:
        for chunk in stream:
            seen += chunk.choices[0].delta.content or ""
    assert seen == "word1 word2 word3 word4"
    assert failure.value.type == "server_error"


@pytest.mark.parametrize("said", [{"words": 10}, {"words": 10, "thinking": "Hm."}])
def test_a_failure_in_the_middle_of_a_whole_answer_is_no_answer(proxy: RunningProxy, said: dict[str, Any]) -> None:
    answer = ask(proxy, directive(**said, cut_after=4))
    assert answer.status_code == 502
    assert "word1" not in answer.text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", [{"cut_after": 4}, {"error_after": 4, "error": {"kind": "overloaded_error"}}])
def test_a_failure_behind_a_whole_block(proxy: RunningProxy, marker: str, reply: dict[str, Any], stream: bool) -> None:
    """The CLI keeps the cause to itself there, and asks the model to resume: in vain, its address is taken away."""
    said = {"thinking": "Let me see.", "words": 10, "event_pause": 0.03}
    answer = ask(proxy, f"{marker}\n{directive(**said, **reply)}", stream=stream)
    assert answer.status_code == (200 if stream else 502)
    assert "The service's answer broke off" in answer.text
    assert len(proxy.bodies(marker)) == 1


def test_a_silent_model_is_a_timeout(hasty: RunningProxy) -> None:
    answer = ask(hasty, directive(words=3, first_byte=30))
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
    assert ask(hasty, directive(text="fine")).json()["choices"][0]["message"]["content"] == "fine"


def test_a_model_that_falls_silent_in_the_middle_is_a_timeout(hasty: RunningProxy) -> None:
    """Nor is what it said before that passed off as an answer."""
    reply = directive(words=3, pause=30)
    answer = ask(hasty, reply)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
    streamed = ask(hasty, reply, stream=True)
    assert streamed.status_code == 200
    assert json.loads(streamed.text.strip().rpartition("data: ")[2])["error"]["code"] == "timeout"


def test_a_slow_first_token_is_waited_for(hasty: RunningProxy) -> None:
    answer = ask(hasty, directive(text="slow", first_byte=0.6))
    assert answer.json()["choices"][0]["message"]["content"] == "slow"


@pytest.mark.parametrize(("upstream", "status"), [(429, 429), (500, 502), (529, 503), (401, 401)])
def test_a_conversation_goes_on_after_a_failure(proxy: RunningProxy, marker: str, upstream: int, status: int) -> None:
    """The turn that failed is asked again, and the model sees the conversation without a trace of the failure."""
    said: list[Any] = [{"role": "user", "content": f"{marker}\n{directive(text='one')}"}]
    body = {"model": "sonnet", "messages": said}
    said.append(proxy.http.post("/v1/chat/completions", json=body).json()["choices"][0]["message"])
    failing = {"role": "user", "content": directive(status=upstream)}
    assert proxy.http.post("/v1/chat/completions", json={**body, "messages": [*said, failing]}).status_code == status
    said.append({"role": "user", "content": directive(text="two")})
    answer = proxy.http.post("/v1/chat/completions", json=body)
    assert answer.json()["choices"][0]["message"]["content"] == "two"
    wanted = expected(user(said[0]["content"]), assistant("one"), user(directive(text="two")))
    assert seen(proxy.bodies(marker)[-1]) == wanted


def test_a_silent_stream_is_kept_open(hasty: RunningProxy) -> None:
    lines = ask(hasty, directive(silence=0.7), stream=True).text.split("\n")
    assert lines.count(": keep-alive") >= 2
    assert lines[-3:] == ["data: [DONE]", "", ""]


LEFT: dict[str, dict[str, Any]] = {
    "status": {"first_byte": 30},
    "text": {"words": 200, "pause": 0.2},
    "much text": {"words": 20_000, "pause": 0.001},
}


@pytest.mark.parametrize("extra", [b"", b"\r\n", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"])
@pytest.mark.parametrize("after", LEFT)
def test_a_client_that_goes_away_ends_its_turn_upstream(
    proxy: RunningProxy, marker: str, after: str, extra: bytes
) -> None:
    """However fast the answer comes, and also where something was sent behind the request."""
    body = {
        "model": "sonnet",
        "stream": True,
        "messages": [{"role": "user", "content": f"{marker}\n{directive(**LEFT[after])}"}],
    }
    assert proxy.api is not None
    exchanges = proxy.api.api.messages

    def ours() -> list[Any]:
        return [exchange for exchange in exchanges() if marker in str(exchange.body)]

    host, _, port = proxy.url.removeprefix("http://").partition(":")
    content = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        if after == "status":
            proxy.api.wait_until(lambda: bool(ours()), 10)
        else:
            received = b""
            while b"word1" not in received:
                received += connection.recv(4096)
        connection.sendall(extra)
        time.sleep(0.2)  # so that it is read before the end is
    proxy.api.wait_until(lambda: bool(ours()) and all(exchange.aborted for exchange in ours()), 10)
    assert ask(proxy, directive(text="next")).json()["choices"][0]["message"]["content"] == "next"


def test_signed_out_is_said_at_once(home: Path) -> None:
    environ = {"CLAUDE_CODE_OAUTH_TOKEN": ""}
    with running_proxy(home, environ=environ, ready=False) as proxy:
        answer = ask(proxy, "hello")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
        assert "claude auth login" in answer.json()["error"]["message"]
        assert answer.headers["x-should-retry"] == "false"
        health = proxy.http.get("/health").json()
        assert (health["status"], health["ready"], health["signed_in"]) == ("not_signed_in", False, False)
