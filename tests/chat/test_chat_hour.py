"""What a person meets in the first hour of `chat`: searching, leaving, waiting, who answers, going on later."""

import io
import json
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from harness.asking import directive
from harness.command import Ended, run
from harness.forked import installed
from harness.machine import free_port
from harness.proxy import RunningProxy, home_environment, workers_of
from harness.terminal import BOUND, chat, swallowed
from rich.console import Console

from claude_max.cli.chat import store
from claude_max.cli.chat.commands import Unusable
from claude_max.cli.chat.markdown import THEME, rendered
from claude_max.cli.chat.session import Attachment, Exchange, Question, Session

CTRL_C, CTRL_D, CTRL_R = "\x03", "\x04", "\x12"


@pytest.fixture
def environ(proxy: RunningProxy, tmp_path: Path) -> dict[str, str]:
    port = str(urlsplit(proxy.url).port)
    return {
        **home_environment(tmp_path),
        "CLAUDE_MAX_PORT": port,
        "CLAUDE_MAX_CLAUDE_PATH": "/nonexistent",
        "XDG_STATE_HOME": str(tmp_path),
    }


def asked(environ: dict[str, str], *words: str, stdin: str = "") -> Ended:
    return run(["chat", *words], environ, stdin=stdin.encode())


def test_searching_takes_the_line_and_cannot_trap(environ: dict[str, str], marker: str) -> None:
    """The keys of the report: search, Enter, Ctrl-C; then the terminal must still take a key."""
    with chat(environ) as terminal:
        terminal.prompt()
        terminal.ask(directive(text=f"first {marker}"))
        terminal.type(CTRL_R)
        terminal.see("I-search backward")
        terminal.type("first\r")
        terminal.type(CTRL_C)
        terminal.type(CTRL_R + "nothing like it" + CTRL_C)
        assert "Model: sonnet." in terminal.told("/model sonnet")
        terminal.type(CTRL_R)
        terminal.see("I-search backward")
        terminal.type("first\r\r")
        assert f"first {marker}" in terminal.prompt()
        terminal.type(CTRL_D)
        assert terminal.leaves() == 0


@pytest.mark.parametrize("word", ["exit", "quit", " Exit "])
def test_leaving_as_from_other_programs(environ: dict[str, str], word: str) -> None:
    with chat(environ) as terminal:
        terminal.prompt()
        terminal.enter(word)
        assert terminal.leaves() == 0


def test_a_footer_says_who_answered_how_long_and_how_much(environ: dict[str, str]) -> None:
    with chat(environ) as terminal:
        terminal.prompt()
        shown = terminal.ask(directive(text="yes", usage={"output_tokens": 7}))
        assert "claude-sonnet-5-5 · " in shown
        assert " s · " in shown
        assert "7 out" in shown
        terminal.type(CTRL_D)


def test_waiting_shows_seconds_and_thinking(environ: dict[str, str]) -> None:
    with chat(environ, "--effort", "high") as terminal:
        terminal.prompt()
        terminal.enter(directive(thinking="pondering", text="done", pause=1.2))
        terminal.see("0 s")
        terminal.see("pondering")
        terminal.see("1 s")
        terminal.see("done")
        terminal.prompt()
        terminal.type(CTRL_D)


def test_a_conversation_goes_on(environ: dict[str, str], proxy: RunningProxy, marker: str, tmp_path: Path) -> None:
    with chat(environ, "--model", "haiku", "--system", "be brief") as terminal:
        terminal.prompt()
        terminal.ask(directive(text=f"first answer {marker}"))
        terminal.type(CTRL_D)
        assert terminal.leaves() == 0
    file = tmp_path / "claude-max/conversation.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = asked(environ, "-c", directive(text="second answer"))
    assert done.out == "second answer\n", done.err
    body = proxy.bodies(marker)[-1]
    assert "haiku" in body["model"]
    assert any(block["text"] == "be brief" for block in body["system"])
    with chat(environ, "-c") as terminal:
        assert "Continuing a conversation of 2 answers" in terminal.prompt()
        terminal.ask(directive(text="third answer"))
        terminal.type(CTRL_D)
        assert terminal.leaves() == 0
    said = [turn for turn in proxy.bodies(marker)[-1]["messages"] if turn["role"] == "assistant"]
    assert ["".join(block["text"] for block in turn["content"]) for turn in said] == [
        f"first answer {marker}",
        "second answer",
    ]


def test_history_can_be_turned_off(environ: dict[str, str], tmp_path: Path) -> None:
    off = {**environ, "CLAUDE_MAX_HISTORY": "false"}
    with chat(off) as terminal:
        terminal.prompt()
        terminal.ask(directive(text="unkept"))
        terminal.type(CTRL_D)
        assert terminal.leaves() == 0
    assert asked(off, directive(text="unkept")).code == 0
    assert not list((tmp_path / "claude-max").glob("*"))
    nothing = asked(environ, "-c", "and then?")
    assert (nothing.code, "No conversation to continue yet." in nothing.err) == (2, True)


