"""Who may call, through the installed command: hosts, origins, keys, what the log holds, what the CLI is given."""

import json
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from harness.asking import CHAT, directive
from harness.command import claude_max
from harness.forked import start
from harness.machine import eventually
from harness.openai_schema import check_error
from harness.proxy import OwnProxy, RunningProxy, home_environment, running_proxy, scripted

BODY = {"model": "sonnet", "messages": [{"role": "user", "content": "hi"}]}
KEY = "a-key-nobody-guesses"


def port_of(proxy: RunningProxy) -> str:
    return proxy.url.rpartition(":")[2]


ALLOWED: list[dict[str, str]] = [
    {},
    {"host": "localhost"},
    {"host": "127.0.0.1:{port}"},
    {"host": "[::1]:{port}"},
    {"host": "LOCALHOST:{port}"},
    {"origin": "http://localhost:{port}", "host": "localhost:{port}"},
    {"authorization": "Bearer whatever"},
    {"content-type": "application/json; charset=utf-8"},
]
REFUSED: list[tuple[dict[str, str], int]] = [
    ({"host": "evil.example"}, 403),
    ({"host": "localhost.evil.example"}, 403),
    ({"host": "127.0.0.1.evil.example:{port}"}, 403),
    ({"host": "192.168.0.1"}, 403),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://localhost:1"}, 403),
    ({"origin": "http://localhost.evil.example:{port}"}, 403),
    ({"content-type": "text/plain"}, 415),
    ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ({"content-type": "multipart/form-data"}, 415),
]


def filled(headers: dict[str, str], proxy: RunningProxy) -> dict[str, str]:
    given = {name: value.format(port=port_of(proxy)) for name, value in headers.items()}
    return {"content-type": "application/json", **given}


@pytest.mark.parametrize("headers", ALLOWED, ids=str)
def test_allowed(proxy: RunningProxy, headers: dict[str, str]) -> None:
    assert proxy.http.post(CHAT, content=json.dumps(BODY), headers=filled(headers, proxy)).status_code == 200


@pytest.mark.parametrize(("headers", "status"), REFUSED, ids=str)
def test_refused(proxy: RunningProxy, marker: str, headers: dict[str, str], status: int) -> None:
    body = {"model": "sonnet", "messages": [{"role": "user", "content": marker}]}
    answer = proxy.http.post(CHAT, content=json.dumps(body), headers=filled(headers, proxy))
    assert answer.status_code == status
    check_error(answer.json())
    assert "access-control-allow-origin" not in answer.headers
    assert proxy.bodies(marker) == []


@pytest.mark.parametrize(("name", "second"), [("origin", "https://evil.example"), ("content-type", "text/plain")])
def test_a_second_field_of_the_same_name_is_not_overlooked(proxy: RunningProxy, name: str, second: str) -> None:
    first = {"origin": proxy.url, "content-type": "application/json"}
    answer = proxy.http.post(CHAT, content=json.dumps(BODY), headers=[*first.items(), (name, second)])
    assert answer.status_code in (403, 415)
    assert proxy.http.post(CHAT, content=json.dumps(BODY), headers=first).status_code == 200


def test_a_monitor_may_ask_for_the_head_only(proxy: RunningProxy) -> None:
    answer = proxy.http.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")


def test_no_host_at_all(proxy: RunningProxy) -> None:
    host, _, port = proxy.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert connection.recv(100).split()[1] == b"403"


def test_responses_tell_nothing_of_the_inside(proxy: RunningProxy) -> None:
    for path in ("/", "/v1/models", "/health", "/docs", "/%2e%2e/etc/passwd"):
        answer = proxy.http.get(path)
        assert "server" not in answer.headers
        assert not any(word in answer.text for word in ("Traceback", "site-packages", str(proxy.home), "uvicorn"))


