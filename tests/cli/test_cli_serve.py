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

import httpx2
import psutil
import pytest
from harness.asking import directive
from harness.command import claude_max
from harness.forked import installed
from harness.machine import eventually, free_port, open_umask
from harness.proxy import home_environment, running_proxy, scripted, sessions
from harness.terminal import Terminal, shell

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
def serving(home: Path, *arguments: str, columns: int = 80, signed_in: bool = True) -> Iterator[tuple[Terminal, str]]:
    """A server at a terminal, once it said where it listens; what it said until then."""
    environ = home_environment(home)
    if not signed_in:
        del environ["CLAUDE_CODE_OAUTH_TOKEN"]
    with shell(environ, installed(), "serve", "--port", "0", *arguments, columns=columns) as terminal:
        shown = terminal.see("OPENAI_API_KEY=anything")
        yield terminal, shown
        terminal.child.sendcontrol("c")
        assert terminal.leaves() == 0


def test_the_banner_fits_40_columns_and_can_be_copied(home: Path) -> None:
    with serving(home, "--demo", columns=40) as (terminal, shown):
        # A spinner before it is written over its own line.
        lines = [line.rpartition("\r")[2] for line in shown.replace("\r\n", "\n").split("\n")]
        [url] = [line.split("=")[1] for line in lines if line.startswith("export OPENAI_BASE_URL=")]
        assert httpx2.get(f"{url}/models", timeout=10).status_code == 200
        assert not [line for line in lines if "│" in line or "╭" in line]
        assert [line for line in lines if len(line) > 40 and not line.startswith("export ")] == []
        terminal.see("GET /v1/models")
        terminal.see("200")


def test_nobody_signed_in_is_said_in_red_and_by_health(home: Path) -> None:
    with serving(home, columns=40, signed_in=False) as (terminal, shown):
        url = shown.partition("OPENAI_BASE_URL=")[2].split()[0].removesuffix("/v1")
        terminal.see("\x1b[31mClaude Code is not signed in:\r\nevery request will fail. Run\r\n`claude-max login`.")
        health = httpx2.get(f"{url}/health", timeout=10).json()
        assert (health["status"], health["signed_in"]) == ("not_signed_in", False)


def test_a_request_is_a_line_with_what_went_wrong(home: Path) -> None:
    with serving(home, "--demo", columns=200) as (terminal, shown):
        url = shown.partition("OPENAI_BASE_URL=")[2].split()[0]
        body = {"model": "sonnet", "seed": 1, "messages": [{"role": "user", "content": "hi"}]}
        with httpx2.Client(base_url=url, timeout=30, headers={"user-agent": "Tester/1.0 (x)"}) as http:
            assert http.post("/chat/completions", json=body).status_code == 200
            terminal.see("Tester/1.0 chat")
            assert "claude-sonnet" in terminal.see("tokens")
            terminal.see("ignored: seed")
            assert http.post("/chat/completions", json={**body, "model": "gpt-9"}).status_code == 404
            terminal.see("404")
            terminal.see("model_not_found: The model 'gpt-9' does not exist here.")


def test_a_stream_that_fails_is_logged_as_failed(home: Path) -> None:
    with scripted() as api, running_proxy(home, api=api) as proxy:
        said = directive(text="one two three", cut_after=2)
        body = {"model": "sonnet", "stream": True, "messages": [{"role": "user", "content": said}]}
        assert "error" in proxy.http.post("/v1/chat/completions", json=body).text

        def line() -> dict[str, object]:
            found = [json.loads(each) for each in proxy.log if '"dialect": "chat"' in each]
            return found[0] if found else {}

        assert eventually(line, 10)["error"]
    assert line()["status"] == 200


def test_the_log_format_can_be_chosen(home: Path) -> None:
    with running_proxy(home, "--demo", "--log-format", "text") as proxy:
        proxy.http.get("/v1/models")
        proxy.wait_for(" GET /v1/models 200 ")
    assert not [line for line in proxy.log if line.startswith("{")]


def test_a_logged_prompt_can_be_read(home: Path) -> None:
    with running_proxy(home, "--demo", "--log-content", "--log-format", "text") as proxy:
        messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "line one\nline two"}]
        proxy.http.post("/v1/chat/completions", json={"model": "sonnet", "messages": messages})
        proxy.wait_for("    line two")
    log = "".join(proxy.log)
    assert "  [system]\n    be brief\n  [user]\n    line one\n    line two\n" in log
    assert "Message(" not in log


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


