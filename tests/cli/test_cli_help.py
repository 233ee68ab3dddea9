"""Help, versions and documented shapes, as a person reads them."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness.command import claude_max
from harness.forked import installed
from harness.proxy import home_environment
from harness.terminal import shell

from claude_max.cli import background, config, config_edit, doctor, models, report, status_view, usage
from claude_max.cli.connect import exports
from claude_max.cli.connect import results as connected
from claude_max.cli.service import results
from claude_max.proxy.doctor import Finding

DOCS = Path(__file__).parents[2] / "docs/json.md"
COMMANDS = [
    *((), ("serve",), ("start",), ("stop",), ("chat",), ("login",), ("install-agent",), ("uninstall-agent",)),
    *(("service",), ("service", "logs"), ("service", "install"), ("config",), ("config", "set"), ("doctor",)),
    *(
        ("status",),
        ("logs",),
        ("models",),
        ("usage",),
        ("help",),
        ("version",),
        ("connect",),
        ("disconnect",),
        ("launch",),
        ("env",),
    ),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_fits_and_names_options_whole(home: Path, words: tuple[str, ...]) -> None:
    wide = claude_max(home, *words, "--help", environ={"COLUMNS": "200"}).out
    narrow = claude_max(home, *words, "--help", environ={"COLUMNS": "40"}).out
    assert max(map(len, narrow.splitlines())) <= 40
    assert [line for line in narrow.splitlines() if line != line.rstrip()] == []
    options = set(re.findall(r"^  (--[\w-]+)", wide, re.MULTILINE))
    assert "--help" in options
    assert {name for name in options if not re.search(rf"^  {name}\b", narrow, re.MULTILINE)} == set()
    assert not re.search(r"<(str|int|float|bool)|range", wide), "no types"


EVERY_HELP = """
import contextlib, os, sys
from claude_max.cli.entry import run
sys.stdout = open(os.devnull, "w")
for words in {commands}:
    sys.argv = ["claude-max", *words, "--help"]
    with contextlib.suppress(SystemExit):
        run()
print(*sys.modules, file=sys.stderr)
"""


def test_help_loads_little(home: Path) -> None:
    """None of what a command works with: with it, each help would take seconds on a slow machine."""
    program = [sys.executable, "-c", EVERY_HELP.format(commands=COMMANDS)]
    done = subprocess.run(program, env=home_environment(home), capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stderr.split())
    assert "claude_max.cli.help" in loaded
    heavy = {"fastapi", "uvicorn", "httpx2", "asyncio", "psutil", "prompt_toolkit", "tomlkit", "ssl"}
    assert heavy & loaded == set()
    others = ("claude_max.proxy.engine", "claude_max.proxy.config", "rich.markdown", "pygments")
    assert [name for name in loaded if name.startswith(others)] == []


def test_commands_come_in_groups(home: Path) -> None:
    shown = claude_max(home, "--help").out
    heads = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert [head for head in heads if head in ("Run", "Set up", "Inspect")] == ["Run", "Set up", "Inspect"]
    assert "Commands" not in heads


def test_help_as_a_command_is_the_same(home: Path) -> None:
    for words in (("chat",), ("service", "logs")):
        assert claude_max(home, "help", *words).out == claude_max(home, *words, "--help").out
    assert claude_max(home, "help").out == claude_max(home, "--help").out
    ended = claude_max(home, "help", "nonsense")
    assert (ended.code, ended.out) == (2, "")
    assert "Unknown command 'nonsense'" in ended.err


def test_every_way_to_ask_for_the_version(home: Path) -> None:
    said = {claude_max(home, word).out for word in ("version", "--version", "-V")}
    assert len(said) == 1
    assert re.fullmatch(r"claude-max \d+\.\d+\.\d+\n", said.pop())


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_at_a_terminal(home: Path, columns: int) -> None:
    with shell(home_environment(home), installed(), "serve", "--help", columns=columns) as terminal:
        shown = terminal.see("--help")
        assert max(len(line) for line in shown.splitlines()) <= columns
        assert "--drain-timeout SECONDS" in shown
        assert terminal.leaves() == 0


SHAPES = [
    *(
        config.Where,
        config.Shown,
        config.Setting,
        config.Validity,
        config_edit.Changed,
        doctor.Diagnosis,
        Finding,
    ),
    *(doctor.Checks, doctor.Listed, report.Report, models.Models, models.Row, usage.Usage, usage.Window),
    *(status_view.Server, status_view.Asked, status_view.Workers, status_view.Process),
    *(background.Started, background.Stopped, results.Change, results.Status),
    *(connected.Clients, connected.Client, connected.Connected, connected.Changed, exports.Exports),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_field_is_documented(shape: type) -> None:
    """In one row of the table, all of them."""
    rows = DOCS.read_text(encoding="utf-8").splitlines()
    names = [field.name for field in dataclasses.fields(shape)]
    assert any(all(f"`{name}`" in row for name in names) for row in rows), names
