"""The interactive chat in a real pseudo-terminal, beside a running proxy with the real CLI behind it."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from harness.asking import directive
from harness.forked import installed
from harness.machine import open_umask
from harness.proxy import RunningProxy, home_environment, running_proxy, scripted
from harness.terminal import BOUND, PASTE, PASTED, READING, chat, plain, shell

CTRL_C, CTRL_D, CTRL_Z, TAB = "\x03", "\x04", "\x1a", "\t"


@pytest.fixture
def environ(proxy: RunningProxy, tmp_path: Path) -> dict[str, str]:
    port = str(urlsplit(proxy.url).port)
    return {
        **home_environment(tmp_path),
        "CLAUDE_MAX_PORT": port,
        "CLAUDE_MAX_CLAUDE_PATH": "/nonexistent",
        "XDG_STATE_HOME": str(tmp_path),
    }


def said(body: dict[str, Any]) -> list[str]:
    """The texts of the conversation in an upstream body, by turns."""
    turns = [message for message in body["messages"] if message["role"] != "system"]
    return ["".join(block["text"] for block in turn["content"]) for turn in turns]


def test_a_conversation(environ: dict[str, str], proxy: RunningProxy, marker: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("some notes")
    with open_umask(), chat(environ) as terminal:
        assert f"{proxy.url.replace('localhost', '127.0.0.1')}, model default. /help lists" in terminal.prompt()
        assert "a bold word" in terminal.ask(directive(text=f"a **bold** word {marker}"))
        assert "/undo undo the last question" in terminal.told("/help")
        assert "Model: sonnet." in terminal.told("/model sonnet")
        assert "claude-max: The model 'gpt-9' does not exist here." in terminal.told("/model gpt-9")
        terminal.see("/model gpt-9")
        terminal.type(CTRL_C)
        assert "Effort: high." in terminal.told("/effort high")
        assert "Effort: none (no thinking)." in terminal.told("/effort none")
        assert "System prompt: be brief" in terminal.told("/system be brief")
        assert "Attached to your next question: notes.txt." in terminal.told(f"/file {tmp_path}/notes.txt")
        assert "second answer" in terminal.ask(f"{PASTE}{directive(text='second answer')}\n{marker}{PASTED}")
        assert "2 answers: " in terminal.told("/usage")
        assert "Saved to" in terminal.told(f"/save {tmp_path}/t.md")
        assert "exists. /save! " in terminal.told(f"/save {tmp_path}/t.md")
        terminal.type(CTRL_C)
        assert "replacing the old file" in terminal.told(f"/save! {tmp_path}/t.md")
        assert "Undone." in terminal.told("/undo")
        terminal.see(marker)
        terminal.type(CTRL_C)
        assert "A new conversation." in terminal.told("/clear")
        assert "No questions yet." in terminal.told("/usage")
        terminal.enter("/exit")
        assert terminal.leaves() == 0
    assert (tmp_path / "t.md").stat().st_mode & 0o777 == 0o600, "whatever the umask"
    transcript = (tmp_path / "t.md").read_text()
    assert f"a **bold** word {marker}" in transcript
    assert "*(attached: notes.txt)*" in transcript
    body = proxy.bodies(marker)[-1]
    assert "sonnet" in body["model"]
    assert any(block["text"] == "be brief" for block in body["system"])
    turns = [message["content"] for message in body["messages"] if message["role"] != "system"]
    assert [block["text"] for block in turns[1]] == [f"a **bold** word {marker}"]
    assert [block["type"] for block in turns[2]] == ["document", "text"]


def test_ctrl_c_stops_the_answer_and_not_the_program(environ: dict[str, str], proxy: RunningProxy, marker: str) -> None:
    assert proxy.api is not None
    api = proxy.api.api

    def stopped() -> bool:
        asked = [exchange for exchange in api.messages() if marker in str(exchange.body)]
        return bool(asked) and asked[-1].aborted

    with chat(environ) as terminal:
        terminal.prompt()
        terminal.enter(directive(text=f"first{marker} second", pause=BOUND * 3))
        terminal.see(f"first{marker}")
        terminal.type("typed ahead")
        terminal.type(CTRL_C)
        shown = terminal.prompt()
        assert "Stopped. The partial answer is kept" in shown
        assert "second" not in shown
        terminal.see("typed ahead")
        terminal.type(CTRL_C)
        proxy.api.wait_until(stopped)
        terminal.ask(directive(text="and on"))
        terminal.enter(directive(text=f"third{marker}", silence=BOUND * 3, pings=0))
        proxy.api.wait_until(lambda: f"third{marker}" in str(api.bodies()[-1]))
        terminal.type(CTRL_C)
        assert "Stopped before an answer came." in terminal.prompt()
        terminal.see(f"third{marker}")
        terminal.type(CTRL_C)
        terminal.type(CTRL_C)
        assert "Ctrl-D or /exit leaves." in terminal.prompt()
        terminal.type(CTRL_D)
        assert terminal.leaves() == 0
    asked = [said(body) for body in proxy.bodies(marker)]
    assert asked[1][1:] == [f"first{marker}", directive(text="and on")]


@pytest.mark.parametrize("words", [("bash", "--norc", "-i"), ("sh", "-i")])
def test_ctrl_z_and_back(environ: dict[str, str], words: tuple[str, ...]) -> None:
    """In the middle of a line, and of an answer: what the shell wrote meanwhile stays, and the answer goes on below."""
    with shell({**environ, "PS1": "SHELL> "}, *words) as at:
        at.see("SHELL> ")
        at.type(f"{installed()} chat\r")
        at.prompt()
        at.type("draft")
        at.see("draft")
        at.type(CTRL_Z)
        at.see("SHELL> ")
        at.type("fg\r")
        at.prompt()
        at.see("draft")
        at.type(CTRL_C)
        at.enter(directive(words=40, pause=0.05))
        at.see("word5")
        at.type(CTRL_Z)
        at.see("SHELL> ")
        at.type("stty -a | grep -c -e '-echo '\r")
        at.see("0\r\n")
        at.see("SHELL> ")
        at.type("fg\r")
        at.see(" chat\r\n")
        at.see("word1 ")
        assert "\x1b[1A" not in str(at.child.before)
        at.type("typed ahead")
        shown = at.prompt()
        assert "typed ahead" not in shown
        words_shown = [word for word in shown.split() if word.startswith("word")]
        assert words_shown[-40:] == [f"word{number}" for number in range(1, 41)]
        at.see("typed ahead")
        at.type(CTRL_C + CTRL_D)
        at.see("SHELL> ")
        # A question in a pipe leaves the keyboard alone, and is painted all the same.
        at.type(f"echo '{directive(words=40, pause=0.05)}' | {installed()} chat\r")
        at.see("word5")
        at.type(CTRL_Z)
        at.see("SHELL> ")
        at.type("fg\r")
        at.see(" chat\r\n")
        at.see("word1 ")
        assert "\x1b[1A" not in str(at.child.before)
        at.see("SHELL> ")


def test_a_window_that_changes_while_an_answer_comes(environ: dict[str, str]) -> None:
    with chat(environ, columns=80) as terminal:
        terminal.prompt()
        terminal.enter(directive(words=40, pause=0.03))
        terminal.see("word5")
        terminal.child.setwinsize(24, 30)
        terminal.see("word20")
        terminal.child.setwinsize(24, 20)
        terminal.child.expect_exact(READING)
        rows = plain(str(terminal.child.before).rpartition("\x1b[2K")[2]).split("\n")
    assert [word for word in " ".join(rows).split() if word.startswith("word")] == [
        f"word{number}" for number in range(1, 41)
    ]
    assert max(map(len, rows)) == 20


def test_twenty_columns_and_a_failed_question(environ: dict[str, str], marker: str) -> None:
    with chat(environ, columns=20, rows=12) as terminal:
        assert "model default. /help\nlists commands,\nCtrl-D quits.\n" in terminal.prompt()
        assert "claude-max: Unknown\ncommand /hepl." in terminal.ask("/hepl")
        terminal.see("/hepl")
        terminal.type(CTRL_C)
        table = "| a | b |\n|---|---|\n| long words that need room | more of them |\n\n# A title of some length\n\nend"
        shown = terminal.ask(directive(text=table))
        assert "end" in shown
        failed = terminal.told(directive(status=529, message=marker))
        assert "claude-max: The service is overloaded" in failed
        terminal.see("scripted:")
        terminal.type(CTRL_C + CTRL_D)
        assert terminal.leaves() == 0


def test_raw_and_attachments_from_the_command_line(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("notes")
    with chat(environ, "--raw", "--file", f"{tmp_path}/n.txt") as terminal:
        terminal.see("[1 attached]")
        assert "**as it is**\x1b" not in (shown := terminal.ask(directive(text="**as it is**\x1b[31m")))
        assert "**as it is**[31m\n" in shown
        terminal.type("/mod" + TAB)
        terminal.see("/model")
        terminal.type(CTRL_C + CTRL_D)
        assert terminal.leaves() == 0


def test_a_proxy_that_dies_loses_nothing_typed(tmp_path: Path) -> None:
    with scripted() as api, running_proxy(tmp_path, api=api) as proxy:
        environ = {**home_environment(tmp_path), "CLAUDE_MAX_PORT": str(urlsplit(proxy.url).port)}
        with chat({**environ, "XDG_STATE_HOME": str(tmp_path)}) as terminal:
            terminal.prompt()
            terminal.enter(directive(text="partial more", pause=BOUND * 3))
            terminal.see("partial")
            proxy.process.kill()
            # Until then its port may still take a connection.
            proxy.process.wait(BOUND)
            shown = terminal.prompt()
            assert "partial\n" in shown
            assert "claude-max: The proxy stopped in the middle of the answer." in shown
            terminal.see('"partial more"')
            terminal.type("\r")
            terminal.see("cannot be reached. Start it")
            terminal.see("`claude-max serve`.")
            terminal.prompt()
            terminal.type(CTRL_C + CTRL_D)
            assert terminal.leaves() == 0


def test_without_a_proxy_one_is_started_and_ended(tmp_path: Path) -> None:
    environ = {**home_environment(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    with chat(environ, "--demo") as terminal:
        terminal.see("Starting a proxy…")
        assert "a proxy of its own, model default" in terminal.prompt()
        assert "You said: hi" in terminal.ask("hi").replace("\n", " ")
        children = psutil.Process(terminal.child.pid).children(recursive=True)
        assert children
        terminal.type(CTRL_D)
        assert terminal.leaves() == 0
    assert psutil.wait_procs(children, 1)[1] == []
