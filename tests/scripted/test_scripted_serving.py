"""Clients that leave, and the server's start and stop."""

import asyncio
import signal
import time
from typing import Any

import httpx2
import pytest
from harness.scripted_bodies import directed

from claude_max.proxy.scripted import Failure, Reply, ScriptedAPI, TextBlock, scripted_in_thread, serve_scripted

SLOW = 3600.0  # seconds; nothing here may wait for it


async def until_aborted(api: ScriptedAPI, url: str, directive: dict[str, Any], *, read: bool) -> None:
    """Ask, and go away: before the response began, or (`read`) in the middle of it."""
    async with httpx2.AsyncClient() as client:

        async def ask() -> None:
            async with client.stream("POST", f"{url}/v1/messages", json=directed(directive, stream=True)) as response:
                async for _ in response.aiter_raw():
                    heard.set()

        heard = asyncio.Event()
        asking = asyncio.create_task(ask())
        await (heard.wait() if read else api.wait_for(1, timeout=5))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await api.wait_until(lambda: api.requests[0].aborted, timeout=5)
    assert not api.requests[0].finished


@pytest.mark.parametrize(
    ("directive", "read"), [({"words": 9, "pause": SLOW}, True), ({"text": "x", "first_byte": SLOW}, False)]
)
async def test_a_client_that_leaves_is_noticed(directive: dict[str, Any], *, read: bool) -> None:
    api = ScriptedAPI()
    async with serve_scripted(api) as url:
        await until_aborted(api, url, directive, read=read)


async def test_it_stops_at_once_with_streams_open_and_leaves_the_signals_alone() -> None:
    api = ScriptedAPI(lambda _body, _number: Reply((TextBlock("a b"),), pause=SLOW))
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with httpx2.AsyncClient() as client:
        async with serve_scripted(api) as url:
            assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
            request = client.build_request("POST", f"{url}/v1/messages", json=directed(stream=True))
            response = await client.send(request, stream=True)
            reading = response.aiter_raw()
            await anext(reading)
            began = time.perf_counter()
        took = time.perf_counter() - began
        with pytest.raises(httpx2.RemoteProtocolError):
            _ = [part async for part in reading]
    # Above a tenth of a second uvicorn would be waiting out its grace for the open stream.
    assert took < 1
    assert not api.requests[0].finished
    assert not api.requests[0].aborted


def test_a_taken_port_is_an_error() -> None:
    with scripted_in_thread(ScriptedAPI()) as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), scripted_in_thread(ScriptedAPI(), port=port):
            pass


def test_the_answer_can_be_any_function() -> None:
    api = ScriptedAPI(lambda asked, number: Failure(403, "permission_error", f"{asked['model']} {number}"))
    with scripted_in_thread(api) as running:
        httpx2.post(f"{running.url}/v1/messages", json=directed())
        assert httpx2.post(f"{running.url}/v1/messages", json=directed()).json()["error"] == {
            "type": "permission_error",
            "message": "haiku 2",
        }


def test_a_kept_connection_does_not_wait_for_acknowledgements() -> None:
    """Without TCP_NODELAY each request on a kept connection takes 44 ms, with it 2."""
    took = []
    with scripted_in_thread(ScriptedAPI()) as running, httpx2.Client() as client:
        for _ in range(9):
            began = time.perf_counter()
            client.post(f"{running.url}/v1/messages", json=directed(stream=True))
            took.append(time.perf_counter() - began)
    assert sorted(took)[4] < 0.025
