"""The pure part of the benchmark: figures, verdicts, the choice of rows, the history and the table made of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench import history, report
from bench.client import CannotError
from bench.peers import Peer, commands
from bench.rows import BESIDE, NPM, OURS, PYPI, Row, amount, figures, ratio
from bench.runner import Runner
from bench.scenarios import ROWS, SCENARIOS, Needs, Scenario, chosen
from bench.servers import Server
from claude_max.proxy.scripted import ScriptedServer

SPEED = Row("speed", "a rate", "/s", ratio=12, more=True)
WAIT = Row("wait", "a wait", "s", ratio=0.5)
CPU = Row("cpu", "time of the processor", "µs", absolute=120)
PLAIN = Row("plain", "a number", "", most=True)
SEVERAL = {row.key: row for row in (SPEED, WAIT, CPU, PLAIN)}
LINE: dict[str, Any] = {
    "date": "2026-12-01",
    "machine": {"cores": 2, "processor": "A processor", "memory GB": 8, "system": "Linux 6 x86_64"},
    "versions": {NPM: "npm-package 1", PYPI: "", OURS: "claude-max 1, commit abc", "cli": "2.1", "python": "3.11"},
    "run": {"rounds": 3, "load before": 0.1, "cores used by others": 0.02, "quiet": True},
    "rows": {
        "speed": {NPM: 2.0, PYPI: None, OURS: 30.0, "ratio": 15.0, "reached": True},
        "a row that is no more": {OURS: 1.0, "ratio": None, "reached": None},
        "wait": {NPM: 0.4, PYPI: 1.25, OURS: 0.3, "ratio": 0.75, "reached": False},
    },
    "missing": {PYPI: {"speed": "response_format is dropped"}},
}


@pytest.mark.parametrize(
    ("row", "theirs", "own", "reached"),
    [
        (SPEED, 2.0, 24.0, True),
        (SPEED, 2.0, 23.9, False),
        (SPEED, None, 24.0, None),
        (WAIT, 1.0, 0.5, True),
        (WAIT, 1.0, 0.51, False),
        (WAIT, 1.0, None, None),
        (CPU, None, 120.0, True),
        (CPU, 1.0, 121.0, False),
        (PLAIN, 1.0, 1.0, None),
    ],
)
def test_whether_a_row_is_as_wanted(row: Row, theirs: float | None, own: float | None, reached: bool | None) -> None:
    assert row.reached({NPM: theirs, OURS: own}) is reached


def test_what_is_wanted_in_words() -> None:
    assert [row.wanted for row in (SPEED, CPU, PLAIN)] == ["at least 12 ×", "at most 120 µs", ""]  # noqa: RUF001


def test_the_figure_of_a_row_is_the_median_or_the_most() -> None:
    samples = {NPM: [3.0, 1.0, 100.0, 2.0], OURS: []}
    assert figures(WAIT, samples, [NPM, PYPI, OURS]) == {NPM: 2.5, PYPI: None, OURS: None}
    assert figures(PLAIN, samples, [NPM]) == {NPM: 100.0}


def test_a_ratio_needs_both_and_a_divisor() -> None:
    assert ratio({OURS: 1.0, NPM: 4.0}) == 0.25
    assert ratio({OURS: 3.0, BESIDE: 2.0}, BESIDE) == 1.5
    assert [ratio(each) for each in ({OURS: 1.0}, {OURS: 1.0, NPM: 0.0}, {NPM: 1.0, OURS: None})] == [None] * 3


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "-"),
        (0.04567, "s", "0.046 s"),
        (1.005, "s", "1.00 s"),
        (12.34, "ms", "12.3 ms"),
        (1234.5, "MB", "1,234 MB"),
        (48957, "", "48,957"),
        (0, "", "0"),
        (-0.02, "s", "-0.020 s"),
    ],
)
def test_an_amount(value: float | None, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_no_two_rows_have_one_key() -> None:
    keys = [row.key for scenario in SCENARIOS for row in scenario.rows]
    assert len(keys) == len(set(keys)) == len(ROWS)
    assert not [row for row in ROWS.values() if row.ratio is not None and row.absolute is not None]
    assert not [key for key in keys if "," in key]


def test_rows_are_chosen_with_what_they_need() -> None:
    assert chosen(None, quick=False) == list(SCENARIOS)
    assert [each.rows[0].key for each in chosen(["memory after", "new"], quick=False)] == [
        "new", "memory server", "memory after",
    ]  # fmt: skip
    quick = chosen(None, quick=True)
    assert quick == [scenario for scenario in SCENARIOS if not scenario.slow]
    assert [each.rows[0].key for each in chosen(["at once 16"], quick=True)] == ["at once 16"]
    with pytest.raises(KeyError, match="no such row"):
        chosen(["new", "no such row"], quick=False)


def test_every_command_is_asked_for_its_help() -> None:
    assert {(), ("serve",), ("config",), ("config", "show"), ("help",)} <= set(commands())


def test_the_samples_become_rows() -> None:
    samples = {"speed": {NPM: [1.0, 3.0], OURS: [40.0], BESIDE: [20.0]}, "cpu": {OURS: [121.23456]}, "plain": {}}
    assert report.found(SEVERAL, samples, [NPM, BESIDE, OURS]) == {
        "speed": {NPM: 2, BESIDE: 20, OURS: 40, "ratio": 20, "reached": True, "ratio beside": 2},
        "cpu": {NPM: None, BESIDE: None, OURS: 121.2, "ratio": None, "reached": False, "ratio beside": None},
    }


def test_the_page_is_made_of_the_newest_run(tmp_path: Path) -> None:
    file, page = tmp_path / "history.jsonl", "# A page\n<!-- benchmark -->\nold\n<!-- end benchmark -->\nrest\n"
    assert history.newest(file) is None
    assert history.document(page, None, SEVERAL) == page
    history.append({**LINE, "date": "2026-11-01"}, file)
    history.append(LINE, file)
    assert [json.loads(line)["date"] for line in file.read_text("utf-8").splitlines()] == ["2026-11-01", "2026-12-01"]
    made = history.document(page, history.newest(file), SEVERAL)
    assert made == (
        "# A page\n<!-- benchmark -->\n"
        "Measured on 2026-12-01, in 3 rounds, on 2 cores (A processor), 8 GB, Linux 6 x86_64: npm-package 1;"
        " claude-max 1, commit abc; Claude Code 2.1; Python 3.11.\n\n"
        "|  | npm | PyPI | claude-max | ratio | wanted | reached |\n"
        "|---|---|---|---|---|---|---|\n"
        "| a rate | 2.00 /s | - | 30.0 /s | 15 × | at least 12 × | yes |\n"  # noqa: RUF001
        "| a wait | 0.400 s | 1.25 s | 0.300 s | 0.75 × | at most 0.5 × | **no** |\n"  # noqa: RUF001
        "<!-- end benchmark -->\nrest\n"
    )
    assert history.document(made, history.newest(file), SEVERAL) == made
    loud = {**LINE, "run": {**LINE["run"], "quiet": False, "cores used by others": 1.5}}
    assert "**The machine was not quiet**: others used 1.5 cores." in history.block(loud, SEVERAL)
    with pytest.raises(ValueError, match="no <!-- benchmark"):
        history.document("# Another page\n", LINE, SEVERAL)


def test_the_documentation_is_of_the_newest_run() -> None:
    text = history.DOCUMENT.read_text("utf-8")
    assert history.document(text, history.newest()) == text, "uv run python tests/bench/history.py --write"


def test_every_line_of_the_history_is_whole() -> None:
    lines = history.FILE.read_text("utf-8").splitlines() if history.FILE.exists() else []
    assert [line for line in map(json.loads, lines) if line.keys() != LINE.keys()] == []


class Stands:
    """Servers that answer nothing; `events` tells which were started, measured and ended."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def peer(self, name: str, *, alone: bool = False) -> Peer:
        @contextmanager
        def start(folder: Path, _api: ScriptedServer) -> Iterator[Server]:
            self.events.append(f"+{folder.name}")
            yield cast("Server", SimpleNamespace(name=name, runs=True))
            self.events.append(f"-{folder.name}")

        return Peer(name, f"{name} 1", start, alone)

    def scenario(self, key: str, *cannot: str) -> Scenario:
        def measure(server: Server) -> Iterator[tuple[str, float]]:
            self.events.append(f"{server.name} {key}")
            if server.name in cannot:
                raise CannotError("not here")
            yield key, 1.0

        return Scenario(measure, (Row(key, key, "s"),))


