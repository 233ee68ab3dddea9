"""connect and disconnect on files of every kind: nothing is lost, and a disconnect returns the very bytes."""

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from connect.conftest import TARGET, Act
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_max.cli.connect import actions
from claude_max.cli.connect.actions import _running
from claude_max.cli.connect.catalogue import catalogue
from claude_max.cli.connect.formats.document import opened
from claude_max.cli.connect.inspect import setup_of
from claude_max.cli.connect.places import Surroundings
from claude_max.cli.connect.plan import to_connect
from claude_max.cli.connect.recipe import Recipe, Target
from claude_max.cli.connect.record import Store
from claude_max.proxy.config import ConfigError
from claude_max.proxy.engine.wire.command import ARGUMENTS

WITH_FILES = [recipe for recipe in catalogue().values() if recipe.files]
EXAMPLE = {
    "json": '{\n  // mine\n  "theme": "dark",\n  "other": [1, 2], // keep\n}\n',
    "yaml": "# mine\ntheme: dark   # keep\n\nother:\n- 1\n- 2\n",
    "toml": '# mine\ntheme = "dark"   # keep\n\n[other]\na = 1\n',
    "dotenv": "# mine\nTHEME=dark\n",
}


def _files(recipe: Recipe, where: Surroundings) -> list[Path]:
    return [where.where(file).absolute() for file in recipe.files]


