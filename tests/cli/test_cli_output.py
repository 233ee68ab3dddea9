"""One renderer: data on stdout, talk on stderr, exit codes that mean something, errors as JSON for those who asked."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from harness.command import claude_max
from harness.forked import installed
from harness.proxy import RunningProxy, home_environment
from rich.console import RenderableType
from rich.text import Text

from claude_max.cli.main import app
from claude_max.cli.output import MEANINGS, Exit, Result, folded, render
from claude_max.proxy.config import ConfigError
from claude_max.proxy.errors import CliCrashed, CliUnavailable, NotSignedIn


@dataclass(frozen=True, slots=True)
class Said(Result):
    word: str

    @property
    def exit(self) -> Exit:
        return Exit.PORT_TAKEN

    def view(self) -> Iterable[RenderableType]:
        yield Text(self.word)


def test_a_result_is_data_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        render(lambda: Said("a \u2713 [b]"), json=True)
    assert ended.value.exit_code == Exit.PORT_TAKEN
    assert capsys.readouterr() == ('{\n  "schema": 1,\n  "word": "a \u2713 [b]"\n}\n', "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), Exit.USAGE),
        (CliUnavailable("x"), Exit.NO_CLI),
        (NotSignedIn("x"), Exit.NEEDS_LOGIN),
        (CliCrashed("x"), Exit.FAILED),
    ],
)
def test_every_failure_has_its_code(error: Exception, code: Exit, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Result:
        raise error

    with pytest.raises(typer.Exit) as ended:
        render(fail, json=True)
    assert ended.value.exit_code == code
    assert f'"exit_code": {int(code)}' in capsys.readouterr().out


def test_wrong_arguments_are_an_error_object_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    ended = claude_max(home, "models", "--json", "--nonsense")
    assert ended.code == 2
    assert ended.json["error"]["exit_code"] == 2
    assert "--nonsense" in ended.json["error"]["message"]
    plain = claude_max(home, "models", "--nonsense")
    assert (plain.code, plain.out) == (2, "")


def test_no_color_is_respected(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    coloured = claude_max(home, "doctor", "--check", "python", environ={"FORCE_COLOR": "1"})
    plain = claude_max(home, "doctor", "--check", "python", environ={"FORCE_COLOR": "1", "NO_COLOR": "1"})
    assert "\x1b[3" in coloured.out
    assert "\x1b[3" not in plain.out


# Beside a proxy that answers; a demo starts one of its own.
UNWRITABLE = "claude-max: The output cannot be written: "
QUESTION = 'claude-max: No question given: `claude-max chat "…"`, or text on stdin.\n'
CLOSED = {
    "chat, no output": ("chat hi >&-", 1, f"{UNWRITABLE}Bad file descriptor.\n"),
    "chat, a full disk": ("chat --json hi >/dev/full", 1, f"{UNWRITABLE}No space left on device.\n"),
    "chat, no input": ("chat <&-", 2, QUESTION),
    "chat, nothing at all": ("chat --demo hi <&- >&- 2>&-", 1, ""),
    "doctor, no output": ("doctor --check python >&-", 1, f"{UNWRITABLE}Bad file descriptor.\n"),
    "doctor, no input": ("doctor --check python <&-", 0, ""),
    "doctor, no errors": ("doctor --check nothing 2>&-", 2, ""),
    "models, no output": ("models --json >/dev/full", 1, f"{UNWRITABLE}No space left on device.\n"),
    "a reader that left": ("config show --json | true; exit ${PIPESTATUS[0]}", 1, ""),
}


@pytest.mark.parametrize("case", CLOSED)
def test_streams_that_are_closed_or_full(proxy: RunningProxy, home: Path, case: str) -> None:
    words, code, err = CLOSED[case]
    port = proxy.url.rpartition(":")[2]
    done = subprocess.run(
        ["bash", "-c", f"'{installed()}' {words}"],
        env={**home_environment(home), "CLAUDE_MAX_PORT": port},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, err)


def test_what_goes_into_a_pipe_is_neither_cut_nor_broken(home: Path) -> None:
    listed = claude_max(home, "doctor", "--list-checks", "--json").json["checks"]
    lines = claude_max(home, "doctor", "--list-checks").out.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [[check["name"], check["about"]] for check in listed]
    assert max(map(len, lines)) > 80
    assert [line for line in lines if line != line.rstrip()] == []
    narrow = claude_max(home, "doctor", "--list-checks", environ={"COLUMNS": "40"}).out.splitlines()
    assert max(map(len, narrow)) == 40


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("to mend: `claude-max login --token` or so", 10, ["to mend:", "`claude-max login --token`", "or so"]),
        ("/a/path/that-is-long is gone", 8, ["/a/path/that-is-long", "is gone"]),
        ("first\nsecond line", 8, ["first", "second", "line"]),
        ("", 8, []),
    ],
)
def test_talk_is_broken_between_words(text: str, width: int, lines: list[str]) -> None:
    assert folded(text, width).splitlines() == lines


def test_exit_codes_are_documented() -> None:
    epilog = app.info.epilog
    assert MEANINGS.keys() == set(Exit)
    assert epilog == f"Exit codes: {', '.join(f'{code.value} {meaning}' for code, meaning in MEANINGS.items())}."
