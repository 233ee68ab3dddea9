"""`claude-max config init|edit|set|unset|validate`: comments stay, a wrong value is not written."""

import re
import stat
import tomllib
from pathlib import Path

import pytest
from harness.command import Ended, claude_max
from harness.forked import installed
from harness.proxy import home_environment
from harness.terminal import shell

from claude_max.cli.config_edit import template, with_value
from claude_max.proxy.config import Settings, check_values, load

MANUAL = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def file(home: Path) -> Path:
    return home / "settings" / "config.toml"


def config(file: Path, *words: str, **environ: str) -> Ended:
    home = file.parent.parent
    return claude_max(home, "config", *words, environ={"CLAUDE_MAX_CONFIG": str(file), **environ})


def there(file: Path) -> str:
    """An environment needs a file that is named to exist."""
    file.parent.mkdir(exist_ok=True)
    file.touch()
    return str(file)


def test_init_lists_every_setting_and_changes_none(file: Path, home: Path) -> None:
    ended = claude_max(home, "config", "init", environ={"XDG_CONFIG_HOME": str(home / "conf")})
    made = home / "conf/claude-max/config.toml"
    assert (ended.code, ended.out) == (0, f"Wrote {made}\n")
    assert tomllib.loads(made.read_text()) == {}
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    again = claude_max(home, "config", "init", environ={"XDG_CONFIG_HOME": str(home / "conf")})
    assert (again.code, again.out) == (1, "")
    assert "`claude-max config edit` opens it" in again.err


def test_every_line_of_the_template_can_be_uncommented() -> None:
    lines = [re.sub(r"^# (?=\[|[\w-]+ = )", "", line) for line in template().splitlines()]
    values = tomllib.loads("\n".join(lines))
    assert values.keys() == Settings.model_fields.keys()
    check_values(values, Path("config.toml"))
    defaults = {name: field.default for name, field in Settings.model_fields.items() if not field.examples}
    assert {name: values[name] for name in defaults} == defaults


def test_set_takes_the_place_of_the_commented_line(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(template())
    before = file.read_text().splitlines()
    assert config(file, "set", "port", "4000").out == f"Set port in {file}\n"
    after = file.read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [("# port = 3456", "port = 4000")]
    assert config(file, "unset", "port").out == f"Removed port from {file}\n"
    assert config(file, "unset", "port").out == f"port is not set in {file}\n"
    assert load({"CLAUDE_MAX_CONFIG": str(file)}).port == 3456


def test_comments_and_tables_stay(file: Path) -> None:
    there(file)
    file.write_text('# mine\nport = 1  # because\n\n[aliases]\n# the old one\ngpt-4o = "sonnet"\n')
    assert config(file, "set", "port", "2").code == 0
    assert config(file, "set", "aliases.gpt-4.1", "opus").code == 0
    assert config(file, "set", "log_level", "debug").code == 0
    text = file.read_text()
    assert "# mine\nport = 2  # because\n" in text
    assert '# the old one\ngpt-4o = "sonnet"\n"gpt-4.1" = "opus"\n' in text
    found = load({"CLAUDE_MAX_CONFIG": str(file)})
    assert (found.log_level, found.aliases) == ("debug", {"gpt-4o": "sonnet", "gpt-4.1": "opus"})
    assert config(file, "unset", "aliases.gpt-4o").code == 0
    assert load({"CLAUDE_MAX_CONFIG": str(file)}).aliases == {"gpt-4.1": "opus"}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("allowed_hosts", "my.box", ["my.box"]),
        ("allowed_hosts", '["a", "b"]', ["a", "b"]),
        ("log_content", "true", True),
        ("timeout", "7.5", 7.5),
        ("claude_path", "/opt/123", "/opt/123"),
        ("host", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_values_as_they_are_typed(name: str, value: str, wanted: object, file: Path) -> None:
    there(file)
    assert config(file, "set", name, value).code == 0
    assert getattr(load({"CLAUDE_MAX_CONFIG": str(file)}), name) == wanted


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("set", "port", "many"), "port: "),
        (("set", "prot", "1"), "prot: unknown setting; is it port?"),
        (("set", "port.a", "1"), "port has no parts"),
        (("set", "log_level", "loud"), "log_level: "),
        (("unset", "prot"), "is it port?"),
    ],
)
def test_a_wrong_value_is_not_written(file: Path, words: tuple[str, ...], says: str) -> None:
    there(file)
    ended = config(file, *words)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert file.read_text() == ""


def test_a_key_is_read_without_being_shown(file: Path, home: Path) -> None:
    """At a terminal it is asked for and not echoed; the file is then its user's alone."""
    environ = {**home_environment(home), "CLAUDE_MAX_CONFIG": there(file)}
    with shell(environ, installed(), "config", "set", "api_key", "-") as terminal:
        terminal.see("api_key: ")
        terminal.type("sesame\r")
        assert "sesame" not in terminal.see("Set api_key")
        assert terminal.leaves() == 0
    assert load({"CLAUDE_MAX_CONFIG": str(file)}).api_key is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = config(file, "show").out
    assert "# api_key is set  # file" in shown
    assert "sesame" not in shown


def test_edit_opens_the_editor_and_checks_afterwards(file: Path) -> None:
    there(file)
    file.write_text("port = 1\n")
    assert config(file, "edit", EDITOR="sed -i s/1/2/").out == f"{file} is valid\n"
    broken = config(file, "edit", VISUAL="sed -i s/2/70000/", EDITOR="false")
    assert (broken.code, "port: " in broken.err) == (2, True)
    nothing = config(file, "edit", EDITOR="/not/there")
    assert (nothing.code, "Set EDITOR" in nothing.err) == (1, True)


def test_validate(file: Path) -> None:
    there(file)
    fine = config(file, "validate", "--json", CLAUDE_MAX_PROT="1")
    assert fine.json["warnings"] == ["CLAUDE_MAX_PROT has no effect: unknown setting; is it CLAUDE_MAX_PORT?"]
    file.write_text('[aliases]\ngpt-4.1 = "opus"\n')
    ended = config(file, "validate")
    assert ended.code == 2
    assert 'a name with a dot needs quotes: "gpt-4.1" = "opus"' in ended.err


def test_show_is_toml_that_says_the_same(file: Path) -> None:
    """A value that is written in the file comes from the file, although it is the default."""
    there(file)
    file.write_text('port = 3456\n[aliases]\n"gpt-4.1" = "opus"\n')
    shown = config(file, "show", CLAUDE_MAX_TIMEOUT="7", CLAUDE_MAX_HOST="").out
    assert "port = 3456  # file\n" in shown
    assert "timeout = 7.0  # environment: CLAUDE_MAX_TIMEOUT\n" in shown
    assert 'host = "127.0.0.1"  # default\n' in shown
    values = tomllib.loads(shown)
    assert (values["port"], values["aliases"]) == (3456, {"gpt-4.1": "opus"})
    check_values(values, file)


def test_a_setting_behind_a_table_does_not_become_part_of_it() -> None:
    text = with_value('[aliases]\n# port = 1\na = "b"\n', "port", "", 5)
    assert tomllib.loads(text) == {"port": 5, "aliases": {"a": "b"}}


def test_the_example_of_the_manual_is_valid() -> None:
    found = re.search(r"<!-- run: config -->\n```toml\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    assert found is not None
    check_values(tomllib.loads(found[1]), MANUAL)