def test_what_is_kept_is_bounded_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "path", lambda: tmp_path / "c/conversation.json")
    monkeypatch.setattr(store, "LIMIT", 2000)
    session = Session("opus", "be brief", "high")
    for number in range(30):
        attached = (Attachment("n.txt", {"type": "file"}),)
        session.record(Exchange(Question(f"q{number}", attached), "a" * 100, "claude-x", number == 29), None)
    store.save(session)
    assert (tmp_path / "c/conversation.json").stat().st_size <= 2000
    back = Session("sonnet")
    store.load(back)
    assert (back.model, back.system, back.effort) == ("sonnet", "be brief", "high")
    assert 0 < len(back.exchanges) < 30
    assert back.exchanges == session.exchanges[-len(back.exchanges) :]
    (tmp_path / "c/conversation.json").write_text("{}")
    with pytest.raises(Unusable, match="cannot be read"):
        store.load(Session())


def test_a_minus_is_stdin(environ: dict[str, str], proxy: RunningProxy, marker: str) -> None:
    assert asked(environ, "-", stdin=directive(text="from stdin")).out == "from stdin\n"
    assert asked(environ, "--file", "-", f"q {marker}", stdin="piped notes").code == 0
    [user] = [turn for turn in proxy.bodies(marker)[-1]["messages"] if turn["role"] == "user"]
    assert user["content"][0]["source"]["data"] == "piped notes"
    twice = asked(environ, "-", "--file", "-", stdin="x")
    assert (twice.code, "Only one option can read stdin" in twice.err) == (2, True)


def test_a_schema_on_the_command_line(environ: dict[str, str]) -> None:
    schema = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'
    assert json.loads(asked(environ, "--schema", schema, "count").out) == {"n": 0}
    assert json.loads(asked(environ, "--schema", "-", "count", stdin=schema).out) == {"n": 0}
    broken = asked(environ, "--schema", '{"type": ', "count")
    assert (broken.code, "--schema is not JSON" in broken.err) == (2, True)


def drawn(text: str) -> str:
    console = Console(width=60, file=io.StringIO(), force_terminal=True, color_system="standard", theme=THEME)
    console.print(rendered(text))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        *("an `inline` word", "```python\nx = 'a', 1  # why\n```", "```\nplain\n```", "    code", "# head\n## two"),
        *("- one\n- two", "1. one\n2. two", "| a | b |\n|---|---|\n| 1 | 2 |", "> said", "[here](https://x)", "---"),
    ],
)
def test_an_answer_can_be_read_on_a_light_terminal_and_a_dark_one(text: str) -> None:
    assert swallowed(drawn(text)) == set()


def test_task_lists() -> None:
    shown = drawn("- [ ] open\n- [x] done\n- [link](https://x)\n")
    assert "☐ open" in shown
    assert "☑ done" in shown
    assert "[ ]" not in shown
    assert "link" in shown


ASKED = """
import sys
from claude_max.cli.entry import run
try:
    run()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_a_question_beside_a_proxy_loads_little(environ: dict[str, str]) -> None:
    """Neither the server nor the prompt of a conversation: it took 0.44 s of processor, of which half loads Python."""
    words = [sys.executable, "-c", ASKED, "chat", directive(text="**yes**")]
    done = subprocess.run(words, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert "yes" in done.stdout
    loaded = set(done.stderr.split())
    assert "httpx2" in loaded
    assert {"fastapi", "starlette", "uvicorn", "prompt_toolkit", "tomlkit", "ruamel"} & loaded == set()
    server = ("claude_max.proxy.app", "claude_max.proxy.engine.pool", "claude_max.proxy.routes")
    assert [name for name in loaded if name.startswith(server)] == []


def test_a_question_without_one_starts_one_process(tmp_path: Path) -> None:
    environ = {**home_environment(tmp_path), "CLAUDE_MAX_PORT": str(free_port()), "XDG_STATE_HOME": str(tmp_path)}
    question = directive(text="one two", pause=BOUND)
    asking = subprocess.Popen(
        [installed(), "chat", "--demo", question], env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert asking.stdout is not None
    try:
        assert asking.stdout.read(3) == b"one"
        assert len(workers_of(asking.pid)) == 1
        times = psutil.Process(asking.pid).cpu_times()
        assert times.user + times.system < 1.5
    finally:
        asking.terminate()
        asking.wait(BOUND)
        asking.stdout.close()
    assert not (tmp_path / "claude-max/conversation.json").exists(), "a demo is not kept"
