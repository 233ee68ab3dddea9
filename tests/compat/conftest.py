"""Each CLI that is tried, from the wheel of claude-agent-sdk that brings it, and what was found out of it.

`uv run pytest -m compat tests/compat -n 0`. A lane of its own: a wheel has 75 MB. What was downloaded is kept in the
user's cache; the newest release is asked for at every run.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import platformdirs
import pytest
from harness.proxy import RunningProxy, running_proxy, scripted

from claude_max.cli.newest import PACKAGE, download
from claude_max.proxy.engine.probe.locate import Cli, identify

ROOT = Path(__file__).parents[2]
OUTCOMES = Path(__file__).parent / "outcomes.json"
# Of claude-agent-sdk: the one with the oldest CLI that is supported, then some between.
OLDER = ("0.2.146", "0.2.160", "0.2.175")
NEWEST = "newest"


def pinned() -> str:
    """The version in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (version,) = re.findall(rf"{PACKAGE}==(\S+)", " ".join(project["project"]["optional-dependencies"]["cli"]))
    return str(version)


@dataclass(frozen=True)
class Release:
    """A CLI, and the version of the package that it came in."""

    cli: Cli
    package: str


@pytest.fixture(scope="session", params=[*OLDER, pinned(), NEWEST])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """One after the other; the newest only where it is not the pinned one."""
    if request.param != NEWEST:
        return Release(identify(_kept(request.param), request.param), request.param)
    found = download(tmp_path_factory.mktemp("newest"))
    if found.version == pinned():
        pytest.skip(f"the newest is the pinned one, {found.version}")
    return Release(identify(found.program, NEWEST), found.version)


def _kept(version: str) -> Path:
    folder = platformdirs.user_cache_path("claude-max-tests") / "compat" / version
    program = folder / "claude_agent_sdk" / "_bundled" / ("claude.exe" if sys.platform == "win32" else "claude")
    if not program.is_file():
        # Not with the project's own pins.
        wanted = ("--no-deps", "--only-binary", ":all:", "--target", str(folder), f"{PACKAGE}=={version}")
        subprocess.run(["uv", "pip", "install", "--quiet", "--no-config", *wanted], check=True, timeout=600)
    return program


def _proxy(release: Release, home: Path, composition: str) -> Iterator[RunningProxy]:
    environ = {"CLAUDE_MAX_COMPOSITION": composition}
    with (
        scripted() as api,
        running_proxy(home, "--claude-path", str(release.cli.path), api=api, environ=environ) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def exact(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """A proxy that uses this CLI as most requests do."""
    yield from _proxy(release, tmp_path_factory.mktemp("home"), "exact")


@pytest.fixture(scope="module")
def lines(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """One that gives it every request line by line."""
    yield from _proxy(release, tmp_path_factory.mktemp("home"), "lines")


@pytest.fixture
def found_out(release: Release) -> Callable[[str, str], None]:
    """Keeps the outcome of one scenario."""
    return partial(keep, release)


def keep(release: Release, what: str, outcome: str) -> None:
    """Notes an outcome, with the day."""
    known = json.loads(OUTCOMES.read_text(encoding="utf-8"))
    one = known.setdefault(release.cli.version_text, {"works": {}})
    one |= {"package": release.package, "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    one["works"][what] = outcome
    OUTCOMES.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
