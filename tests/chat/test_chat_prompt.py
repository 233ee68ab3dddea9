"""The line editor, by its keys: prompt_toolkit reads them from a pipe instead of a keyboard."""

import asyncio
import stat
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input, create_pipe_input
from prompt_toolkit.output import DummyOutput

from claude_max.cli.chat import prompt
from claude_max.cli.chat.commands import COMMANDS

CTRL_G, CTRL_R = "\x07", "\x12"
ENTER, ALT, CTRL_C, CTRL_D, UP = "\r", "\x1b", "\x03", "\x04", "\x1b[A"


def typed(keys: str, default: str = "", history: History | None = None) -> str:
    async def ask(input: Input) -> str:
        line = prompt.Prompt(lambda: ["opus"], history or InMemoryHistory(["older"]), input, DummyOutput())
        async with asyncio.timeout(10):
            return await line.ask(default)

    with create_pipe_input() as pipe:
        pipe.send_text(keys)
        return asyncio.run(ask(pipe))


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("one" + ENTER, "one"),
        ("one\\" + ENTER + "two" + ENTER, "one\ntwo"),
        ("one" + ALT + ENTER + "two" + ENTER, "one\ntwo"),
        ("\x1b[200~a\r\nb\rc\x1b[201~" + ENTER, "a\nb\nc"),
        ("gone" + CTRL_C + "kept" + ENTER, "kept"),
        (UP + ENTER, "older"),
        # Enter takes the found line, a second one sends it.
        (CTRL_R + "old" + ENTER + ENTER, "older"),
        (CTRL_R + "old" + ENTER + "!" + ENTER, "older!"),
        # Ctrl-C and Ctrl-G leave the search with what was typed before, and nothing else.
        ("draft" + CTRL_R + "old" + CTRL_C + "!" + ENTER, "draft!"),
        ("draft" + CTRL_R + "old" + CTRL_G + "!" + ENTER, "draft!"),
        (CTRL_R + "zzz" + ENTER + "on" + ENTER, "on"),
        (CTRL_R + "old" + ENTER + CTRL_C + "on" + ENTER, "on"),
        (ENTER, ""),
    ],
)
def test_keys(keys: str, line: str) -> None:
    assert typed(keys) == line


def test_what_ctrl_c_took_away_is_in_the_history() -> None:
    history = InMemoryHistory()
    typed("gone" + CTRL_C + "kept" + ENTER, history=history)
    assert history.get_strings() == ["gone", "kept"]


def test_what_was_put_back_can_be_edited() -> None:
    assert typed("!" + ENTER, "again") == "again!"


def test_leaving() -> None:
    with pytest.raises(KeyboardInterrupt):
        typed(CTRL_C)
    with pytest.raises(EOFError):
        typed(CTRL_D)


def completed(text: str) -> list[str]:
    found = prompt.Commands(lambda: ["opus", "sonnet"]).get_completions(Document(text), CompleteEvent())
    return [text[: len(text) + each.start_position] + each.text for each in found]


def test_completion(tmp_path: Path) -> None:
    (tmp_path / "a file.png").touch()
    assert completed("/") == [f"/{name}" for name in COMMANDS]
    assert completed("/s") == ["/system", "/save"]
    assert completed("/model o") == ["/model opus"]
    assert completed("/effort x") == ["/effort xhigh"]
    assert completed(f"/image {tmp_path}/a") == [f"/image {tmp_path}/a file.png"]
    assert completed("/system o") == completed("hello /") == completed("/x\n/") == []


def test_the_history_is_private_and_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state" / "chat_history"
    monkeypatch.setattr(prompt, "history_path", lambda: path)
    prompt.lasting_history().append_string("one\ntwo")
    assert list(prompt.lasting_history().load_history_strings()) == ["one\ntwo"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert isinstance(prompt.lasting_history(), FileHistory)
    monkeypatch.setattr(prompt, "history_path", lambda: tmp_path / "state" / "chat_history" / "x")
    assert isinstance(prompt.lasting_history(), InMemoryHistory)
