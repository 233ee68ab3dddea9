"""`status` and `logs` for a server in a terminal, in the background, for none, and for another program at the port."""

import json
import signal
import subprocess
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx2
import pytest
from harness.asking import CHAT, directive
from harness.command import claude_max
from harness.forked import installed
from harness.machine import eventually, free_port
from harness.proxy import RunningProxy, home_environment
from harness.terminal import shell
from rich.console import Console

from claude_max.cli.logs import BLOCK, last_lines
from claude_max.cli.output import Exit
from claude_max.cli.status_view import Asked, Process, Server, Status, Workers
from claude_max.cli.usage import Window

SERVER = Server(
    how="foreground",
    url="http://localhost:3456",
    pid=12,
    since="2026-11-26T10:00:00+00:00",
    version="0.1.0",
    cli_version="2.1.332",
    scripted=False,
    signed_in=True,
    plan="max",
    ready=True,
    windows=(Window("five_hour", "five-hour limit", 62.0, "2026-11-26T13:00:00+00:00"),),
    extra_usage=False,
    warnings=(),
    requests=(Asked("req_1", "2026-11-26T11:00:00+00:00", "\x1b[31mcurl", "messages", "opus", "", "waiting"),),
    workers=Workers(8, 2, 1, 64, (Process(1, 13, "busy", 5, "2026-11-26T10:00:00+00:00", 2**28),)),
)


@pytest.mark.parametrize(
    ("servers", "other", "code"),
    [
        ([SERVER], "", Exit.FINE),
        ([replace(SERVER, ready=False)], "", Exit.FAILED),
        ([replace(SERVER, ready=False, signed_in=False)], "", Exit.NEEDS_LOGIN),
        ([replace(SERVER, key_refused=True)], "", Exit.WRONG_KEY),
        ([replace(SERVER, key_refused=True), SERVER], "", Exit.FINE),
        ([], "", Exit.FAILED),
        ([], "Another program", Exit.PORT_TAKEN),
        ([SERVER], "Another program", Exit.FINE),
    ],
)
def test_the_code_says_whether_a_request_would_be_answered(servers: list[Server], other: str, code: Exit) -> None:
    found = Status(tuple(servers), other)
    assert found.exit is code
    assert found.data()["ok"] is (code is Exit.FINE)


def test_what_a_person_reads() -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    for part in Status((SERVER, replace(SERVER, workers=None, trouble="It requires another key."))).view():
        console.print(part)
    text = console.export_text()
    for words in (
        "http://localhost:3456  foreground, process 12, for ",
        "✓ Signed in, plan max",
        "Workers: 1 of 8 (1 answering), 256 MB, 5 turns served, 1 waiting",
        "Five-hour limit",
        "62 %",
        "1 in flight:",
        "[31mcurl  opus  waiting",
        "! It requires another key.",
    ):
        assert words in text
    assert "\x1b" not in text
    console.file.close()


def test_nothing_runs(home: Path) -> None:
    environ = {"CLAUDE_MAX_PORT": str(free_port())}
    ended = claude_max(home, "status", environ=environ)
    assert (ended.code, ended.out.splitlines()[0]) == (1, "No claude-max server is running.")
    assert claude_max(home, "status", "--json", environ=environ).json == {
        "schema": 1,
        "ok": False,
        "servers": [],
        "other": "",
    }
    logs = claude_max(home, "logs", environ=environ)
    assert (logs.code, logs.out) == (1, "")
    assert "A server in a terminal logs to that terminal." in logs.err
    assert claude_max(home, "status", "--web", environ=environ).code == 1
    assert claude_max(home, "status", "--watch", environ=environ).code == 2
    assert claude_max(home, "status", "--watch", "--json", environ=environ).json["error"]["exit_code"] == 2


