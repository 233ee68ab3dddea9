"""`claude-max config`: the path, the settings and their origin, and no key on any screen."""

from pathlib import Path

import pytest
from harness.command import claude_max
from harness.proxy import running_proxy

from claude_max.proxy.config import Settings

KEY = "a-very-secret-key"


def test_path_is_all_it_prints(home: Path) -> None:
    file = home / "a [folder] with a long name that is wider than any terminal" / "config.toml"
    ended = claude_max(home, "config", "path", environ={"CLAUDE_MAX_CONFIG": str(file), "COLUMNS": "20"})
    assert (ended.code, ended.out, ended.err) == (0, f"{file}\n", "")
    ended = claude_max(home, "config", "path", "--json", environ={"CLAUDE_MAX_CONFIG": str(file)})
    assert ended.json == {"schema": 1, "path": str(file), "exists": False}


def test_where_each_setting_comes_from(home: Path) -> None:
    file = home / "config.toml"
    file.write_text(f'port = 4000\nwarm_workers = 3\napi_key = "{KEY}"\naliases = {{ gpt-4o = "sonnet" }}\n')
    environ = {"CLAUDE_MAX_CONFIG": str(file), "CLAUDE_MAX_PORT": "5000", "claude_max_queue_size": "7"}
    ended = claude_max(home, "config", "show", "--json", environ=environ)
    assert ended.code == 0, ended.err
    found = {row["name"]: (row["value"], row["source"]) for row in ended.json["settings"]}
    assert found.keys() == Settings.model_fields.keys()
    assert found["port"] == (5000, "environment")
    assert found["queue_size"] == (7, "environment")
    assert found["warm_workers"] == (3, "file")
    assert found["aliases"] == ({"gpt-4o": "sonnet"}, "file")
    assert found["workers"] == (8, "default")
    assert found["api_key"] == ("set", "file")
    people = claude_max(home, "config", "show", environ=environ)
    assert KEY not in ended.out + ended.err + people.out + people.err
    assert "5000" in people.out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('port = "many"', "port"),
        ("prot = 1", "unknown setting"),
        ("port = ", "not valid TOML"),
    ],
)
def test_a_broken_file_is_one_line(home: Path, text: str, says: str) -> None:
    file = home / "config.toml"
    file.write_text(text)
    ended = claude_max(home, "config", "show", environ={"CLAUDE_MAX_CONFIG": str(file)})
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_misspelt_variable_is_told_by_serve(home: Path) -> None:
    with running_proxy(home, "--demo", "--warm-workers", "0", environ={"CLAUDE_MAX_PROT": "1"}, ready=None) as proxy:
        proxy.wait_for("CLAUDE_MAX_PROT has no effect")
