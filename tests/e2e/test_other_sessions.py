"""Another real Claude Code session of the same user writes to a worker: nothing of it comes in."""

import threading
from functools import partial
from typing import Any

import anyio
import pytest
from harness.asking import ask, directive
from harness.proxy import RunningProxy, home_environment

from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.probe.other_session import send_message, socket_of
from claude_max.proxy.engine.process.channel import Timeouts
from claude_max.proxy.engine.wire.command import environment


def say(proxy: RunningProxy, text: str) -> None:
    """To every worker of the proxy, from a session of its own with the same home."""
    assert proxy.api is not None
    environ = environment({**home_environment(proxy.home), "ANTHROPIC_BASE_URL": proxy.api.url})
    program = locate(None, environ).path
    for worker in proxy.claudes():
        socket = socket_of(proxy.home / ".claude" / "sessions", worker.pid)
        assert socket is not None, "a worker that registers as no peer cannot be written to"
        anyio.run(partial(send_message, program, environ, proxy.home, socket, text, Timeouts()))


def reached(proxy: RunningProxy, text: str) -> list[Any]:
    """The requests of workers that hold the text; the sender's own have its tool."""
    return [body for body in proxy.bodies(text) if not body.get("tools")]


def test_an_idle_worker(proxy: RunningProxy, marker: str) -> None:
    before = {worker.pid for worker in proxy.claudes()}
    say(proxy, f"{marker} peer")
    assert proxy.bodies(f"{marker} peer"), "the sender asked the service"
    assert ask(proxy, directive(text="next")).json()["choices"][0]["message"]["content"] == "next"
    assert reached(proxy, f"{marker} peer") == []
    assert before <= {worker.pid for worker in proxy.claudes()}, "no worker was lost"


@pytest.mark.parametrize("words", [30])
def test_a_busy_worker(proxy: RunningProxy, marker: str, words: int) -> None:
    answers: list[str] = []

    def busy() -> None:
        answer = ask(proxy, f"{marker}\n{directive(words=words, pause=0.1)}")
        answers.append(answer.json()["choices"][0]["message"]["content"])

    asking = threading.Thread(target=busy)
    asking.start()
    assert proxy.api is not None
    proxy.api.wait_until(lambda: bool(proxy.bodies(marker)), 10)
    say(proxy, f"{marker[::-1]} peer")
    asking.join(60)
    assert answers[0].split() == [f"word{number}" for number in range(1, words + 1)]
    assert ask(proxy, directive(text="next")).json()["choices"][0]["message"]["content"] == "next"
    assert reached(proxy, f"{marker[::-1]} peer") == []
