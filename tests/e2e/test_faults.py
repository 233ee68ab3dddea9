"""Faults on purpose: no hang, no wrong 200, no lost process, no cross-talk, and the next request is fine."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from harness.asking import TOOL, ask, directive, fine
from harness.command import claude_max
from harness.filtered_cli import filtered, vouched
from harness.limited import limited
from harness.machine import eventually
from harness.plan_service import sign_in
from harness.proxy import OwnProxy, RunningProxy, home_environment, running_proxy, scripted, sessions
from harness.short_waits import SHORT_WAITS

from claude_max.proxy.scripted import ScriptedServer

# What is spoilt in a CLI that is worse than the one before it. The contract check ends with its first question.
WORSE: dict[str, Any] = {"strip": ["client_composed"], "rename": {"plain question": "another question"}}


def quick_to_look(home: Path, program: Path, api: ScriptedServer) -> AbstractContextManager[RunningProxy]:
    """A proxy that soon notices what happens to its CLI."""
    arguments, environ = ("--claude-path", str(program)), vouched(program)
    return running_proxy(home, *arguments, api=api, environ=environ, through=SHORT_WAITS)


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, 10)


def test_a_worker_killed_before_its_first_turn(renewed: RunningProxy) -> None:
    assert renewed.claudes()
    kill(renewed.claudes())
    assert fine(renewed)


def test_a_worker_killed_while_it_holds_a_conversation(two_workers: RunningProxy) -> None:
    assert fine(two_workers)
    assert two_workers.claudes()
    kill(two_workers.claudes())
    assert fine(two_workers)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("when", ["before", "during"])
def test_a_worker_killed_before_and_during_an_answer(
    two_workers: RunningProxy, marker: str, when: str, stream: bool
) -> None:
    """No 200 for half an answer: its own status before the first word, an error event after it."""
    assert two_workers.api is not None
    slow = {"first_byte": 60} if when == "before" else {"words": 500, "pause": 0.1}
    begun = threading.Event()

    def asking() -> tuple[int, str]:
        said = [{"role": "user", "content": f"{marker}\n{directive(**slow)}"}]
        body = {"model": "sonnet", "messages": said, "stream": stream}
        with httpx2.stream("POST", f"{two_workers.url}/v1/chat/completions", json=body, timeout=30) as answer:
            text = ""
            for part in answer.iter_text():
                text += part
                begun.set()
        return answer.status_code, text

    with ThreadPoolExecutor() as pool:
        asked = pool.submit(asking)
        two_workers.api.wait_until(lambda: bool(two_workers.bodies(marker)), 10)
        assert when == "before" or not stream or begun.wait(10)
        kill(two_workers.claudes())
        status, text = asked.result(10)
    if when == "during" and stream:
        assert status == 200
        text = text.rstrip().rpartition("data: ")[2]
    else:
        assert status == 502
    assert json.loads(text)["error"]["code"] == "cli_crashed"
    assert fine(two_workers)


def calls_and_goes_on(proxy: RunningProxy, marker: str, result: str, between: Callable[[], object]) -> None:
    """The model calls a tool, something happens, and its result is answered: the model sees the same conversation."""
    reply = directive(call={"name": "look", "input": {}}, then={"text": "seen"})
    prompt = {"role": "user", "content": f"{marker}\n{reply}"}
    body: Any = {"model": "sonnet", "tools": [TOOL], "messages": [prompt]}
    message = proxy.http.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]
    between()
    told = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": result}
    answer = proxy.http.post("/v1/chat/completions", json={**body, "messages": [prompt, message, told]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "seen"
    asked = [message["role"] for message in proxy.bodies(marker)[-1]["messages"] if message["role"] != "system"]
    assert asked == ["user", "assistant", "user"]


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_worker_killed_or_stopped_while_parked_in_a_call(two_workers: RunningProxy, marker: str, how: str) -> None:
    """The results find no worker: the history is replayed."""

    def lose() -> None:
        if how == "killed":
            kill(two_workers.claudes())
            return
        for process in two_workers.claudes():
            process.suspend()

    calls_and_goes_on(two_workers, marker, "sun", lose)


def test_a_worker_that_dies_of_the_results(spoilt: RunningProxy, marker: str) -> None:
    """It looked alive when it was chosen, as one does that was killed a moment ago."""
    calls_and_goes_on(spoilt, marker, "ONCE-sun", lambda: None)


# What the CLI does when it reads a word in the prompt, or before it writes one that only the answer holds.
ACTS: dict[str, tuple[str, int]] = {
    "killed": ("die", 502),
    "an event that is none": ('say {"type":"stream_event"}', 502),
    "an event without its parts": ('say {"type":"stream_event","event":{"type":"message_start"}}', 502),
    "a 20 MB line": ("long line", 200),
    "a flood on stderr": ("stderr", 200),
}
ANSWERS = ("half line", "not json")


def word_of(name: str) -> str:
    return f"ACT-{name.replace(' ', '-')}."


@pytest.fixture(scope="module")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file exists, a new process of the CLI of `spoilt` says nothing."""
    return tmp_path_factory.mktemp("silence") / "silent"


