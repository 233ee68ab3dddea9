"""`claude-max chat "question"` and its pipes: the installed command, a running proxy, the real CLI behind it."""

import base64
import http.server
import io
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from harness.asking import directive
from harness.command import Ended, run
from harness.forked import Process, start
from harness.machine import free_port
from harness.proxy import RunningProxy, home_environment, running_proxy, scripted

from claude_max.cli.main import app

BOUND = 30
NONE = f"{__file__}.none"
# One black pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")


def beside(proxy: RunningProxy) -> dict[str, str]:
    """An environment in which `proxy` is the configured one, and no other can be started."""
    port = str(urlsplit(proxy.url).port)
    return {**home_environment(proxy.home), "CLAUDE_MAX_PORT": port, "CLAUDE_MAX_CLAUDE_PATH": "/nonexistent"}


def chat(environ: dict[str, str], *arguments: str, stdin: bytes = b"") -> Ended:
    return run(["chat", *arguments], environ, BOUND, stdin=stdin)


def asking(environ: dict[str, str], *arguments: str) -> Process:
    """A question whose answer is being read."""
    piped = subprocess.PIPE
    return start(["chat", *arguments], environ, stdin=subprocess.DEVNULL, stdout=piped, stderr=piped)


def rest(process: Process) -> tuple[bytes, bytes, int]:
    """What it says until it ends, on both streams, and its exit code."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as out, process.stderr as err:
        return out.read(), err.read(), process.wait(BOUND)


def test_stdout_gets_the_answer_and_nothing_else(proxy: RunningProxy, marker: str) -> None:
    done = chat(beside(proxy), f"{directive(text='# one *two*')}\n{marker}")
    assert (done.out, done.err, done.code) == ("# one *two*\n", "", 0)
    assert proxy.bodies(marker)[0]["stream"] is True


def test_options_and_pipes_reach_the_model(proxy: RunningProxy, marker: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "n.txt").write_text("notes")
    arguments = ["--model", "haiku", "--system", "be brief", "--image", f"{tmp_path}/a.png"]
    done = chat(beside(proxy), f"q {marker}", *arguments, "--file", f"{tmp_path}/n.txt", stdin=b"piped\r\ntext\n")
    assert done.code == 0, done.err
    (body,) = proxy.bodies(marker)
    assert "haiku" in body["model"]
    assert any(block["text"] == "be brief" for block in body["system"])
    said = next(message["content"] for message in body["messages"] if message["role"] == "user")
    image, document, text = ({k: v for k, v in block.items() if k != "cache_control"} for block in said)
    assert (image["type"], image["source"]["media_type"]) == ("image", "image/png")
    assert (document["title"], document["source"]["data"]) == ("n.txt", "notes")
    assert text == {"type": "text", "text": f"piped\ntext\n\nq {marker}"}


def test_stdin_alone_is_the_question(proxy: RunningProxy) -> None:
    assert chat(beside(proxy), stdin=directive(text="yes").encode()).out == "yes\n"


def test_json_is_the_whole_completion(proxy: RunningProxy) -> None:
    done = chat(beside(proxy), "--json", directive(text="smörgås", usage={"output_tokens": 7}))
    found = json.loads(done.out)
    assert (found["object"], found["choices"][0]["message"]["content"]) == ("chat.completion", "smörgås")
    assert found["usage"]["completion_tokens"] == 7


def test_a_schema_makes_the_answer_data(proxy: RunningProxy, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    (tmp_path / "s.json").write_text(json.dumps(schema))
    done = chat(beside(proxy), "--schema", f"{tmp_path}/s.json", "count")
    assert (json.loads(done.out), done.code) == ({"n": 0}, 0), done.err


def test_an_answer_that_does_not_satisfy_its_schema_is_printed_and_told(proxy: RunningProxy, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    # One that the model takes natively, so that the answer is as it comes.
    schema = {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]}
    file.write_text(json.dumps({**schema, "additionalProperties": False}))
    told = f'claude-max: The answer does not satisfy {file}: at $.n: 1 is not of type "string".\n'
    done = chat(beside(proxy), "--schema", str(file), directive(text='{"n": 1}'))
    assert (done.out, done.err, done.code) == ('{"n": 1}\n', told, 1)
    done = chat(beside(proxy), "--json", "--schema", str(file), directive(text='{"n": 1}'))
    assert json.loads(done.out)["choices"][0]["message"]["content"] == '{"n": 1}'
    assert (done.err, done.code) == (told, 1)


def test_a_reader_that_has_seen_enough(proxy: RunningProxy) -> None:
    process = asking(beside(proxy), directive(words=3000))
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(5) == b"word1"
    process.stdout.close()
    with process.stderr as err:
        assert (process.wait(BOUND), err.read()) == (1, b"")


FAILURES: dict[str, tuple[list[str], int, str, str]] = {
    "unknown model": (["-m", "gpt-9", "hi"], 2, "", "The model 'gpt-9' does not exist here. There are: "),
    "not signed in": ([directive(status=401)], 4, "", "claude auth login"),
    "limit": ([directive(status=429)], 1, "", "limit"),
    "service lost": ([directive(text="one two three", cut_after=2)], 1, "one two\n", "Connection to the API was lost"),
    "no picture": (["--image", __file__, "hi"], 2, "", "is not an image"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_one_line_and_an_exit_code(proxy: RunningProxy, case: str) -> None:
    arguments, code, out, why = FAILURES[case]
    done = chat(beside(proxy), *arguments)
    assert (done.code, done.out) == (code, out), done.err
    assert why in done.err
    assert done.err.startswith("claude-max: ")
    assert done.err.count("\n") == 1


def test_with_json_a_failure_is_an_object_too(proxy: RunningProxy) -> None:
    for arguments, code in (["--json"], 2), (["--json", directive(status=401)], 4):
        done = chat(beside(proxy), *arguments)
        found = json.loads(done.out)["error"]
        assert (found["code"], found["type"]) == (
            (None, None) if code == 2 else ("not_signed_in", "authentication_error")
        )
        assert (found["exit_code"], done.code, done.err) == (code, code, f"claude-max: {found['message']}\n")


# Found before anything is asked, so that no process of its own is needed to see it.
@pytest.mark.parametrize(
    ("arguments", "stdin", "why"),
    [
        (["--file", NONE, "hi"], b"", f"{NONE} cannot be read: No such file"),
        (["--schema", __file__, "hi"], b"", "is not JSON: Extra data (line 1, column 3)"),
        (["--effort", "huge", "hi"], b"", "Unknown effort 'huge'. Available: none, low"),
        ([], b" \n", "No question given"),
        (["--schema", __file__], b"", "is not JSON"),
        (["--image", NONE, "hi"], b"", f"{NONE} cannot be read: No such file"),
        (["--schema", NONE, "hi"], b"", f"{NONE} cannot be read: No such file"),
        (["hi"], b"\xff\xfe", "stdin is not UTF-8 text"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str],
    stdin: bytes,
    why: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    with pytest.raises(SystemExit) as ended:
        app(["chat", *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("claude-max: ")
    assert why in err


def test_a_key_that_is_wrong(tmp_path: Path) -> None:
    with _stub(
        {"provider": "claude-code-cli", "version": "1", "cli_version": "2"},
        401,
        {"code": "invalid_api_key", "message": "No."},
    ) as port:
        done = chat({**home_environment(tmp_path), "CLAUDE_MAX_PORT": port}, "hi")
    assert (done.code, done.out) == (6, "")
    assert done.err.startswith("claude-max: No. Set CLAUDE_MAX_API_KEY")


@pytest.mark.parametrize("health", [{"provider": "claude-code-cli"}, None])
def test_another_server_on_the_port_is_never_asked(tmp_path: Path, health: Any) -> None:
    environ = {**home_environment(tmp_path), "CLAUDE_MAX_CLAUDE_PATH": "/nonexistent"}
    with _stub(health, 200, {}) as port:
        done = chat({**environ, "CLAUDE_MAX_PORT": port}, "hi")
    assert (done.code, "no Claude Code CLI at /nonexistent" in done.err) == (3, True), done.err


def test_a_proxy_that_dies_in_the_middle(tmp_path: Path) -> None:
    with scripted() as api, running_proxy(tmp_path, api=api) as proxy:
        process = asking(beside(proxy), directive(text="one two three", pause=BOUND))
        assert process.stdout is not None
        assert process.stdout.read(3) == b"one"
        proxy.process.kill()
        assert rest(process) == (b"\n", b"claude-max: The proxy stopped in the middle of the answer.\n", 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_proxy_one_is_started_and_nothing_of_it_is_left(tmp_path: Path, number: int) -> None:
    environ = {**home_environment(tmp_path), "CLAUDE_MAX_PORT": str(free_port())}
    process = asking(environ, "--demo", directive(text="one two three", pause=BOUND))
    assert process.stdout is not None
    assert process.stdout.read(3) == b"one"
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    os.kill(process.pid, number)
    assert rest(process) == (b"\n", b"", 128 + number)
    assert psutil.wait_procs(children, 1)[1] == []


def test_the_demo_answers_in_a_plain_pipe(tmp_path: Path) -> None:
    done = chat(home_environment(tmp_path), "--demo", "--json", "hi")
    assert json.loads(done.out)["choices"][0]["message"]["content"].endswith("You said: hi"), done.err
    assert (done.err, done.code) == ("", 0)


@contextmanager
def _stub(health: Any, status: int, error: dict[str, Any]) -> Iterator[str]:
    """A server that tells `health` (None: a page) and refuses everything else; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, b"<html>" if health is None else json.dumps(health).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._answer(status, json.dumps({"error": error}).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()