def test_a_run_takes_each_measurement_on_each_server_in_turn(tmp_path: Path) -> None:
    stands = Stands()
    peers = [stands.peer(NPM), stands.peer(PYPI, alone=True), stands.peer(OURS)]
    scenarios = [
        stands.scenario("a", NPM),
        replace(stands.scenario("b"), peer_rounds=2),
        replace(stands.scenario("c"), needs=Needs.FRESH, rounds=1),
        replace(stands.scenario("d"), needs=Needs.SAME, rounds=1),
    ]
    runner = Runner(peers, cast("ScriptedServer", None), tmp_path)
    runner.run(scenarios, 2)
    assert runner.missing == {NPM: {"a": "not here"}}
    assert runner.samples == {
        "a": {PYPI: [1], OURS: [1, 1]},
        "b": {NPM: [1, 1], PYPI: [1, 1], OURS: [1, 1]},
        "c": {NPM: [1], PYPI: [1], OURS: [1]},
        "d": {NPM: [1], PYPI: [1], OURS: [1]},
    }
    first, second = stands.events[:27], stands.events[27:]
    assert [event for event in first if event[0] not in "+-"] == [
        f"{name} {key}" for key in "abcd" for name in (NPM, PYPI, OURS)
    ]
    assert [event for event in second if event[0] not in "+-"] == ["ours a", "ours b", "pypi b", "npm b"]
    assert first.count("+pypi-2") == first.count("-pypi-2") == 1
    begun = [event[1:] for event in stands.events if event[0] == "+"]
    assert sorted(begun) == sorted(event[1:] for event in stands.events if event[0] == "-")
