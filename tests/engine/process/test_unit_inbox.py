"""Lines in order, a limit for each wait, and one timer for many of them."""

import asyncio

import pytest

from claude_max.proxy.engine.process.inbox import Inbox


async def test_lines_come_in_their_order_and_the_end_stays() -> None:
    inbox = Inbox()
    for line in ({"n": 1}, {"n": 2}, None):
        inbox.put(line)
    assert [await inbox.get(0) for _ in range(5)] == [{"n": 1}, {"n": 2}, None, None, None]
    assert not inbox.empty


async def test_a_line_that_is_waited_for() -> None:
    inbox = Inbox()
    asyncio.get_running_loop().call_later(0.01, inbox.put, {"n": 1})
    assert await inbox.get(10) == {"n": 1}
    assert inbox.empty


async def test_a_wait_ends_in_time_whatever_the_one_before_it_was_given() -> None:
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    for seconds in (0.02, 0.01, 0.03):
        # A longer wait before it leaves its timer.
        loop.call_soon(inbox.put, {})
        await inbox.get(60)
        begun = loop.time()
        with pytest.raises(TimeoutError):
            await inbox.get(seconds)
        assert loop.time() - begun >= seconds * 0.9


async def test_many_lines_share_one_timer() -> None:
    inbox, loop = Inbox(), asyncio.get_running_loop()
    set_timers = []
    call_at = loop.call_at
    loop.call_at = lambda *given, **more: set_timers.append(given) or call_at(*given, **more)  # type: ignore
    for number in range(1000):
        loop.call_soon(inbox.put, {"n": number})
        assert await inbox.get(300) == {"n": number}
    assert len(set_timers) == 1
    inbox.close()


async def test_a_cancelled_wait_loses_no_line() -> None:
    inbox = Inbox()
    waiting = asyncio.ensure_future(inbox.get(60))
    await asyncio.sleep(0)
    inbox.put({"n": 1})
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await inbox.get(0) == {"n": 1}


async def test_a_timer_that_fires_while_nobody_waits_does_nothing() -> None:
    inbox = Inbox()
    asyncio.get_running_loop().call_soon(inbox.put, {})
    await inbox.get(0.005)
    await asyncio.sleep(0.02)
    inbox.put({"n": 1})
    assert await inbox.get(0) == {"n": 1}
