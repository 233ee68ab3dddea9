"""Connections as real clients handle them: half closed, kept idle, and with two lengths for one body."""

import contextlib
import http.client
import json
import socket
import time
from typing import Any

import pytest
from harness.asking import CHAT, directive
from harness.machine import eventually
from harness.proxy import RunningProxy

from claude_max.proxy.server import IDLE_SECONDS

pytestmark = pytest.mark.xdist_group("timing")


def connected(proxy: RunningProxy) -> socket.socket:
    host, _, port = proxy.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), 30)


def request(text: str, *headers: str, **fields: Any) -> bytes:
    content = json.dumps({"model": "sonnet", "messages": [{"role": "user", "content": text}], **fields}).encode()
    head = [f"POST {CHAT} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join([*head, f"Content-Length: {len(content)}", "", ""]).encode() + content


def everything(connection: socket.socket) -> bytes:
    found = b""
    while data := connection.recv(65536):
        found += data
    return found


@pytest.mark.parametrize("stream", [False, True])
def test_a_half_closed_client_gets_its_answer(proxy: RunningProxy, stream: bool) -> None:
    """`nc` and some scripts say with it that they ask nothing more."""
    with connected(proxy) as connection:
        connection.sendall(request(directive(text="whole", first_byte=0.5), stream=stream))
        connection.shutdown(socket.SHUT_WR)
        answer = everything(connection)
    assert b"HTTP/1.1 200 OK" in answer
    assert b"whole" in answer
    assert not stream or b"data: [DONE]" in answer


def test_a_client_that_is_gone_is_noticed_before_the_answer(proxy: RunningProxy, marker: str) -> None:
    before = len(proxy.log)
    with connected(proxy) as connection:
        connection.sendall(request(f"{marker}\n{directive(text='late', first_byte=60)}"))
        eventually(lambda: bool(proxy.bodies(marker)), 20)
    begun = time.monotonic()
    proxy.wait_for('"status": 499', before)
    assert time.monotonic() - begun < 20


def test_two_lengths_for_one_body(proxy: RunningProxy) -> None:
    """What follows on such a connection is not served: it may be a part of the body to somebody between."""
    content = json.dumps({"model": "sonnet", "messages": [{"role": "user", "content": "hi"}]}).encode()
    chunked = f"{len(content):x}\r\n".encode() + content + b"\r\n0\r\n\r\n"
    head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n"
    with connected(proxy) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunked)
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = everything(connection)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer.lower()


def test_an_idle_connection_stays_open(proxy: RunningProxy) -> None:
    """uvicorn's own five seconds cost Java's client its next request."""
    assert IDLE_SECONDS == 75
    host, _, port = proxy.url.removeprefix("http://").partition(":")
    with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=10)) as connection:
        connection.connect()
        first = connection.sock
        for seconds in (6, 0):
            connection.request("GET", "/health")
            assert connection.getresponse().read()
            time.sleep(seconds)  # what is tested
        assert connection.sock is first