def test_what_an_owner_allows(home: Path) -> None:
    environ = {"CLAUDE_MAX_API_KEY": KEY}
    flags = ("--allowed-host", "host.docker.internal", "--cors-origin", "https://chat.example", "--cors-origin", "null")
    with (
        scripted() as api,
        running_proxy(home, *flags, api=api, environ=environ) as proxy,
    ):
        good = {"authorization": f"Bearer {KEY}"}
        assert proxy.http.post(CHAT, json=BODY, headers={**good, "host": "host.docker.internal:1"}).status_code == 200
        cors = proxy.http.post(CHAT, json=BODY, headers={**good, "origin": "https://chat.example"})
        assert (cors.status_code, cors.headers["access-control-allow-origin"]) == (200, "https://chat.example")
        refused = proxy.http.post(CHAT, json=BODY, headers={"origin": "https://chat.example"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://chat.example")
        assert "x-claude-max-ignored" in refused.headers["access-control-expose-headers"]
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        preflight = proxy.http.options(CHAT, headers={**asked, "origin": "https://chat.example"})
        assert preflight.headers["access-control-allow-origin"] == "https://chat.example"
        assert proxy.http.options(CHAT, headers={**asked, "origin": "https://evil.example"}).status_code == 403
        wrong: list[tuple[bytes, bytes]] = [
            (b"x-other", b"x"),
            (b"authorization", b"Bearer wrong"),
            (b"authorization", KEY[:-1].encode()),
            (b"x-api-key", "é".encode()),
        ]
        for header in wrong:
            answer = proxy.http.post(CHAT, json=BODY, headers=[header])
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
            assert KEY not in answer.text
            assert proxy.http.get("/v1/models", headers=[header]).status_code == 401
        assert proxy.http.post(CHAT, json=BODY, headers={"x-api-key": KEY}).status_code == 200
        assert proxy.http.get("/health").status_code == 200
        for path in ("/health", "/v1/models", "/openapi.json", "/nowhere", CHAT):
            for method in ("GET", "POST"):
                assert KEY not in proxy.http.request(method, path, headers=good).text
        server = psutil.Process(proxy.process.pid)
        for process in (server, *server.children(recursive=True)):
            assert KEY not in " ".join(process.cmdline())
            assert process.pid == server.pid or KEY not in "\n".join(process.environ().values())
        log = "".join(proxy.log)
    assert KEY not in log


def test_why_a_request_was_refused_is_in_the_log(proxy: RunningProxy) -> None:
    refused = {"host": "rebound.example", "origin": "https://evil.example", "content-type": "text/plain"}
    for name, value in refused.items():
        answer = proxy.http.post(CHAT, json=BODY, headers={"content-type": "application/json", name: value})
        assert answer.status_code in (403, 415)
        id = answer.headers["x-request-id"]
        proxy.wait_for(id)
        line = next(line for line in proxy.log if id in line)
        assert answer.json()["error"]["message"].split(" If you")[0] in json.loads(line)["error"]["message"]
        assert value in line


def test_beyond_loopback_a_key_is_required(home: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.0.1"):
        done = claude_max(home, "serve", "--host", host, "--port", "0", seconds=30)
        assert done.code == 2
        assert "CLAUDE_MAX_API_KEY" in done.err


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[httpx2.Response, str]:
    """A server at another address of loopback, for another one of the service: its health, asked where it says that
    it listens, and all that it said.
    """
    environ = home_environment(tmp_path_factory.mktemp("home"))
    environ["ANTHROPIC_BASE_URL"] = "http://me:secret-word@localhost:1/[bold]?key=secret-too"
    begun = start(["serve", "--host", "127.0.0.2", "--port", "0"], environ, stderr=subprocess.PIPE)
    assert begun.stderr is not None
    with begun.stderr as stderr:
        try:
            said, shown = "", None
            while shown is None:
                line = stderr.readline().decode()
                assert line, said
                said += line
                shown = re.search(r"http://127\.0\.0\.2:\d+(?=/v1)", said)
            health = httpx2.get(f"{shown[0]}/health", timeout=10, headers={"host": "localhost"})
        finally:
            begun.terminate()
            said += stderr.read().decode()
            begun.wait(20)
    return health, said


def test_the_address_that_is_shown_is_the_one_that_answers(elsewhere: tuple[httpx2.Response, str]) -> None:
    assert elsewhere[0].status_code == 200


def test_another_address_of_the_service_is_shown_without_its_password(elsewhere: tuple[httpx2.Response, str]) -> None:
    """As it is written otherwise: it is no markup."""
    assert "http://localhost:1/[bold]" in elsewhere[1]
    assert "secret" not in elsewhere[1]


@pytest.fixture(scope="module", params=[False, True])
def allowed(request: pytest.FixtureRequest) -> bool:
    """Whether the log may hold what is asked and answered, and the CLI may have an API key."""
    return bool(request.param)


@pytest.fixture(scope="module")
def talkative(own_proxy: OwnProxy, allowed: bool) -> RunningProxy:
    """A proxy whose log says as much as it may, in an environment with more than the CLI should be given."""
    environ = {
        "ANTHROPIC_API_KEY": "sk-ant-api-billed-apart",
        "CLAUDECODE": "1",
        "CLAUDE_CODE_ENTRYPOINT": "other",
        "CLAUDE_CODE_EXTRA_BODY": '{"model": "other"}',
        "AWS_SECRET_ACCESS_KEY": "x",
        "HTTPS_PROXY": "http://proxy.example:1",
        "NO_PROXY": "127.0.0.1",
        **({"CLAUDE_MAX_ALLOW_ANTHROPIC_API_KEY": "true"} if allowed else {}),
    }
    return own_proxy("--log-level", "debug", *(["--log-content"] if allowed else []), environ=environ)


def test_what_the_cli_is_given(talkative: RunningProxy, allowed: bool) -> None:
    given = talkative.claudes()[0].environ()
    assert ("ANTHROPIC_API_KEY" in given) is allowed
    assert ("billed to this key" in "".join(talkative.log)) is allowed
    assert not {"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_EXTRA_BODY", "AWS_SECRET_ACCESS_KEY"} & set(given)
    assert (given["HTTPS_PROXY"], given["HOME"]) == ("http://proxy.example:1", str(talkative.home))


def test_the_log_has_one_line_a_request(talkative: RunningProxy, allowed: bool) -> None:
    prompt = 'secretprompt\nscripted: {"text": "secretanswer"}'
    before = len(talkative.log)
    body: Any = {"model": "sonnet", "messages": [{"role": "user", "content": prompt}]}
    for stream in (False, True):
        answer = talkative.http.post(CHAT, json={**body, "stream": stream})
        request_id = answer.headers["x-request-id"]
        assert "secretanswer" in answer.text
    talkative.http.post(CHAT, json={**body, "model": "gpt-4o"})

    def requests() -> list[str]:
        return [line for line in talkative.log[before:] if f'"path": "{CHAT}"' in line]

    # The line of a stream follows its last byte.
    eventually(lambda: len(requests()) == 3, 10, said=requests)
    log, lines = talkative.log[before:], [json.loads(line) for line in requests()]
    lines.sort(key=lambda line: line["status"])
    assert (lines[2]["status"], lines[2]["error"]["code"]) == (404, "model_not_found")
    wanted = {"status": 200, "dialect": "chat", "model": "claude-sonnet-5-5", "completion_tokens": 1, "id": request_id}
    assert wanted.items() <= lines[1].items()
    assert lines[1]["first_ms"] <= lines[1]["ms"]
    assert ("secretprompt" in "".join(log)) is allowed
    assert ("secretanswer" in "".join(log)) is allowed


def test_the_log_of_calls_and_failures(talkative: RunningProxy, allowed: bool) -> None:
    """At its most talkative, too, it holds nothing of what was asked, answered or refused, unless it was asked to."""
    call = {"call": {"name": "secretname", "input": {"secretkey": 1}}}
    replies: list[dict[str, Any]] = [call, {"status": 529}, {"status": 401}, {"text": "secretbegin", "cut_after": 1}]
    tool = {"type": "function", "function": {"name": "secretname", "parameters": {"type": "object"}}}
    before = len(talkative.log)
    for reply in replies:
        said = [{"role": "user", "content": f"secretprompt\n{directive(**reply)}"}]
        for stream in (False, True):
            talkative.http.post(CHAT, json={"model": "sonnet", "messages": said, "tools": [tool], "stream": stream})
    talkative.http.post(CHAT, json={"model": "sonnet", "messages": [{"role": "secretrole"}]})
    for process in talkative.claudes():
        process.kill()
    last = talkative.http.post(CHAT, content='{"secretprompt', headers={"content-type": "application/json"})
    talkative.wait_for(last.headers["x-request-id"], before)
    log = "".join(talkative.log[before:])
    assert log.count('"status": 200') >= 2
    assert ("secret" in log) is allowed
    assert ('secretname {\\"secretkey' in log or 'secretname {"secretkey' in log) is allowed


def test_a_client_that_offers_another_protocol(proxy: RunningProxy) -> None:
    """As Java's does in every request: it is answered in this one, and the log has nothing to say of it."""
    before = len(proxy.log)
    offer = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAAP__"}
    assert proxy.http.post(CHAT, json=BODY, headers=offer).status_code == 200
    proxy.wait_for(f'"path": "{CHAT}"', before)
    assert not [line for line in proxy.log[before:] if '"level": "warning"' in line]