@pytest.fixture(scope="module")
def spoilt(own_proxy: OwnProxy, tmp_path_factory: pytest.TempPathFactory, silence: Path) -> RunningProxy:
    """A proxy whose CLI does something odd when a prompt tells it to."""
    acts = {"ONCE-sun": "die once"} | {word_of(name): act for name, (act, _) in ACTS.items()}
    answers = {word_of(act): act for act in ANSWERS}
    folder = tmp_path_factory.mktemp("filter")
    program = filtered(folder, acts=acts, answers=answers, stall=["STALL-here"], silent=str(silence))
    environ = {**vouched(program), "CLAUDE_MAX_START_TIMEOUT": "5"}
    return own_proxy("--claude-path", str(program), "--timeout", "3", environ=environ)


@pytest.mark.parametrize("name", ACTS)
def test_a_cli_that_does_something_odd(spoilt: RunningProxy, name: str) -> None:
    _, status = ACTS[name]
    answer = ask(spoilt, f"{word_of(name)}\n{directive(text='fine')}")
    assert answer.status_code == status, answer.text
    assert status != 502 or answer.json()["error"]["code"] == "cli_crashed"
    assert fine(spoilt)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_cli_that_speaks_nonsense(spoilt: RunningProxy, name: str) -> None:
    """In place of an answer. Its first letter is escaped, so that only the answer holds the word."""
    answer = ask(spoilt, f'scripted: {{"text": "\\u0041{word_of(name)[1:]}"}}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "cli_crashed")
    assert fine(spoilt)


def test_a_cli_that_stops_in_the_middle_of_a_line(spoilt: RunningProxy) -> None:
    """The word is escaped, so that only the answer holds it."""
    answer = ask(spoilt, 'scripted: {"text": "STALL-\\u0068ere"}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
    assert fine(spoilt)


def test_a_cli_that_says_nothing_at_all(spoilt: RunningProxy, silence: Path, marker: str) -> None:
    """One new process is waited for, not three; once the CLI speaks again, so does the proxy."""
    silence.touch()
    kill(spoilt.claudes())
    answer = ask(spoilt, marker)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "cli_unavailable")
    assert "said nothing" in answer.json()["error"]["message"]
    assert (spoilt.bodies(marker), spoilt.http.get("/health").status_code) == ([], 200)
    silence.unlink()
    assert fine(spoilt)


def test_a_cli_that_stops_in_its_tracks(two_workers: RunningProxy) -> None:
    """It lives and says nothing: an idle one is replaced, and the request answered by another."""
    assert fine(two_workers)
    stopped = two_workers.claudes()
    for process in stopped:
        process.suspend()
    assert fine(two_workers)
    _, alive = psutil.wait_procs(stopped, 20)
    assert not alive


def test_a_cli_that_ignores_sigterm_is_killed(tmp_path: Path, home: Path) -> None:
    program = filtered(tmp_path, stubborn=True)
    environ = vouched(program)
    with scripted() as api, running_proxy(home, "--claude-path", str(program), api=api, environ=environ) as proxy:
        assert fine(proxy)
        claudes = proxy.claudes()
        proxy.process.send_signal(signal.SIGTERM)
        proxy.process.wait(10)
        assert not [process for process in claudes if process.is_running()]


def test_no_cli(home: Path) -> None:
    done = claude_max(home, "serve", "--claude-path", "/nowhere/claude", seconds=30)
    assert done.code == 3
    assert done.err.count("\n") == 1
    assert "npm install" in done.err


def test_the_login_ends_while_running(two_workers: RunningProxy) -> None:
    """A 401 in the middle of a session, then a new login: the next request is fine, by a new process.

    So is the next count of tokens.
    """

    def count() -> int:
        body = {"model": "sonnet", "messages": [{"role": "user", "content": "hi"}]}
        return two_workers.http.post("/v1/messages/count_tokens", json=body).status_code

    assert fine(two_workers)
    assert count() == 200
    before = {process.pid for process in two_workers.claudes()}
    assert ask(two_workers, directive(status=401)).status_code == 401
    assert fine(two_workers)
    assert count() == 200
    # Those that had the old login may be ending still.
    eventually(lambda: not before & {process.pid for process in two_workers.claudes()}, 10)


def test_a_login_that_comes_while_running(home: Path) -> None:
    """Without a restart: the workers that began signed out are replaced."""
    with scripted() as api, running_proxy(home, api=api, environ={"CLAUDE_CODE_OAUTH_TOKEN": ""}, ready=False) as proxy:
        assert ask(proxy, "hi").json()["error"]["code"] == "not_signed_in"
        sign_in(home)
        assert fine(proxy)


def test_nothing_is_left_in_the_home(home: Path) -> None:
    with scripted() as api, running_proxy(home, api=api) as proxy:
        assert fine(proxy)
        assert ask(proxy, "x" * 1000).status_code == 200
    assert sessions(home) == []
    left = [file for file in home.rglob("*") if file.is_file() and "x" * 100 in file.read_text(errors="ignore")]
    assert left == []
    assert list((Path(home_environment(home)["XDG_CACHE_HOME"]) / "claude-max" / "empty").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count handles in other ways")
def test_no_file_handle_left(home: Path) -> None:
    """More connections than handles: those that are open are served, and after them everybody again."""
    with scripted() as api, running_proxy(home, api=api, through=limited("NOFILE", 110, 110)) as proxy:
        assert fine(proxy)
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        idle = [socket.create_connection((host, int(port)), 5) for _ in range(150)]
        assert fine(proxy)
        for connection in idle:
            connection.close()
        with httpx2.Client(base_url=proxy.url, timeout=30) as another:
            assert another.get("/health").status_code == 200
        assert fine(proxy)
        assert len([line for line in proxy.log if "Too many open files" in line]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count handles in other ways")
def test_a_low_limit_that_may_be_raised(home: Path) -> None:
    """As on a Mac, where a program begins with 256 handles: idle connections keep nobody else out."""
    with scripted() as api, running_proxy(home, api=api, through=limited("NOFILE", 110, 4096)) as proxy:
        url = httpx2.URL(proxy.url)
        with contextlib.ExitStack() as idle:
            for _ in range(150):
                idle.enter_context(socket.create_connection((url.host, url.port or 0), 5))
            with httpx2.Client(base_url=proxy.url, timeout=5) as another:
                assert another.get("/health").status_code == 200


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small file system")
def test_no_room_on_disk(tmp_path: Path) -> None:
    """Home, cache and temporary folder without a free byte: requests are answered all the same."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", small], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    try:
        home = small / "home"
        home.mkdir()
        with contextlib.suppress(OSError), (small / "filler").open("wb") as filler:
            filler.write(bytes(400 * 1024))
        environ = {"XDG_CACHE_HOME": str(small / "cache"), "TMPDIR": str(small)}
        # The contract check and the login's question need a folder of their own, so it never says that it is ready.
        with scripted() as api, running_proxy(home, api=api, environ=environ, ready=None) as proxy:
            assert fine(proxy)
            assert proxy.http.get("/health").json()["status"] == "ok"
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_the_cli_changes_on_disk_and_is_removed(tmp_path: Path, home: Path) -> None:
    """Of one that is known new processes run; without any a request is told what to do."""
    program = filtered(tmp_path, version="2.1.401")
    vouched(program)
    other = program.rename(tmp_path / "other")
    filtered(tmp_path, version="2.1.400")
    with scripted() as api, quick_to_look(home, program, api) as proxy:
        assert fine(proxy)
        assert proxy.http.get("/health").json()["cli_version"] == "2.1.400"
        before = {process.pid for process in proxy.claudes()}
        other.rename(program)
        eventually(lambda: not before & {process.pid for process in proxy.claudes()}, 40)
        assert fine(proxy)
        # That of the one that serves now, not of the start.
        assert proxy.http.get("/health").json()["cli_version"] == "2.1.401"
        program.unlink()
        kill(proxy.claudes())
        answer = ask(proxy, "hi")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "cli_unavailable")
        assert "claude-max doctor" in answer.json()["error"]["message"]
        assert str(tmp_path) not in answer.text
        assert answer.headers["x-should-retry"] == "false"
        eventually(lambda: proxy.http.get("/health").json()["ready"] is False, 20)
        assert "There is no Claude Code CLI" in "".join(proxy.log)


def test_the_cli_is_away_for_a_moment(tmp_path: Path, home: Path) -> None:
    """As while it is updated: whoever needs a new process is told, the worker that is there goes on."""
    program = filtered(tmp_path)
    arguments, environ = ("--claude-path", str(program)), vouched(program)
    with scripted() as api, running_proxy(home, *arguments, api=api, environ=environ) as proxy:
        # Before any turn has ended: a second one at once gets a process of its own.
        before = proxy.claudes()
        away = program.rename(tmp_path / "away")
        with ThreadPoolExecutor() as pool:
            slow = directive(text="fine", silence=1)
            codes = [answer.status_code for answer in pool.map(lambda n: ask(proxy, f"{n}\n{slow}"), range(2))]
        away.rename(program)
        assert sorted(codes) == [200, 503]
        assert fine(proxy)
        assert [process for process in before if process.is_running()]


def test_a_worse_cli_takes_its_place_while_running(tmp_path: Path, home: Path, marker: str) -> None:
    """No process of it is started for a request before it was examined, and it is not asked anything."""
    program, temporary = filtered(tmp_path), tmp_path / "temporary"
    temporary.mkdir()
    environ = {**vouched(program), "TMPDIR": str(temporary)}
    with scripted() as api, running_proxy(home, "--claude-path", str(program), api=api, environ=environ) as proxy:
        assert fine(proxy)
        filtered(tmp_path, **WORSE)
        kill(proxy.claudes())
        answer = ask(proxy, marker)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "cli_unavailable")
        assert proxy.bodies(marker) == []
        proxy.wait_for("fails the contract check")
    assert list(temporary.glob("claude-max-*")) == []


def test_a_worse_cli_comes_behind_a_wrapper_and_then_one_that_never_worked(
    tmp_path: Path, home: Path, marker: str
) -> None:
    """As with volta or asdf: the file that is run stays the same, only the version that it tells is another.

    Why the last one never worked is in the log.
    """
    wrapper = tmp_path / "claude"
    for folder, version, spoil in (("one", "2.1.400", {}), ("two", "2.1.401", WORSE)):
        (tmp_path / folder).mkdir()
        filtered(tmp_path / folder, version=version, **spoil)
    link = tmp_path / "now"
    link.symlink_to("one")
    wrapper.write_text(f'#!/bin/sh\nexec "{link}/claude" "$@"\n')
    wrapper.chmod(0o755)
    with scripted() as api, quick_to_look(home, wrapper, api) as proxy:
        assert fine(proxy)
        link.unlink()
        link.symlink_to("two")
        kill(proxy.claudes())
        answer = ask(proxy, f"/cost {marker}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "cli_unavailable")
        assert proxy.bodies(marker) == []
        proxy.wait_for("fails the contract check")
        link.unlink()
        link.symlink_to("one")
        eventually(lambda: ask(proxy, "hi").status_code == 200, 40)
        (tmp_path / "one" / "claude").write_text("#!/bin/sh\necho 'the real reason' >&2\nexit 1\n")
        kill(proxy.claudes())
        answer = ask(proxy, "hi")
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "cli_crashed")
        assert "the real reason" not in answer.text
        proxy.wait_for("the real reason")
