"""`claude-max serve`, `start` and `stop` as a person meets them at a terminal."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from harness.asking import directive
from harness.command import claude_max
from harness.forked import Process, installed, start
from harness.machine import eventually, free_port, open_umask
from harness.proxy import RunningProxy, home_environment, running_proxy, scripted, sessions
from harness.signal_itself import AFTER, SIGNAL_ITSELF
from harness.terminal import Terminal, shell

NOTHING: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
OURS = {"status": "ok", "provider": "claude-code-cli", "version": "0.0.9", "cli_version": "2.1.0"}
# Answers as a proxy would; as another user where it is told one.
STUB = """
import encodings.idna, http.server, json, os, sys
if len(sys.argv) > 2: os.setuid(int(sys.argv[2]))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({ours!r}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("up", flush=True)
server.serve_forever()
"""


@contextmanager
def stub(port: int, *user: str) -> Iterator[None]:
    words = [sys.executable, "-c", STUB.replace("{ours!r}", repr(OURS)), str(port), *user]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"up\n"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def serving(home: Path, *arguments: str, signed_in: bool = True) -> Iterator[tuple[Terminal, str]]:
    """A server at a terminal of 40 columns, once it said where it listens; what it said until then."""
    environ = home_environment(home)
    if not signed_in:
        del environ["CLAUDE_CODE_OAUTH_TOKEN"]
    with shell(environ, installed(), "serve", "--port", "0", *arguments, columns=40) as terminal:
        shown = terminal.see("OPENAI_API_KEY=anything")
        yield terminal, shown
        terminal.child.sendcontrol("c")
        assert terminal.leaves() == 0


def base_url(shown: str) -> str:
    """The line that a person copies."""
    return shown.partition("OPENAI_BASE_URL=")[2].split()[0]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Terminal, str, int]]:
    """A demo at a terminal, what it said, and another port that it listens on."""
    port = free_port()
    with serving(tmp_path_factory.mktemp("home"), "--demo", "--also-listen", str(port)) as (terminal, shown):
        yield terminal, shown, port


def test_the_banner_fits_40_columns_and_can_be_copied(demo: tuple[Terminal, str, int]) -> None:
    terminal, shown, _ = demo
    # A spinner before it is written over its own line.
    lines = [line.rpartition("\r")[2] for line in shown.replace("\r\n", "\n").split("\n")]
    [url] = [line.split("=")[1] for line in lines if line.startswith("export OPENAI_BASE_URL=")]
    assert httpx2.get(f"{url}/models", timeout=10).status_code == 200
    assert not [line for line in lines if "│" in line or "╭" in line]
    assert [line for line in lines if len(line) > 40 and not line.startswith("export ")] == []
    terminal.see("GET /v1/models")
    terminal.see("200")


def test_a_request_is_a_line_with_what_went_wrong(demo: tuple[Terminal, str, int]) -> None:
    terminal, shown, _ = demo
    terminal.child.setwinsize(24, 200)
    body = {"model": "sonnet", "seed": 1, "messages": [{"role": "user", "content": "hi"}]}
    with httpx2.Client(base_url=base_url(shown), timeout=30, headers={"user-agent": "Tester/1.0 (x)"}) as http:
        assert http.post("/chat/completions", json=body).status_code == 200
        terminal.see("Tester/1.0 chat")
        assert "claude-sonnet" in terminal.see("tokens")
        terminal.see("ignored: seed")
        assert http.post("/chat/completions", json={**body, "model": "gpt-9"}).status_code == 404
        terminal.see("404")
        terminal.see("model_not_found: The model 'gpt-9' does not exist here.")


def test_it_listens_on_another_port_too(demo: tuple[Terminal, str, int]) -> None:
    _, shown, port = demo
    for url in (base_url(shown), f"http://localhost:{port}/v1"):
        assert httpx2.get(f"{url}/models").status_code == 200


def test_nobody_signed_in_is_said_in_red_and_by_health(home: Path) -> None:
    with serving(home, signed_in=False) as (terminal, shown):
        url = base_url(shown).removesuffix("/v1")
        terminal.see("\x1b[31mClaude Code is not signed in:\r\nevery request will fail. Run\r\n`claude-max login`.")
        health = httpx2.get(f"{url}/health", timeout=10).json()
        assert (health["status"], health["signed_in"]) == ("not_signed_in", False)


def test_a_stream_that_fails_is_logged_as_failed(proxy: RunningProxy) -> None:
    said = directive(text="one two three", cut_after=2)
    body = {"model": "sonnet", "stream": True, "messages": [{"role": "user", "content": said}]}
    answer = proxy.http.post("/v1/chat/completions", json=body)
    assert "error" in answer.text

    def line() -> dict[str, object]:
        found = [json.loads(each) for each in proxy.log if answer.headers["x-request-id"] in each]
        return found[0] if found else {}

    assert eventually(line, 10)["error"]
    assert line()["status"] == 200


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """The exit code and the log of a server that was asked a little, and then stopped with Ctrl-C."""
    flags = ("--demo", "--log-content", "--log-format", "text")
    environ = {"CLAUDE_MAX_ALIASES": '{"gpt-4o": "sonett", "own": "claude-opus-4-8"}'}
    with running_proxy(tmp_path_factory.mktemp("home"), *flags, environ=environ) as proxy:
        proxy.wait_for("the alias ")
        proxy.http.get("/v1/models")
        messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "line one\nline two"}]
        proxy.http.post("/v1/chat/completions", json={"model": "sonnet", "messages": messages})
        proxy.wait_for("    line two")
        proxy.process.send_signal(signal.SIGINT)
        code = proxy.process.wait(20)
    return code, "".join(proxy.log)


def test_the_log_format_can_be_chosen(ended: tuple[int, str]) -> None:
    _, log = ended
    assert " GET /v1/models 200 " in log
    assert not [line for line in log.splitlines() if line.startswith("{")]


def test_a_logged_prompt_can_be_read(ended: tuple[int, str]) -> None:
    _, log = ended
    assert "  [system]\n    be brief\n  [user]\n    line one\n    line two\n" in log
    assert "Message(" not in log


def test_an_alias_that_leads_nowhere_is_told_once_the_cli_said_what_it_offers(ended: tuple[int, str]) -> None:
    _, log = ended
    assert "the alias gpt-4o points to 'sonett', which is not a model" in log
    assert log.count("the alias") == 1


def test_nothing_running_needs_no_word(ended: tuple[int, str]) -> None:
    code, log = ended
    assert code == 0
    assert "Stopping" not in log


def test_a_second_start_says_who_answers_there(home: Path) -> None:
    port = free_port()
    with stub(port):
        ended = claude_max(home, "serve", "--port", str(port))
    assert ended.code == 5
    assert f"claude-max 0.0.9 already answers at http://127.0.0.1:{port}." in ended.err
    assert f"`claude-max serve --port {port + 1}`" in ended.err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can start a program as another user")
def test_a_second_start_says_whose_it_is(home: Path) -> None:
    port = free_port()
    with stub(port, "65534"):
        ended = claude_max(home, "serve", "--port", str(port))
    assert ended.code == 5
    assert "(started by the user nobody)" in ended.err


def test_another_program_on_the_port_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = claude_max(home, "serve", "--port", str(port))
    assert ended.code == 5
    assert f"127.0.0.1:{port} cannot be used: it is in use by " in ended.err
    assert f"(pid {os.getpid()})" in ended.err


def test_a_drain_says_how_to_end_at_once(home: Path) -> None:
    with scripted() as api, running_proxy(home, "--drain-timeout", "60", "--log-format", "text", api=api) as proxy:
        said = directive(text="one two", pause=100.0)
        body = {"model": "sonnet", "stream": True, "messages": [{"role": "user", "content": said}]}
        with proxy.http.stream("POST", "/v1/chat/completions", json=body) as answer:
            assert answer.status_code == 200
            proxy.process.send_signal(signal.SIGINT)
            proxy.wait_for("Stopping: running answers get 60 s. Ctrl-C again ends them at once.")
            proxy.process.send_signal(signal.SIGINT)
            assert proxy.process.wait(20) == 0


def test_start_and_stop(home: Path, tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert "no server running" in claude_max(home, "stop", environ=environ).out
    with open_umask():
        started = claude_max(home, "start", "--json", "--demo", "--port", "0", environ=environ).json
    try:
        url = started["url"].removesuffix("/v1")
        assert httpx2.get(f"{url}/health", timeout=10).json()["scripted"] is True
        folder = Path(started["log"]).parent
        files = (folder, folder / "server.json", folder / "server.log")
        modes = {path.name: path.stat().st_mode & 0o777 for path in files}
        assert modes == {"claude-max": 0o700, "server.json": 0o600, "server.log": 0o600}
        again = claude_max(home, "start", "--demo", "--port", "0", environ=environ)
        assert (again.code, f"Process {started['pid']} is already running" in again.err) == (1, True)
    finally:
        stopped = claude_max(home, "stop", "--json", environ=environ)
    assert (stopped.code, stopped.json["pid"]) == (0, started["pid"])
    assert not psutil.pid_exists(started["pid"])
    assert claude_max(home, "stop", "--json", environ=environ).json["pid"] is None


def test_a_start_that_fails_says_why_and_how(home: Path, tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = claude_max(home, "start", "--port", str(taken.getsockname()[1]), environ=environ)
    assert ended.code == 5
    assert "cannot be used: it is in use by" in ended.err
    assert not list((tmp_path / "state").rglob("server.json"))


def test_stop_never_ends_another_program(home: Path, tmp_path: Path) -> None:
    """Its number was given to somebody else meanwhile."""
    record = tmp_path / "state/claude-max/server.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"pid": os.getpid(), "started": 1.0}))
    assert claude_max(home, "stop", environ={"XDG_STATE_HOME": str(tmp_path / "state")}).code == 0


# How far the start has come, and whether all modules were loaded before: those take the first half second, which is as
# long as the rest. Every 60 ms, with the two signals by turns, until after the first answer would be possible. With
# CLAUDE_MAX_EVERY_MOMENT every 20 ms with both, and all of it by the installed command, which takes two minutes.
MOMENTS = [(False, step * 0.02) for step in range(1, 27, 3)] + [(True, step * 0.02) for step in range(1, 36, 3)]
BY_TURNS = [(signal.SIGTERM, MOMENTS[::2]), (signal.SIGINT, MOMENTS[1::2])]
EVERY = [(sign, [(False, step * 0.02) for step in range(1, 60)]) for sign in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.parametrize(("sign", "moments"), EVERY if "CLAUDE_MAX_EVERY_MOMENT" in os.environ else BY_TURNS)
def test_a_signal_at_any_moment_of_the_start_leaves_nothing(
    home: Path, sign: signal.Signals, moments: list[tuple[bool, float]]
) -> None:
    """Messages of Python's own are not ours to prevent, before it has loaded anything of ours."""
    arguments, environ = ("serve", "--demo", "--port", "0"), home_environment(home)
    for is_loaded, moment in moments:
        process: Process
        if is_loaded:
            process = start(arguments, environ, stderr=subprocess.PIPE, **NOTHING)
        else:
            process = subprocess.Popen([installed(), *arguments], env=environ, stderr=subprocess.PIPE, **NOTHING)
        when = f"{moment:.2f} s after {'its modules were loaded' if is_loaded else 'its start'}"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(moment)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(sign)
        code = process.wait(30)
        assert process.stderr is not None
        with process.stderr as stderr:
            said = stderr.read().decode()
        own = "claude_max" in said or "site" not in said
        assert not (own and ("Traceback" in said or "Warning" in said)), f"{when}: {said}"
        assert code in (0, -sign, 128 + sign, 1), f"{when}: {code} {said}"
        assert psutil.wait_procs(children, 10)[1] == [], when
    assert sessions(home) == []


def stopped_by_itself(home: Path, at: str, sign: str) -> str:
    """Runs `serve --demo`, which signals itself and must then end in order. Returns its stderr."""
    process = start(
        ["serve", "--demo", "--port", "0"],
        home_environment(home),
        through=(*SIGNAL_ITSELF, at, sign),
        stderr=subprocess.PIPE,
        **NOTHING,
    )
    assert process.stderr is not None
    with process.stderr as stderr:
        assert process.wait(20) == 0
        return stderr.read().decode()


@pytest.mark.parametrize("sign", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_between_the_examination_and_the_server(home: Path, sign: str) -> None:
    """The server starts and ends in order: cancelled in its start, it would leave its pool to the end of the loop."""
    said = stopped_by_itself(home, "before the server", sign)
    assert said.splitlines()[-1].startswith("Demo: ")
    assert sessions(home) == []


@pytest.mark.parametrize("sign", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_whose_exception_python_drops(home: Path, sign: str) -> None:
    """One that comes in a callback, as when a lock of an import is given up: it was as if there had been none."""
    said = stopped_by_itself(home, "in a callback", sign)
    assert said.splitlines()[0] == AFTER
    assert "Exception ignored in" not in said
    assert "OPENAI_BASE_URL" not in said
    assert sessions(home) == []


def test_another_port_that_is_taken_is_named(home: Path) -> None:
    port = free_port()
    with stub(port):
        done = claude_max(home, "serve", "--port", "0", "--also-listen", str(port))
    assert done.code == 5
    assert f"leave out --also-listen {port}" in done.err


def test_it_is_not_its_own_upstream(home: Path) -> None:
    port = str(free_port())
    environ = {"ANTHROPIC_BASE_URL": f"http://localhost:{port}"}
    done = claude_max(home, "serve", "--port", port, environ=environ)
    assert done.code == 2
    assert done.err.strip().count("\n") == 0
    assert "ANTHROPIC_BASE_URL points to this server itself" in done.err
