"""Where a setting comes from, and what is said of one that cannot be used: one line, with its place."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from claude_max.proxy.config import ConfigError, Settings, config_path, load, names_itself, unknown


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration file, empty yet, and no variables of the developer's own."""
    for name in [name for name in os.environ if name.upper().startswith("CLAUDE_MAX_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "config.toml"
    path.touch()
    monkeypatch.setenv("CLAUDE_MAX_CONFIG", str(path))
    return path


def test_flag_over_variable_over_file_over_default(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().port == 3456
    file.write_text("port = 1\nwarm_workers = 0\n")
    assert load().port == 1
    monkeypatch.setenv("CLAUDE_MAX_PORT", "2")
    assert load().port == 2
    assert load(port=None).port == 2, "a flag that was not given"
    assert load(port=3).port == 3
    assert load(port=0).port == 0, "given is given, also nought"
    assert load(port=3).warm_workers == 0


def test_variables_that_mean_nothing_are_named_with_the_nearest() -> None:
    known = {f"CLAUDE_MAX_{name.upper()}": "" for name in Settings.model_fields}
    environ = {**known, "CLAUDE_MAX_CONFIG": "", "claude_max_port": "", "_CLAUDE_MAX_COMPLETE": "", "PORT": ""}
    assert unknown(environ) == {}
    assert unknown({**environ, "CLAUDE_MAX_PROT": "1", "claude_max_zzz": "2"}) == {
        "CLAUDE_MAX_PROT": "CLAUDE_MAX_PROT has no effect: unknown setting; is it CLAUDE_MAX_PORT?",
        "claude_max_zzz": "claude_max_zzz has no effect: unknown setting.",
    }


@pytest.mark.parametrize("origin", ["null", "file://", "FILE:///"])
def test_an_origin_of_every_file_needs_a_key(file: Path, origin: str) -> None:
    file.write_text(f"cors_origins = [{json.dumps(origin)}]")
    assert "a key is required" in said()
    file.write_text(f'api_key = "k"\ncors_origins = [{json.dumps(origin)}]')
    assert load().cors_origins == [origin.lower().replace(":///", "://")]


@pytest.mark.parametrize(
    "origin", ["*", "http://*.example", "http://*", "https://*:*", "localhost:8080", "http://a/b", "http://a:8*", ""]
)
def test_what_is_no_origin_is_told(file: Path, origin: str) -> None:
    """It would never match, or match every page that somebody visits."""
    file.write_text(f"cors_origins = [{json.dumps(origin)}]")
    assert "is not a web origin" in said()


def test_origins_are_compared_as_browsers_send_them(file: Path) -> None:
    file.write_text('cors_origins = ["https://Chat.Example/", "chrome-extension://abc", "http://localhost:8080"]')
    assert load().cors_origins == ["https://chat.example", "chrome-extension://abc", "http://localhost:8080"]


def test_every_kind_of_value(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('allowed_hosts = ["a"]\n[aliases]\n"gpt-4o" = "sonnet"\n')
    monkeypatch.setenv("CLAUDE_MAX_CORS_ORIGINS", '["http://x"]')
    monkeypatch.setenv("CLAUDE_MAX_API_KEY", "sesame")
    monkeypatch.setenv("claude_max_timeout", "7.5")
    found = load()
    assert (found.allowed_hosts, found.cors_origins, found.aliases) == (["a"], ["http://x"], {"gpt-4o": "sonnet"})
    assert found.api_key == SecretStr("sesame")
    assert found.timeout == 7.5
    assert "sesame" not in repr(found)


def said(**flags: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(**flags)
    message = str(caught.value)
    assert "\n" not in message
    return message


BROKEN = [
    ("port = 70000", ("port: ", "65535")),
    ('port = "x"', ("port: ",)),
    ("queue_size = -1", ("queue_size: ",)),
    ("prot = 1", ("prot: unknown setting; is it port?",)),
    ("[models.aliases]\na = 'b'", ("models: unknown setting",)),
    ("allowed_hosts = 'a'", ("allowed_hosts: ",)),
    ("[aliases]\na = 5", ("aliases.a: ",)),
    ('[aliases]\ngpt-4.1 = "sonnet"', ('a name with a dot needs quotes: "gpt-4.1" = "sonnet"',)),
    ('[aliases]\na.b.c = "sonnet"', ('"a.b.c" = "sonnet"',)),
    ("port = ", ("is not valid TOML",)),
    ("port = 1\nport = 2", ("is not valid TOML",)),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_a_mistake_in_the_file_is_told_with_the_file(file: Path, text: str, words: tuple[str, ...]) -> None:
    file.write_text(text)
    message = said()
    assert str(file) in message
    assert all(word in message for word in words)


def test_a_file_that_cannot_be_read_is_named(file: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    file.write_text("port = 1")
    file.chmod(0)
    assert str(file) in said()


def test_a_mistake_in_a_variable_or_a_flag_is_told_with_its_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("workers = 3")
    monkeypatch.setenv("CLAUDE_MAX_WORKERS", "lots")
    assert said().startswith("workers: ")
    assert said().endswith("(given as CLAUDE_MAX_WORKERS)")
    assert said(workers=0).endswith("(given as --workers)")
    assert said(log_level="loud", workers=3).endswith("(given as --log-level)")


def test_the_value_of_a_secret_is_never_told(file: Path) -> None:
    file.write_text('api_key = ["sesame"]')
    assert "sesame" not in said()


def test_settings_do_not_change(file: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 5


def test_a_file_that_is_named_and_not_there_is_a_mistake(file: Path) -> None:
    """The key that keeps others out may stand in it."""
    file.unlink()
    with pytest.raises(ConfigError, match=r"CLAUDE_MAX_CONFIG names, does not exist"):
        load()
    file.mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        load()


def test_the_settings_of_another_process(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_MAX_PORT", "1")
    file.write_text("port = 2\nwarm_workers = 2")
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text("warm_workers = 3")
    found = load({"CLAUDE_MAX_CONFIG": str(elsewhere), "claude_max_port": "4"})
    assert (found.port, found.warm_workers) == (4, 3)
    elsewhere.write_text("warm_workers = -3")
    with pytest.raises(ConfigError, match=r"warm_workers.*elsewhere\.toml"):
        load({"CLAUDE_MAX_CONFIG": str(elsewhere)})
    with pytest.raises(ConfigError, match=r"port.*given as claude_max_port"):
        load({"claude_max_port": "x"})


def test_where_the_file_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_path() == file
    monkeypatch.delenv("CLAUDE_MAX_CONFIG")
    assert config_path().name == "config.toml"
    monkeypatch.setenv("CLAUDE_MAX_CONFIG", "")
    assert config_path().name == "config.toml"


@pytest.mark.skipif(sys.platform != "linux", reason="variables move the folder on Linux")
def test_the_file_of_another_process_is_where_its_own_variables_say(tmp_path: Path) -> None:
    """A service's, whose XDG_CONFIG_HOME need not be this terminal's."""
    file = tmp_path / ".config/claude-max/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("port = 1")
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative"}
    assert config_path(environ) == file
    assert load(environ).port == 1
    assert config_path({**environ, "XDG_CONFIG_HOME": "/etc/x"}) == Path("/etc/x/claude-max/config.toml")
    assert config_path(dict(os.environ)) == config_path()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(".")


def test_a_variable_in_small_letters_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("claude_max_port", "x")
    assert "claude_max_port" in said().lower()


def test_a_list_that_is_no_json_is_told_with_its_variable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_MAX_ALLOWED_HOSTS", "my.box")
    assert "CLAUDE_MAX_ALLOWED_HOSTS" in said()


@pytest.mark.parametrize(
    ("name", "given", "example"),
    [
        ("ALLOWED_HOSTS", "my.box", """CLAUDE_MAX_ALLOWED_HOSTS='["my.box"]'"""),
        ("CORS_ORIGINS", "{}", """CLAUDE_MAX_CORS_ORIGINS='["http://localhost:8080"]'"""),
        ("ALIASES", "gpt-4o=sonnet", """CLAUDE_MAX_ALIASES='{"gpt-4o": "sonnet"}'"""),
        ("ALIASES", '["a"]', """CLAUDE_MAX_ALIASES='{"gpt-4o": "sonnet"}'"""),
    ],
)
def test_the_right_json_is_shown(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: str, example: str
) -> None:
    monkeypatch.setenv(f"CLAUDE_MAX_{name}", given)
    assert example in said()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_empty_variable_is_unset(file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"CLAUDE_MAX_{name.upper()}", "")
    assert getattr(load(), name) == Settings.model_fields[name].default


def test_a_list_in_the_file_is_shown_as_it_should_be(file: Path) -> None:
    file.write_text("allowed_hosts = 'a'")
    assert 'such as allowed_hosts = ["my.box"]' in said()


def test_a_file_that_is_not_utf8_is_named(file: Path) -> None:
    file.write_bytes(b'claude_path = "\xff"')
    assert str(file) in said()


@pytest.mark.parametrize(("given", "key"), [("", None), (" \t", None), (" sesame\n", SecretStr("sesame"))])
def test_blanks_are_no_part_of_a_key(
    file: Path, monkeypatch: pytest.MonkeyPatch, given: str, key: SecretStr | None
) -> None:
    """No client can send them, and an empty key is one that every client knows."""
    monkeypatch.setenv("CLAUDE_MAX_API_KEY", given)
    assert load().api_key == key


@pytest.mark.parametrize(
    ("url", "itself"),
    [
        ("http://localhost:3456", True),
        ("http://127.0.0.1:3456/v1", True),
        ("http://[::1]:3456", True),
        ("http://0.0.0.0:3456", True),
        ("http://localhost:11434", True),
        ("http://localhost:3457", False),
        ("http://gateway.example:3456", False),
        ("https://api.anthropic.com", False),
        ("http://localhost:many", False),
        ("", False),
    ],
)
def test_its_own_address(url: str, itself: bool) -> None:
    assert names_itself(url, load({}, also_listen=[11434])) is itself


def test_more_ports() -> None:
    assert load({"CLAUDE_MAX_ALSO_LISTEN": "[11434]"}).also_listen == [11434]
    with pytest.raises(ConfigError, match="also_listen"):
        load({"CLAUDE_MAX_ALSO_LISTEN": "[0]"})