def test_a_server_in_a_terminal(proxy: RunningProxy, home: Path, tmp_path: Path, marker: str) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o755)
    port = urlsplit(proxy.url).port
    environ = {"CLAUDE_MAX_PORT": str(port), "BROWSER": str(browser)}
    said = directive(
        words=120, pause=0.02, limits={"status": "allowed", "claim": "five_hour", "5h": 0.5, "reset": "+3600"}
    )
    body = {"model": "sonnet", "messages": [{"role": "user", "content": said}]}
    asking = threading.Thread(target=lambda: proxy.http.post(CHAT, json=body, headers={"user-agent": marker}))
    asking.start()

    def in_flight() -> Any:
        ended = claude_max(home, "status", "--json", environ=environ)
        (server,) = ended.json["servers"]
        mine = [each for each in server["requests"] if each["client"] == marker]
        return (ended, server, mine[0]) if mine and mine[0]["state"] == "answering" else None

    ended, server, request = eventually(in_flight, 20)
    assert ended.code == 0
    assert (server["how"], server["pid"], server["ready"]) == ("foreground", proxy.process.pid, True)
    assert (request["asked"], request["model"], request["dialect"]) == (
        "sonnet",
        "claude-sonnet-5-5",
        "chat_completions",
    )
    busy = [each for each in server["workers"]["processes"] if each["state"] == "busy"]
    assert len(busy) >= 1
    assert {each["pid"] for each in busy} <= {process.pid for process in proxy.claudes()}
    assert all(each["memory"] > 50 * 2**20 for each in busy)
    with shell({**home_environment(home), **environ, "TERM": "xterm"}, installed(), "status", "--watch") as terminal:
        terminal.see(marker)
        asking.join()
        terminal.see("No request in flight")
        terminal.child.sendintr()
        assert terminal.leaves() == 0
    web = claude_max(home, "status", "--web", environ=environ)
    assert (web.code, web.out) == (0, f"http://127.0.0.1:{port}/\n")
    assert opened.read_text() == f"http://127.0.0.1:{port}/"


def test_a_server_in_the_background_with_a_key(home: Path) -> None:
    port = str(free_port())
    environ = {"CLAUDE_MAX_PORT": str(free_port()), "CLAUDE_MAX_API_KEY": "k", "CLAUDE_MAX_WARM_WORKERS": "0"}
    started = claude_max(home, "start", "--json", "--demo", "--port", port, environ=environ).json
    try:
        (server,) = claude_max(home, "status", "--json", environ=environ).json["servers"]
        assert (server["how"], server["pid"], server["url"]) == (
            "background",
            started["pid"],
            f"http://localhost:{port}",
        )
        without = claude_max(home, "status", "--json", environ={**environ, "CLAUDE_MAX_API_KEY": None})
        assert (without.code, without.json["servers"][0]["key_refused"]) == (6, True)
        assert claude_max(home, "logs", "-n", "1000", environ=environ).out == Path(started["log"]).read_text()
        with subprocess.Popen(
            [installed(), "logs", "-f", "-n", "1"],
            env={**home_environment(home), **environ},
            stdout=subprocess.PIPE,
            text=True,
        ) as following:
            assert following.stdout is not None
            following.stdout.readline()
            assert httpx2.get(f"http://localhost:{port}/v1/models").status_code == 401
            assert json.loads(following.stdout.readline())["path"] == "/v1/models"
            assert claude_max(home, "purge", "log", environ=environ).code == 0
            assert httpx2.get(f"http://localhost:{port}/v1/engines").status_code == 401
            assert json.loads(following.stdout.readline())["path"] == "/v1/engines"
            assert len(Path(started["log"]).read_text().splitlines()) == 1
            following.send_signal(signal.SIGINT)
            assert following.wait(10) == 0
        Path(started["log"]).rename(home / "aside")
        gone = claude_max(home, "logs", environ=environ)
        assert (gone.code, gone.err.count("cannot be read: No such file")) == (1, 1)
        (home / "aside").rename(started["log"])
    finally:
        claude_max(home, "stop", environ=environ)
    after = claude_max(home, "logs", "-n", "1", environ=environ)
    assert after.code == 0
    assert "this is the log of the last one" in after.err


class Other(BaseHTTPRequestHandler):
    """Another program."""

    keys: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.keys.append(self.headers["authorization"])
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def test_another_program_at_the_port(home: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environ = {"CLAUDE_MAX_PORT": str(server.server_port), "CLAUDE_MAX_API_KEY": "not for it"}
        ended = claude_max(home, "status", environ=environ)
        server.shutdown()
    assert ended.code == 5
    assert f"Another program listens at http://127.0.0.1:{server.server_port}: " in ended.out
    assert set(Other.keys) == {None}


@pytest.mark.parametrize("size", [0, 10, 3 * BLOCK])
@pytest.mark.parametrize("lines", [0, 1, 2, 1000])
def test_the_last_lines_of_a_file_of_any_size(tmp_path: Path, size: int, lines: int) -> None:
    file = tmp_path / "log"
    whole = b"".join(b"line %d %s\n" % (number, b"x" * 40) for number in range(size // 50 + 1)) + b"no end"
    for text in (whole, whole + b"\n", b"", b"\n\n", b"one"):
        file.write_bytes(text)
        expected = text.splitlines(keepends=True)[-lines:] if lines else []
        assert last_lines(file, lines) == (b"".join(expected), len(text))
