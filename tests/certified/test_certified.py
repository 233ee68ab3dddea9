"""Each client does its job: an answer, a tool that makes a file; and takes a rate limit and a cut stream well.

`uv run pytest -m certified tests/certified`; the outcome goes to outcomes.json, of which docs/certified.md is made.
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from certified.conftest import RUN_SECONDS, SetUp, end_daemons
from harness.asking import directive
from harness.forked import installed
from harness.proxy import RunningProxy

from claude_max.cli.connect.catalogue import catalogue
from claude_max.cli.connect.places import Surroundings

pytestmark = [pytest.mark.timeout(RUN_SECONDS * 2 + 600), pytest.mark.xdist_group("certified")]
Keep = Callable[[str, str], None]
# What the proxy's own messages say, and how clients put it; nothing that stands in any output.
TOLD = re.compile(
    r"slow down|429|rate.?limit|was lost|econnreset|interrupted|upstream_error|server_error|internal server error",
    re.IGNORECASE,
)


def prompt(**reply: Any) -> str:
    """One that the scripted model answers so."""
    return f"Good day.\n{directive(**reply)}\n"


def test_a_plain_answer(client: SetUp, found_out: Keep) -> None:
    found_out("a plain answer", "fails")
    done = client.ask(prompt(text="Lovely weather."))
    assert "Lovely weather." in done.stdout, done.all
    found_out("a plain answer", "works")


def test_launched_for_once(client: SetUp, found_out: Keep, running: RunningProxy, tmp_path: Path) -> None:
    """With a home in which nothing was set up; no file of the client's own configuration comes to be there."""
    recipe = catalogue()[client.program.name]
    if recipe.launch is None:
        found_out("launch", "by hand")
        pytest.skip("it cannot be launched")
    found_out("launch", "fails")
    fresh = replace(client, folder=tmp_path, environ={**client.environ, "HOME": str(tmp_path)})
    fresh.work.mkdir()
    fresh.environ |= {"CLAUDE_MAX_PORT": running.url.rpartition(":")[2]}
    done = fresh.ask(prompt(text="Lovely weather."), through=(installed(), "launch", client.program.name, "--"))
    assert "Lovely weather." in done.stdout, done.all
    written = [Surroundings({}, tmp_path).where(file) for file in recipe.files]
    told = [path for path in written if path.exists() and "127.0.0.1" in path.read_text()]
    assert bool(told) is client.program.remembers
    end_daemons(tmp_path)
    found_out("launch", "works")


def test_a_tool_makes_a_file(client: SetUp, found_out: Keep) -> None:
    program = client.program
    if program.call is None and program.edit is None:
        found_out("a tool makes a file", "no tools")
        pytest.skip("it has no tools")
    found_out("a tool makes a file", "fails")
    if program.call is None:
        done = client.ask(prompt(text=program.edit))
    else:
        done = client.ask(prompt(call=program.call(client.work), then={"text": "It is made."}), *program.tools)
        assert "It is made." in done.stdout, done.all
    made = client.work / "made.txt"
    assert made.exists(), done.all
    assert made.read_text().strip() == "made"
    found_out("a tool makes a file", "works")


def test_a_429(client: SetUp, found_out: Keep) -> None:
    """It says what happened, or asks again when it may and has its answer."""
    found_out("a 429", "fails")
    limit = {"status": 429, "message": "Slow down.", "reset": int(time.time()) + 3}
    done = client.ask(prompt(text="Lovely weather.", once=limit))
    if "Lovely weather." in done.stdout:
        found_out("a 429", "works: asks again")
        return
    assert _told(done.all), done.all
    found_out("a 429", "works: says so")


def test_a_cut_stream(client: SetUp, found_out: Keep, running: RunningProxy, marker: str) -> None:
    """It asks again, or it ends and says that something went wrong."""
    found_out("a cut stream", "fails")
    # The model never says more, so that one which asks again would do so for ever.
    done = client.ask(f"{marker}\n{prompt(words=40, cut_after=20)}", enough=lambda: _asked(running, marker) > 1)
    assert "word40" not in done.all
    if _asked(running, marker) > 1:
        found_out("a cut stream", "works: asks again")
        return
    assert _told(done.all) or done.returncode != 0, done.all
    found_out("a cut stream", "works: says so")


def _told(said: str) -> bool:
    """Whether it says what went wrong; the prompt, which some show again, says it too."""
    return TOLD.search("\n".join(line for line in said.splitlines() if "scripted:" not in line)) is not None


def _asked(running: RunningProxy, marker: str) -> int:
    """How often the answer itself was asked for: a title beside it has other tools, or none."""
    return max(Counter(str(body["tools"]) for body in running.bodies(marker)).values(), default=0)
