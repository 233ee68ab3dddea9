"""Finding `claude`, with programs made for the test: the first that is good, never another than was named."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_max.proxy.engine.probe import locate as module
from claude_max.proxy.engine.probe.locate import candidates, locate
from claude_max.proxy.engine.wire.versions import MINIMUM, dotted
from claude_max.proxy.errors import CliTooOld, CliUnavailable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")

GOOD, OLD = "echo '2.1.330 (Claude Code)'", "echo '2.1.197 (Claude Code)'"


def program(folder: Path, script: str, name: str = "claude") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own programs are not there."""
    found = module._everywhere

    def here(environ: dict[str, str]) -> Iterator[tuple[Path, str]]:
        roots = (environ["HOME"], *filter(None, environ["PATH"].split(":")))
        return ((path, source) for path, source in found(environ) if str(path).startswith(roots))

    monkeypatch.setattr(module, "_everywhere", here)


def environ(home: Path, *folders: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": ":".join(map(str, folders))}


def test_the_first_on_path_wins(tmp_path: Path) -> None:
    first, second = program(tmp_path / "1", GOOD), program(tmp_path / "2", GOOD)
    found = locate(None, environ(tmp_path, tmp_path / "0", first.parent, second.parent))
    assert (found.path, found.source, found.version_text) == (first, "PATH", "2.1.330")


def test_one_that_is_too_old_or_broken_is_skipped_for_the_next(tmp_path: Path) -> None:
    old, broken = program(tmp_path / "1", OLD), program(tmp_path / "2", "exit 3")
    usual = program(tmp_path / "home/.claude/local", "echo 2.1.248")
    found = locate(None, environ(tmp_path / "home", old.parent, broken.parent))
    assert (found.path, found.source, found.version) == (usual, "a usual place", MINIMUM)


def test_the_named_one_wins(tmp_path: Path) -> None:
    named = program(tmp_path / "1", "echo 2.2.0", "my-claude")
    other = program(tmp_path / "2", GOOD)
    assert locate(str(named), environ(tmp_path, other.parent)).path == named


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (OLD, f"at least {dotted(MINIMUM)} is needed, because older ones read local files"),
        (OLD, "`claude update`"),
        ("exit 3", "did not say its version (exit code 3)"),
        ("echo hello", "`npm install -g @anthropic-ai/claude-code`"),
    ],
)
def test_the_named_one_is_never_replaced(tmp_path: Path, script: str, words: str) -> None:
    named = program(tmp_path / "1", script)
    other = program(tmp_path / "2", GOOD)
    with pytest.raises(CliUnavailable) as caught:
        locate(str(named), environ(tmp_path, other.parent))
    assert words in caught.value.message
    assert str(named) in caught.value.message


def test_a_named_one_that_is_not_there_or_no_program(tmp_path: Path) -> None:
    with pytest.raises(CliUnavailable, match="There is no Claude Code CLI at"):
        locate(str(tmp_path / "none"), {})
    text = tmp_path / "text"
    text.write_text("hello")
    with pytest.raises(CliUnavailable, match="does not run: Permission denied"):
        locate(str(text), {})


def test_a_named_one_in_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = program(tmp_path / "1", GOOD)
    monkeypatch.chdir(named.parent)
    assert locate(f"./{named.name}", {"PATH": ""}).path == named


@pytest.mark.usefixtures("only_here")
def test_where_none_is_good_enough_each_is_named(tmp_path: Path) -> None:
    old, broken = program(tmp_path / "1", OLD), program(tmp_path / "2", "exit 3")
    with pytest.raises(CliTooOld) as caught:
        locate(None, environ(tmp_path, old.parent, broken.parent))
    message = caught.value.message
    assert message.startswith("No usable Claude Code CLI. ")
    assert all(part in message for part in (str(old), "2.1.197", "`claude update`", str(broken), "exit code 3"))


@pytest.mark.usefixtures("only_here")
def test_where_there_is_none_the_ways_to_get_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(CliUnavailable, match=r"not found on PATH.*npm install.*uv tool install '\.\[cli\]'"):
        locate(None, environ(tmp_path, tmp_path))


@pytest.mark.usefixtures("only_here")
def test_each_candidate_comes_once_whatever_links_lead_to_it(tmp_path: Path) -> None:
    real = program(tmp_path / "1", GOOD)
    link = tmp_path / "home/.local/bin/claude"
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    another = program(tmp_path / "home/.bun/bin", GOOD)
    found = candidates(environ(tmp_path / "home", real.parent, real.parent))
    assert list(found) == [(real, "PATH"), (another, "a usual place")]


@pytest.mark.usefixtures("only_here")
def test_an_empty_entry_of_path_is_not_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path)
    assert list(candidates({"HOME": str(tmp_path / "home"), "PATH": ":"})) == []


def test_one_that_prints_rubbish_is_skipped(tmp_path: Path) -> None:
    rubbish, good = program(tmp_path / "1", "printf '\\377\\376'"), program(tmp_path / "2", GOOD)
    assert locate(None, environ(tmp_path, rubbish.parent, good.parent)).path == good
