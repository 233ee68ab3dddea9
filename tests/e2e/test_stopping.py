"""How the server ends, asked to or not: no process, no session file and no folder is left, at whatever moment."""

import json
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psutil
import pytest
from harness.asking import TOOL, ask, directive, fine
from harness.command import claude_max
from harness.filtered_cli import filtered, vouched
from harness.forked import start
from harness.machine import eventually
from harness.proxy import RunningProxy, home_environment, running_proxy, scripted, sessions, workers_of
from harness.short_waits import SHORT_WAITS


@pytest.mark.xdist_group("timing")
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopping_under_load(home: Path, sign: signal.Signals) -> None:
    """Short answers end well, long ones with an error event; every process and session file is gone within 6 s."""
    with scripted() as api, running_proxy(home, "--drain-timeout", "1.5", "--workers", "2", api=api) as proxy:
        claudes: list[psutil.Process] = []

        def stream(words: int) -> str:
            body = {
                "model": "sonnet",
                "stream": True,
                "messages": [{"role": "user", "content": f"{words}\n{directive(words=words, pause=0.1)}"}],
            }
            with httpx2.stream("POST", f"{proxy.url}/v1/chat/completions", json=body, timeout=30) as answer:
                return "".join(answer.iter_text())

        with ThreadPoolExecutor() as pool:
            short, long = pool.submit(stream, 8), pool.submit(stream, 300)
            api.wait_until(lambda: api.api.arrived >= 2, 10)
            claudes = proxy.claudes()
            begun = time.monotonic()
            proxy.process.send_signal(sign)
            assert short.result(10).rstrip().endswith("[DONE]")
            ended = long.result(10)
        proxy.process.wait(10)
        took = time.monotonic() - begun
    last = json.loads(ended.rstrip().rpartition("data: ")[2])
    assert last["error"]["code"] == "shutting_down"
    assert proxy.process.returncode == 0, "a stop that was asked for is no failure"
    assert took < 6
    assert claudes
    assert not [process for process in claudes if process.is_running()]
    assert sessions(home) == []


def test_clients_that_neither_send_nor_read_do_not_keep_it(home: Path) -> None:
    """Half a request, and an answer that nobody reads: both are cut off, which is no failure of the server's."""
    with scripted() as api, running_proxy(home, "--drain-timeout", "1", api=api) as proxy:
        url = httpx2.URL(proxy.url)
        messages = [{"role": "user", "content": directive(words=60_000)}]
        body = {"model": "sonnet", "stream": True, "messages": messages}
        content = json.dumps(body).encode()
        with socket.create_connection((url.host, url.port)) as half, httpx2.Client() as client:
            half.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 5000\r\n\r\n{"
            )
            headers = {"content-type": "application/json"}
            address = f"{proxy.url}/v1/chat/completions"
            with client.stream("POST", address, content=content, headers=headers, timeout=30) as unread:
                assert unread.status_code == 200
                proxy.process.send_signal(signal.SIGTERM)
                assert proxy.process.wait(15) == 0
        log = "".join(proxy.log)
    assert "Traceback" not in log
    assert "ASGI" not in log


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait(home: Path, marker: str, sign: signal.Signals) -> None:
    """Nor does anything stay: no process, no session file, no traceback."""
    with (
        scripted() as api,
        running_proxy(home, "--drain-timeout", "60", api=api) as proxy,
        ThreadPoolExecutor() as pool,
    ):
        asked = pool.submit(ask, proxy, f"{marker}\n{directive(first_byte=300)}")
        api.wait_until(lambda: bool(proxy.bodies(marker)), 10)
        claudes = proxy.claudes()
        proxy.process.send_signal(sign)
        proxy.wait_for("answers in flight")
        proxy.process.send_signal(sign)
        assert asked.result(10).json()["error"]["code"] == "shutting_down"
        assert proxy.process.wait(15) == 0
        assert not [process for process in claudes if process.is_running()]
        log = "".join(proxy.log)
    assert "Traceback" not in log
    assert sessions(home) == []