def test_nothing_running_needs_no_word(home: Path) -> None:
    with running_proxy(home, "--demo", "--log-format", "text") as proxy:
        proxy.process.send_signal(signal.SIGINT)
        assert proxy.process.wait(20) == 0
    assert not [line for line in proxy.log if "Stopping" in line]


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


# How far the start has come; the last are after the first answer would be possible. Every 60 ms, with the two signals
# by turns; with CLAUDE_MAX_EVERY_MOMENT every 20 ms with both, which takes two minutes.
ALL = "CLAUDE_MAX_EVERY_MOMENT" in os.environ
MOMENTS = [step * 0.02 for step in range(1, 60, 1 if ALL else 3)]
STEP = 1 if ALL else 2


@pytest.mark.parametrize(
    ("sign", "moments"), [(signal.SIGTERM, MOMENTS[::STEP]), (signal.SIGINT, MOMENTS[STEP - 1 :: STEP])]
)
def test_a_signal_at_any_moment_of_the_start_leaves_nothing(
    home: Path, sign: signal.Signals, moments: list[float]
) -> None:
    """Messages of Python's own are not ours to prevent: before it has loaded anything of ours, and where an exception
    comes in a callback of its imports.
    """
    for moment in moments:
        process = subprocess.Popen(
            [installed(), "serve", "--demo", "--port", "0"],
            env=home_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(sign)
        _, said = process.communicate(timeout=30)
        own = ("claude_max" in said or "site" not in said) and "Exception ignored in: <function _get_mod" not in said
        assert not (own and ("Traceback" in said or "Warning" in said)), f"after {moment:.2f} s: {said}"
        assert process.returncode in (0, -sign, 128 + sign, 1), f"after {moment:.2f} s: {process.returncode} {said}"
        assert psutil.wait_procs(children, 10)[1] == [], f"after {moment:.2f} s"
    assert sessions(home) == []


def stopped_by_itself(home: Path, program: str) -> str:
    """Runs `serve --demo` by a Python program that signals itself, which must end it in order. Returns its stderr."""
    done = subprocess.run(
        [sys.executable, "-c", program, "serve", "--demo", "--port", "0"],
        env=home_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0
    return done.stderr


SIGNALLED = """
import os, signal
from claude_max.cli import serve
from claude_max.cli.main import run

made = serve.create_app

def create_app(*given):
    os.kill(os.getpid(), signal.{sign})
    return made(*given)

serve.create_app = create_app
run()
"""


@pytest.mark.parametrize("sign", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_between_the_examination_and_the_server(home: Path, sign: str) -> None:
    """The server starts and ends in order: cancelled in its start, it would leave its pool to the end of the loop."""
    said = stopped_by_itself(home, SIGNALLED.format(sign=sign))
    assert said.splitlines()[-1].startswith("Demo: ")
    assert sessions(home) == []


LOST = """
import os, signal, weakref
from claude_max.cli import serve
from claude_max.cli.main import run

found = serve.locate

class Module:
    pass

def locate(*given):
    module = Module()
    seen = weakref.ref(module, lambda _: os.kill(os.getpid(), signal.{sign}))
    del module
    return found(*given)

serve.locate = locate
run()
"""


@pytest.mark.parametrize("sign", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_whose_exception_python_drops(home: Path, sign: str) -> None:
    """One that comes in a callback, as when a lock of an import is given up: it was as if there had been none."""
    said = stopped_by_itself(home, LOST.format(sign=sign))
    assert "Exception ignored in" in said
    assert "OPENAI_BASE_URL" not in said
    assert sessions(home) == []


def test_it_listens_on_another_port_too(home: Path) -> None:
    port = free_port()
    with scripted() as api, running_proxy(home, "--also-listen", str(port), api=api) as proxy:
        assert any(f"Listening on {port}, too." in line for line in proxy.log)
        for url in (proxy.url, f"http://localhost:{port}"):
            assert httpx2.get(f"{url}/api/version").status_code == 200


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


def test_an_alias_that_leads_nowhere_is_told_once_the_cli_said_what_it_offers(home: Path) -> None:
    environ = {"CLAUDE_MAX_ALIASES": '{"gpt-4o": "sonett", "own": "claude-opus-4-8"}'}
    with running_proxy(home, "--demo", environ=environ) as proxy:
        proxy.wait_for("the alias gpt-4o points to 'sonett', which is not a model")
    assert sum("the alias" in line for line in proxy.log) == 1
