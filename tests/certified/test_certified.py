"""Each client does its job: an answer, a tool that makes a file; and takes a rate limit and a cut stream well.

`uv run pytest -m certified tests/certified`; the outcome goes to outcomes.json, of which docs/certified.md is made.
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from certified.conftest import RUN_SECONDS, SetUp
from harness.asking import directive
from harness.proxy import RunningProxy

pytestmark = [pytest.mark.timeout(RUN_SECONDS * 2 + 600), pytest.mark.xdist_group("certified")]
Keep = Callable[[str, str], None]
# How a client may name what went wrong.
TOLD = re.compile(r"429|rate.?limit|limit|too many|overload|error|fail|retr|interrupt|disconnect|cut", re.IGNORECASE)


def prompt(**reply: Any) -> str:
    """One that the scripted model answers so."""
    return f"Good day.\n{directive(**reply)}\n"


def test_a_plain_answer(client: SetUp, found_out: Keep) -> None:
    found_out("a plain answer", "fails")
    done = client.ask(prompt(text="Lovely weather."))
    assert "Lovely weather." in done.stdout, done.all
    found_out("a plain answer", "works")


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
    assert TOLD.search(done.all), done.all
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
    assert TOLD.search(done.all) or done.returncode != 0, done.all
    found_out("a cut stream", "works: says so")


def _asked(running: RunningProxy, marker: str) -> int:
    """How often the answer itself was asked for: a title beside it has other tools, or none."""
    return max(Counter(str(body["tools"]) for body in running.bodies(marker)).values(), default=0)
