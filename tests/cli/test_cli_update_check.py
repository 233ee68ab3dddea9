"""`claude-max --version` and a newer version: asked for in the background, once a day, only where it is wanted."""

import json
import stat
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from harness.command import Ended, claude_max
from harness.machine import eventually
from harness.package_index import package_index

from claude_max.cli.update_check import newest_of, upgrade_command

HERE = f"claude-max {version('claude-max-toolkit')}\n"
NEWER = {
    "claude-max-toolkit": {"claude_max_toolkit-9.9.9-py3-none-any.whl": b"x", "claude_max_toolkit-9.9.9.tar.gz": b"x"}
}
# Bounds of a loaded machine; the index is given five.
SOON = 4.0


def asked(home: Path, url: str, *words: str, on: str | None = "true") -> Ended:
    environ = {
        "CLAUDE_MAX_UPDATE_CHECK": on,
        "XDG_CACHE_HOME": str(home / "cache"),
        "UV_DEFAULT_INDEX": None,
        "UV_INDEX_URL": url,
    }
    return claude_max(home, *(words or ("--version",)), environ=environ)


def kept(home: Path) -> Path:
    return home / "cache" / "claude-max" / "update.json"


def test_it_is_told_the_next_time_and_asked_for_once_a_day(home: Path) -> None:
    with package_index(NEWER) as index:
        first = asked(home, index.url)
        assert (first.code, first.out, first.err) == (0, HERE, "")
        eventually(lambda: json.loads(kept(home).read_text())["newest"] == "9.9.9", 10)
        assert stat.S_IMODE(kept(home).stat().st_mode) == 0o600
        second = asked(home, index.url, "version")
        assert second.out == HERE
        assert "claude-max 9.9.9 is available: `pip install --upgrade claude-max-toolkit`" in second.err
        assert index.asked == ["/simple/claude-max-toolkit/"]
        # The next day, with an index that has gone: what is known is told all the same.
        old = {"asked": time.time() - 90_000, "newest": "9.9.9"}
        kept(home).write_text(json.dumps(old))
        assert "9.9.9" in asked(home, "http://127.0.0.1:9/simple").err
        assert json.loads(kept(home).read_text())["asked"] > old["asked"]


def test_nothing_is_asked_unless_it_is_wanted(home: Path) -> None:
    with package_index(NEWER) as index:
        for on in (None, "false"):
            done = asked(home, index.url, on=on)
            assert (done.code, done.out, done.err) == (0, HERE, "")
        # A mistake in the settings is another command's matter.
        assert asked(home, index.url, on="perhaps").out == HERE
    assert index.asked == []
    assert not kept(home).exists()


def test_an_index_that_does_not_answer_keeps_nobody_waiting(home: Path) -> None:
    never = threading.Event()
    with package_index(NEWER, answers=never) as index:
        began = time.monotonic()
        assert asked(home, index.url).out == HERE
        assert time.monotonic() - began < SOON
        eventually(lambda: index.asked, 10)


@pytest.mark.parametrize("content", ["", "[]", '{"asked": 1e99, "newest": "x y"}'])
def test_what_cannot_be_read_is_asked_for_again(home: Path, content: str) -> None:
    kept(home).parent.mkdir(parents=True)
    kept(home).write_text(content)
    done = asked(home, "http://127.0.0.1:9/simple")
    assert (done.code, done.out, done.err) == (0, HERE, "")
    assert json.loads(kept(home).read_text())["newest"] == ""


def wheel_of(number: str, **more: Any) -> dict[str, Any]:
    return {"filename": f"claude_max_toolkit-{number}-py3-none-any.whl", **more}


@pytest.mark.parametrize(
    ("files", "newest"),
    [
        ([], ""),
        ([wheel_of("0.9.0"), wheel_of("0.10.0"), wheel_of("0.2.0")], "0.10.0"),
        ([wheel_of("0.1.0"), wheel_of("0.2.0rc1"), wheel_of("0.3.0.dev1")], "0.1.0"),
        ([wheel_of("0.1.0"), wheel_of("0.2.0", yanked="broken")], "0.1.0"),
        ([wheel_of("0.1.0"), wheel_of("0.2.0", **{"requires-python": ">=3.15"})], "0.1.0"),
        ([{"filename": "claude_max_toolkit-0.2.0.tar.gz"}, {"filename": "README"}, {}], "0.2.0"),
    ],
)
def test_the_newest_of_a_page(files: list[dict[str, Any]], newest: str) -> None:
    assert newest_of(files, "3.12.1") == newest


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/ada/.local/share/uv/tools/claude-max-toolkit", "uv tool upgrade claude-max-toolkit"),
        ("/home/ada/.local/pipx/venvs/claude-max-toolkit", "pipx upgrade claude-max-toolkit"),
        ("/opt/homebrew/Cellar/claude-max/0.1.0/libexec", "brew upgrade claude-max"),
        ("/srv/venv", "pip install --upgrade claude-max-toolkit"),
    ],
)
def test_the_command_fits_the_installation(prefix: str, command: str) -> None:
    assert upgrade_command(prefix) == command
