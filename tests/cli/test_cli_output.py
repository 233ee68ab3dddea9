"""One renderer: data on stdout, talk on stderr, exit codes that mean something, errors as JSON for those who asked."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
import typer
from harness.command import claude_max
from rich.console import RenderableType
from rich.text import Text

from claude_max.cli.main import app
from claude_max.cli.output import MEANINGS, Exit, Result, render
from claude_max.proxy.config import ConfigError
from claude_max.proxy.errors import CliCrashed, CliUnavailable, NotSignedIn


@dataclass(frozen=True, slots=True)
class Said(Result):
    word: str

    @property
    def exit(self) -> Exit:
        return Exit.PORT_TAKEN

    def drawn(self) -> Iterable[RenderableType]:
        yield Text(self.word)


def test_a_result_is_data_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        render(lambda: Said("a \u2713 [b]"), json=True)
    assert ended.value.exit_code == Exit.PORT_TAKEN
    assert capsys.readouterr() == ('{\n  "word": "a \u2713 [b]"\n}\n', "")


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


def test_exit_codes_are_documented() -> None:
    epilog = app.info.epilog
    assert MEANINGS.keys() == set(Exit)
    assert epilog == f"Exit codes: {', '.join(f'{code.value} {meaning}' for code, meaning in MEANINGS.items())}."
