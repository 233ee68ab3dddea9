"""Bytes to a real process and lines from it, and its end; with small shells, because processes are the point."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from claude_max.proxy import errors
from claude_max.proxy.engine.process import spawn as module
from claude_max.proxy.engine.process.spawn import ClaudeProcess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells")


@contextlib.asynccontextmanager
async def shell(script: str, cwd: Path) -> AsyncIterator[ClaudeProcess]:
    process = await ClaudeProcess.spawn(Path("/bin/sh"), ("-c", script), {"PATH": "/bin:/usr/bin"}, cwd)
    try:
        yield process
    finally:
        await process.close()
        assert not psutil.pid_exists(process.pid)


async def test_lines_go_in_and_come_out(tmp_path: Path) -> None:
    async with shell("cat", tmp_path) as process:
        lines = process.lines()
        await process.send({"a": "x\ny"}, b'{"b": 2}\n')
        process.post({"c": 3})
        assert [await anext(lines) for _ in range(3)] == [{"a": "x\ny"}, {"b": 2}, {"c": 3}]
        assert process.alive


@pytest.mark.parametrize(
    ("script", "words"),
    [("echo oops", "not JSON"), ("echo '[1]'", "not an object"), ("printf '{\"a\"'", "in the middle of a line")],
)
async def test_what_is_no_line_is_a_crash(tmp_path: Path, script: str, words: str) -> None:
    async with shell(script, tmp_path) as process:
        with pytest.raises(errors.CliCrashed, match=words):
            await anext(process.lines())


@pytest.mark.parametrize(
    ("script", "words"), [("exit 3", "ended with exit code 3"), ("kill -9 $$", "was killed by signal 9")]
)
async def test_how_it_ended_is_told_and_its_last_words_are_kept(tmp_path: Path, script: str, words: str) -> None:
    async with shell(f"echo the reason >&2; {script}", tmp_path) as process:
        assert [line async for line in process.lines()] == []
        await process.ended()
        assert not process.alive
        await asyncio.wait({process._drain})
        assert process.stderr_tail == "the reason"
        assert words in process.crashed().message
        assert "the reason" not in process.crashed().message


async def test_writing_to_one_that_is_gone_is_a_crash(tmp_path: Path) -> None:
    async with shell("exec 0<&-; exit 0", tmp_path) as process:
        assert [line async for line in process.lines()] == []
        await process.ended()
        with pytest.raises(errors.CliCrashed):
            for _ in range(100):
                await process.send(b"x" * 65_536)
        process.post({"a": 1})


async def test_closing_its_stdin_lets_it_go_by_itself(tmp_path: Path) -> None:
    async with shell("cat >/dev/null; touch left-in-order", tmp_path) as process:
        await asyncio.gather(process.close(), process.close())
        assert process.closing
        assert not process.alive
    assert (tmp_path / "left-in-order").exists()


@pytest.mark.parametrize("deaf", ["trap '' TERM;", "kill -STOP $$;"])
async def test_one_that_does_not_go_is_ended_with_all_it_started(
    tmp_path: Path, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXIT_SECONDS", 0.05)
    monkeypatch.setattr(module, "TERMINATE_SECONDS", 0.2)
    async with shell(f"sleep 60 & echo '{{\"pid\": '$!'}}'; {deaf} wait; sleep 60", tmp_path) as process:
        child = (await anext(process.lines()))["pid"]
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(child).wait(5)
    assert not psutil.pid_exists(child)


async def test_a_client_that_leaves_does_not_stop_an_end_that_has_begun(tmp_path: Path) -> None:
    async with shell("cat >/dev/null", tmp_path) as process:
        closing = asyncio.create_task(process.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert process.closing


async def test_output_of_a_command_that_answers_and_ends(tmp_path: Path) -> None:
    async with shell("cat; echo done", tmp_path) as process:
        assert await process.output() == b"done\n"


async def test_it_leads_a_group_of_its_own(tmp_path: Path) -> None:
    async with shell("cat", tmp_path) as process:
        assert os.getpgid(process.pid) == process.pid
        os.killpg(process.pid, signal.SIGKILL)
        assert [line async for line in process.lines()] == []