@pytest.mark.parametrize(
    ("sign", "times"),
    [(signal.SIGTERM, 1), (signal.SIGTERM, 3), (signal.SIGINT, 1), (signal.SIGHUP, 1), (signal.SIGHUP, 3)],
)
def test_a_signal_during_the_start(tmp_path: Path, home: Path, sign: signal.Signals, times: int) -> None:
    """While the CLI is still examined: the examination's processes and folder go too."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(temporary)}
    begun = start(
        ["serve", "--demo", "--port", "0"], {**home_environment(home), **environ}, cwd=tmp_path, stderr=subprocess.PIPE
    )
    # To the very moment: a process that was begun just now goes, too.
    eventually(lambda: workers_of(begun.pid), 20)
    started = psutil.Process(begun.pid).children(recursive=True)
    for _ in range(times):
        begun.send_signal(sign)
        time.sleep(0.05)  # so that it is another signal
    code = begun.wait(20)
    assert begun.stderr is not None
    with begun.stderr:
        assert (code, begun.stderr.read()) == (0, b"")
    assert started
    assert not [process for process in started if process.is_running()]
    assert list(temporary.glob("claude-max-*")) == []


def test_a_question_that_hangs_ends_with_the_server(tmp_path: Path, home: Path) -> None:
    """`claude auth status`, asked beside the requests once what the processes said is old, is ended as they are."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program = filtered(tmp_path, hang=["auth", "status"])
    environ, arguments = {**vouched(program), "TMPDIR": str(temporary)}, ("--claude-path", str(program))
    with scripted() as api, running_proxy(home, *arguments, api=api, environ=environ, through=SHORT_WAITS) as proxy:
        assert fine(proxy)

        def asked() -> list[psutil.Process]:
            assert proxy.http.get("/health").json()["signed_in"] is True
            children = psutil.Process(proxy.process.pid).children(recursive=True)
            return [process for process in children if process.cmdline()[-2:] == ["auth", "status"]]

        eventually(asked, 10)
        children = psutil.Process(proxy.process.pid).children(recursive=True)
        proxy.process.terminate()
        assert proxy.process.wait(10) == 0
    assert not [process for process in children if process.is_running()]
    assert list(temporary.glob("claude-max-*")) == []


@pytest.mark.parametrize("doing", ["nothing", "answering", "waiting for a silent model", "parked in a call", "stopped"])
def test_a_server_that_is_killed_leaves_nothing(small: RunningProxy, marker: str, doing: str) -> None:
    """Its workers notice, whatever they are at, and the shell that ends them goes too."""
    assert small.api is not None
    assert fine(small)
    replies = {
        "answering": directive(words=5000, pause=0.1),
        "waiting for a silent model": directive(first_byte=500),
    }
    long = replies.get(doing)
    with ThreadPoolExecutor() as pool:
        if doing == "parked in a call":
            call = directive(call={"name": "look", "input": {}})
            assert ask(small, call, tools=[TOOL]).status_code == 200
        elif long is not None:
            asked = pool.submit(ask, small, f"{marker}\n{long}")
            small.api.wait_until(lambda: bool(small.bodies(marker)), 10)
        if doing == "stopped":
            for process in small.claudes():
                process.suspend()
        claudes, left = small.claudes(), psutil.Process(small.process.pid).children(recursive=True)
        small.process.kill()
        _, alive = psutil.wait_procs(left, 10)
        if long is not None:
            assert isinstance(asked.exception(10), httpx2.RemoteProtocolError)
    assert claudes
    assert not alive
    assert sessions(small.home) == []


def test_a_second_server_on_the_same_port(proxy: RunningProxy) -> None:
    port = proxy.url.rpartition(":")[2]
    done = claude_max(proxy.home, "serve", "--port", port, seconds=30)
    assert done.code == 5
    assert done.err.count("\n") == 1
    assert port in done.err
    assert fine(proxy)