def _given(recipe: Recipe, where: Surroundings, line: str = "\n") -> list[bytes]:
    """Writes an example to each of a recipe's files."""
    made = []
    for file, path in zip(recipe.files, _files(recipe, where), strict=True):
        text = EXAMPLE[file.format]
        if not isinstance(file.puts[0].path[0], str):
            # The file is a list.
            text = "[]\n" if file.format == "json" else "# mine\n- model_id: other\n  model_name: x\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("\n", line).encode())
        made.append(path.read_bytes())
    return made


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """promptfoo's file is in the current folder. What runs on this machine is left alone: to list it takes long."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(actions, "_running", lambda recipe: ())


@pytest.mark.parametrize("recipe", WITH_FILES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("line", ["\n", "\r\n"], ids=["unix", "windows"])
def test_set_up_twice_and_taken_back(
    recipe: Recipe, line: str, connect: Act, disconnect: Act, surroundings: Surroundings, store: Store
) -> None:
    before = _given(recipe, surroundings, line)
    assert connect(recipe.name).outcome == "written"
    after = [path.read_bytes() for path in _files(recipe, surroundings)]
    assert before != after
    for one, path in zip(before, _files(recipe, surroundings), strict=True):
        assert [row for row in one.split(line.encode()) if b"mine" in row and row not in path.read_bytes()] == []
        assert path.read_bytes().count(b"\r\n") == (path.read_bytes().count(b"\n") if line == "\r\n" else 0)
    found = setup_of(recipe, surroundings, store, TARGET)
    assert found is not None
    assert found.url == TARGET.url
    if recipe.name not in ("zed", "goose", "vscode-copilot"):
        assert found.key == TARGET.key
    assert connect(recipe.name).outcome == "unchanged"
    # Another port and another model in between.
    assert connect(recipe.name, Target("http://127.0.0.1:4000", "other", "opus")).outcome == "written"
    assert connect(recipe.name).outcome == "written"
    assert [path.read_bytes() for path in _files(recipe, surroundings)] == after
    assert disconnect(recipe.name).outcome == "removed"
    assert [path.read_bytes() for path in _files(recipe, surroundings)] == before
    assert disconnect(recipe.name).outcome == "absent"
    assert not list(store.folder.rglob("*"))


@pytest.mark.parametrize("recipe", WITH_FILES, ids=lambda recipe: recipe.name)
def test_without_a_file_none_is_left(
    recipe: Recipe, connect: Act, disconnect: Act, surroundings: Surroundings, home: Path
) -> None:
    assert connect(recipe.name, dry_run=True).outcome == "dry-run"
    assert list(home.iterdir()) == []
    assert connect(recipe.name).outcome == "written"
    for path in _files(recipe, surroundings):
        assert path.read_text().endswith("\n")
        if os.name == "posix":
            assert path.stat().st_mode & 0o077 == 0, "it holds a key"
    assert disconnect(recipe.name).outcome == "removed"
    assert list(home.iterdir()) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.dictionaries(
        st.text("abcmodelprvid_", min_size=1, max_size=8),
        st.recursive(
            st.booleans() | st.integers(-99, 99) | st.text(max_size=6),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    ),
    indent=st.sampled_from([None, 2, 4, "\t"]),
    line=st.sampled_from(["\n", "\r\n"]),
    end=st.sampled_from(["", "\n", "\n\n"]),
)
def test_any_json_comes_back_as_it_was(
    connect: Act, disconnect: Act, home: Path, content: dict[str, Any], indent: Any, line: str, end: str
) -> None:
    path = home / ".config/opencode/opencode.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = (json.dumps(content, indent=indent, ensure_ascii=False) + end).replace("\n", line).encode()
    path.write_bytes(before)
    if connect("opencode").outcome == "written":
        said = json.loads(path.read_bytes())
        untouched = content.keys() - {"model", "small_model", "provider"}
        assert {key: said[key] for key in untouched} == {key: content[key] for key in untouched}
        assert disconnect("opencode").outcome == "removed"
    assert path.read_bytes() == before


def test_what_was_changed_since_stays(connect: Act, disconnect: Act, home: Path) -> None:
    path = home / ".config/opencode/opencode.json"
    path.parent.mkdir(parents=True)
    path.write_text('{\n  "model": "other/big",\n  "small_model": "other/small"\n}\n')
    connect("opencode")
    said = json.loads(path.read_text())
    said["model"] = "mine/since"
    said["theme"] = "dark"
    said["provider"]["claudemax"]["name"] = "renamed"
    path.write_text(json.dumps(said, indent=2))
    ended = disconnect("opencode")
    assert json.loads(path.read_text()) == {"model": "mine/since", "small_model": "other/small", "theme": "dark"}
    assert ended.files[0].why == "Changed since, so left as is: model"


def test_set_up_again_after_a_change_by_hand(connect: Act, disconnect: Act, home: Path) -> None:
    """What is taken back in the end is what was written, not what the person added in between."""
    path = home / ".codex/config.toml"
    path.parent.mkdir()
    path.write_text('model = "gpt-5"\n')
    connect("codex")
    path.write_text(path.read_text() + '\n[tui]\ntheme = "dark"\n')
    connect("codex", Target("http://127.0.0.1:4000", "k", "opus"))
    disconnect("codex")
    assert opened("toml", path.read_text()).value() == {"model": "gpt-5", "tui": {"theme": "dark"}}


def test_a_link_stays_a_link(connect: Act, disconnect: Act, home: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "config.yml"
    real.parent.mkdir()
    real.write_text("# mine\nmodel: other\n")
    link = home / ".aider.conf.yml"
    link.symlink_to(real)
    connect("aider")
    assert link.is_symlink()
    assert opened("yaml", real.read_text()).value()["model"] == "openai/sonnet"
    disconnect("aider")
    assert link.is_symlink()
    assert real.read_text() == "# mine\nmodel: other\n"


@pytest.mark.skipif(os.name != "posix", reason="modes and owners of files")
@pytest.mark.parametrize("kind", ["read-only", "folder", "owner", "circle", "binary", "is a folder"])
def test_a_file_that_is_not_ours_to_write_is_left_alone(kind: str, connect: Act, home: Path) -> None:
    path = home / ".aider.conf.yml"
    path.write_text("model: other\n")
    says = {"read-only": "read-only", "folder": "the folder", "owner": "belongs to", "circle": "link",
            "binary": "UTF-8", "is a folder": "folder"}[kind]  # fmt: skip
    match kind:
        case "read-only":
            path.chmod(0o444)
        case "folder":
            home.chmod(0o555)
        case "owner":
            if os.geteuid() != 0:
                pytest.skip("only root can give a file away")
            os.chown(path, 12345, -1)
        case "circle":
            path.unlink()
            path.symlink_to(path)
        case "binary":
            path.write_bytes(b"\xff\xfe\x00")
        case "is a folder":
            path.unlink()
            path.mkdir()
    ended = connect("aider")
    home.chmod(0o755)
    assert ended.outcome == "refused"
    assert says in ended.files[0].why
    assert opened("yaml", ended.files[0].paste).value()["model"] == "openai/sonnet"
    if path.is_file():
        assert path.read_bytes() in (b"model: other\n", b"\xff\xfe\x00")


@pytest.mark.parametrize(("name", "text"), [("opencode", '{"a": 1'), ("codex", "a = "), ("aider", "a: [1")])
def test_a_file_that_cannot_be_read_is_left_alone(
    name: str, text: str, connect: Act, surroundings: Surroundings
) -> None:
    path = _files(catalogue()[name], surroundings)[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    ended = connect(name)
    assert (ended.outcome, ended.exit) == ("refused", 1)
    assert "cannot be read as" in ended.files[0].why
    assert "claudemax" in ended.files[0].paste or "openai" in ended.files[0].paste
    assert path.read_text() == text


def test_one_bad_file_of_two_leaves_both(connect: Act, home: Path) -> None:
    (home / ".pi/agent").mkdir(parents=True)
    (home / ".pi/agent/settings.json").write_text("{")
    assert connect("pi").outcome == "refused"
    assert not (home / ".pi/agent/models.json").exists()


@pytest.mark.parametrize(
    ("name", "variable", "file"),
    [
        ("codex", "CODEX_HOME", "config.toml"),
        ("claude", "CLAUDE_CONFIG_DIR", "settings.json"),
        ("continue", "CONTINUE_GLOBAL_DIR", "config.yaml"),
        ("pi", "PI_CODING_AGENT_DIR", "models.json"),
        ("llm", "LLM_USER_PATH", "extra-openai-models.yaml"),
        ("openclaw", "OPENCLAW_STATE_DIR", "openclaw.json"),
        ("opencode", "XDG_CONFIG_HOME", "opencode/opencode.jsonc"),
        ("crush", "CRUSH_GLOBAL_CONFIG", "crush.json"),
    ],
)
def test_a_place_that_a_variable_moved(
    name: str, variable: str, file: str, connect: Act, disconnect: Act, home: Path, tmp_path: Path
) -> None:
    moved = Surroundings({"PATH": "", variable: str(tmp_path / "moved")}, home, "linux")
    connect(name, where=moved)
    assert (tmp_path / "moved" / file).is_file()
    assert list(home.iterdir()) == []
    # Set up in the usual place too: both are taken back.
    connect(name)
    assert list(home.iterdir()) != []
    assert disconnect(name).outcome == "removed"
    assert not (tmp_path / "moved").exists()
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("darwin", "Library/Application Support/Code/User"),
        ("win32", "AppData/Roaming/Code/User"),
        ("linux", ".config/Code/User"),
    ],
)
def test_each_platform_has_its_place(platform: str, place: str, home: Path) -> None:
    where = Surroundings({}, home, platform)
    assert where.where(catalogue()["vscode"].files[0]) == home / place / "chatLanguageModels.json"


def test_a_file_that_is_missing_later(connect: Act, disconnect: Act, home: Path, store: Store) -> None:
    connect("aider")
    (home / ".aider.conf.yml").unlink()
    ended = disconnect("aider")
    assert (ended.outcome, ended.files[0].why) == ("unchanged", "Already removed.")
    assert store.load("aider") == ()


def test_a_record_that_is_damaged_takes_nothing_away(connect: Act, disconnect: Act, home: Path, store: Store) -> None:
    connect("aider")
    (store.folder / "aider.json").write_text("{")
    text = (home / ".aider.conf.yml").read_text()
    assert disconnect("aider").outcome == "absent"
    assert (home / ".aider.conf.yml").read_text() == text


def test_an_unknown_client_is_named_with_the_nearest(connect: Act) -> None:
    with pytest.raises(ConfigError, match="Is it opencode\\?"):
        connect("opencod")


@pytest.mark.parametrize("recipe", [r for r in catalogue().values() if not r.files], ids=lambda recipe: recipe.name)
def test_steps_for_a_person_are_filled_in(recipe: Recipe, connect: Act, home: Path) -> None:
    ended = connect(recipe.name)
    assert ended.outcome == "by hand"
    assert "3456" in "".join(ended.steps)
    assert "{" not in "".join(ended.steps)
    assert list(home.iterdir()) == []


def test_a_client_that_runs_is_named() -> None:
    """As which this very process stands in."""
    here = psutil.Process()
    said = _running(replace(catalogue()["codex"], programs=(here.name(),)))
    assert [line for line in said if line.startswith("Codex CLI is running (process ")] == list(said) != []
    assert _running(replace(catalogue()["codex"], programs=("no-such-program",))) == ()


def test_a_process_of_a_proxy_is_not_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = SimpleNamespace(pid=7, info={"name": "claude", "cmdline": ["/bin/claude", *ARGUMENTS]})
    person = SimpleNamespace(pid=8, info={"name": "claude", "cmdline": None})
    monkeypatch.setattr(psutil, "process_iter", lambda _: [worker, person])
    assert "(process 8)" in _running(catalogue()["claude"])[0]
    monkeypatch.setattr(psutil, "process_iter", lambda _: [worker])
    assert _running(catalogue()["claude"]) == ()


def test_a_file_that_changes_meanwhile_is_not_written(home: Path, surroundings: Surroundings) -> None:
    path = home / ".aider.conf.yml"
    path.write_text("model: other\n")
    edit = to_connect(catalogue()["aider"].files[0], TARGET, surroundings, ())
    path.write_text("model: newer\n")
    kept: list[str] = []
    with pytest.raises(ConfigError, match="was changed by another program meanwhile"):
        actions._write([edit], lambda: kept.append("record"))
    assert (path.read_text(), kept) == ("model: newer\n", [])


def test_a_backup_is_the_file_as_it_was(connect: Act, home: Path) -> None:
    path = home / ".aider.conf.yml"
    path.write_bytes(b"model: other\r\n")
    path.chmod(0o640)
    backup = connect("aider").files[0].backup
    assert backup is not None
    assert backup.read_bytes() == b"model: other\r\n"
    if os.name == "posix":
        assert (path.stat().st_mode & 0o777, backup.stat().st_mode & 0o777) == (0o640, 0o600)
