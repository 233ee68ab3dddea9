"""Clients that are slow, say nothing, do not read, or come in crowds: others are served, and patience ends."""

import contextlib
import errno
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from harness.asking import CHAT, ask, directive, fine
from harness.openai_schema import check_error
from harness.proxy import OwnProxy, RunningProxy, running_proxy, scripted

# What is measured in seconds runs one after the other.
pytestmark = pytest.mark.xdist_group("timing")

# Bytes of an answer that the buffers of a connection do not take.
SIZE = 2_000_000


@pytest.fixture(scope="module")
def hasty(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy with one worker and little patience."""
    environ = {
        "CLAUDE_MAX_HEAD_TIMEOUT": "1",
        "CLAUDE_MAX_HEAD_LIMIT": "2000",
        "CLAUDE_MAX_BODY_TIMEOUT": "2",
        "CLAUDE_MAX_WRITE_TIMEOUT": "2",
        "CLAUDE_MAX_REQUESTS_LIMIT": "4",
    }
    return own_proxy("--workers", "1", environ=environ)


def address(proxy: RunningProxy) -> tuple[str, int]:
    host, _, port = proxy.url.removeprefix("http://").partition(":")
    return host, int(port)


def connected(proxy: RunningProxy) -> socket.socket:
    return socket.create_connection(address(proxy), 10)


def request(body: dict[str, Any]) -> tuple[bytes, bytes]:
    """Head and body of a chat request."""
    content = json.dumps(body).encode()
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    )
    return f"{head}\r\n\r\n".encode(), content


def said(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "sonnet", "messages": [{"role": "user", "content": text}], **fields}


@contextlib.contextmanager
def reader(proxy: RunningProxy, *, stream: bool) -> Iterator[socket.socket]:
    """A client with a small buffer and a long answer, of which it has read the first byte."""
    long = directive(text="y" * SIZE)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        connection.settimeout(10)
        connection.connect(address(proxy))
        connection.sendall(b"".join(request(said(long, stream=stream))))
        assert connection.recv(1) == b"H"
        yield connection


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_reads_a_byte_a_second_is_cut_off(hasty: RunningProxy, stream: bool) -> None:
    """Meanwhile the only worker serves others; the slow one's answer waits in the server."""
    with reader(hasty, stream=stream) as slow:
        seconds, cut = 0, False
        while not cut and seconds < 10:
            time.sleep(1)  # the fault itself
            seconds += 1
            assert len(slow.recv(1)) == 1
            assert fine(hasty)
            # Not by reading: what the kernel has received before the end is still read first.
            cut = slow.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
        assert cut
        assert seconds > 1


def test_a_client_that_reads_on_gets_everything(hasty: RunningProxy) -> None:
    """Twice as long as an unread answer is kept, with pauses, but reading."""
    with reader(hasty, stream=False) as pausing:
        received = 1
        for _ in range(6):
            time.sleep(0.7)  # the fault itself
            received += len(pausing.recv(200_000, socket.MSG_WAITALL))
        while received < SIZE:
            more = len(pausing.recv(200_000))
            assert more
            received += more


def test_200_idle_connections(hasty: RunningProxy) -> None:
    """Others are served beside them, and they are closed."""
    idle = [connected(hasty) for _ in range(200)]
    assert fine(hasty)
    for connection in idle:
        with connection:
            assert connection.recv(1) == b""


def test_a_body_that_dribbles(hasty: RunningProxy) -> None:
    """A byte now and then does not keep a request alive."""
    head, _ = request(said("hi"))
    with connected(hasty) as slow:
        slow.sendall(head + b"{")
        slow.settimeout(0.3)
        answer, begun = b"", time.monotonic()
        while not answer and time.monotonic() < begun + 20:
            with contextlib.suppress(TimeoutError):
                answer = slow.recv(4096)
            with contextlib.suppress(ConnectionError):
                slow.sendall(b" ")
        with contextlib.suppress(TimeoutError, ConnectionError):
            # Its head and its body may come apart.
            answer += slow.recv(4096)
        assert b" 408 " in answer.partition(b"\r\n")[0]
        assert b"body_timeout" in answer


def test_more_requests_than_may_be_in_flight(hasty: RunningProxy) -> None:
    """The next is refused before its body is read; whether the server lives can still be asked."""
    head, content = request(said("hi"))
    with contextlib.ExitStack() as opened:
        unfinished = [opened.enter_context(connected(hasty)) for _ in range(4)]
        for connection in unfinished:
            connection.sendall(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        refused = hasty.http.get("/v1/models")
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "server_busy"
        assert int(refused.headers["retry-after"]) >= 1
        assert hasty.http.get("/health").status_code == 200
        for connection in unfinished:
            connection.sendall(content)
        assert all(connection.recv(12) == b"HTTP/1.1 200" for connection in unfinished)
    assert fine(hasty)


def test_heads_that_dribble_or_never_come(hasty: RunningProxy) -> None:
    for sent in (b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: "):
        with connected(hasty) as connection:
            connection.sendall(sent)
            assert connection.recv(100) == b""
    with connected(hasty) as kept:
        # A connection that was used once must not dribble its second head either.
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += kept.recv(4096)
        assert b"200 OK" in received
        kept.sendall(b"GET /health HT")
        assert kept.recv(100) == b""
    long = hasty.http.get("/health", headers={"x-long": "y" * 3000})
    assert (long.status_code, long.json()["error"]["code"]) == (431, "request_head_too_large")
    assert hasty.http.get("/health", params={"q": "y" * 3000}).status_code == 431
    assert hasty.http.get("/health", headers=[("a", "")] * 450).status_code == 431


@pytest.mark.parametrize("host", ["evil.example", "localhost"])
def test_a_body_that_is_no_http(proxy: RunningProxy, host: str) -> None:
    """Of a request that waits for it, and of one that was answered already: one answer, an error in OpenAI's form."""
    with connected(proxy) as client:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        refused = client.recv(10_000) if host != "localhost" else b""
        client.sendall(b"no length\r\nat all\r\n")
        answer = refused
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(10_000):
                answer += part
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert head.split()[1] == ("400" if host == "localhost" else "403")
    assert answer.count(b"HTTP/1.1") == 1
    check_error(json.loads(body))
    assert fine(proxy)
    assert not [line for line in proxy.log if "Traceback" in line]


def test_more_requests_than_places(tmp_path: Path) -> None:
    """Two at work, two in the queue, the rest a 429 at once; those that got a place are answered.

    One request for more answers than that is one client, and is served.
    """
    environ = {"CLAUDE_MAX_QUEUE_SIZE": "2"}
    with scripted() as api, running_proxy(tmp_path, "--workers", "2", api=api, environ=environ) as proxy:
        with ThreadPoolExecutor(12) as pool:
            slow = directive(text="mine", silence=1)
            answers = list(pool.map(lambda n: ask(proxy, f"{n}\n{slow}"), range(12)))
        codes = [answer.status_code for answer in answers]
        assert sorted(codes) == [200] * 4 + [429] * 8
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["error"]["code"] == "server_busy"
        assert int(refused.headers["retry-after"]) >= 1
        several = ask(proxy, directive(text="one of nine"), n=9)
        assert [choice["message"]["content"] for choice in several.json()["choices"]] == ["one of nine"] * 9
