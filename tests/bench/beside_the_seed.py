"""This proxy beside the seed (npm `claude-max-api-proxy` 1.0.0): one run, the same CLI, the same scripted API.

    uv run python tests/bench/beside_the_seed.py [--json] [--rounds N]

Each round starts both afresh and takes every measure on both, one after the other, the first in turns. Absolute times
depend on the machine and what else it does; the ratios of one run are what counts.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.client import Message, ask, batch, counted, slow, system, user
from bench.servers import SEED, SEED_VERSION, Server, bundled_claude, install_seed, ours, seed
from claude_max.proxy.scripted import ScriptedAPI, ScriptedServer, scripted_in_thread

ROUNDS = 7
REQUESTS, AT_ONCE = 12, 8
LIMIT = 8  # our own default of --workers
TURNS = 10
HISTORY = 100
SAMPLES = 3  # of what takes one request, in each round
IN_FLIGHT, LONG_SECONDS = 4, 10.0
BATCH = f"{REQUESTS} requests, {AT_ONCE} at a time"
NOTES = f"""\
The seed makes one prompt of system prompt and history, drops tools, response_format, stop, max_tokens and temperature
in silence, shows the model its own built-in tools, and starts a process for every request.
SIGTERM comes while {IN_FLIGHT} answers of {LONG_SECONDS:g} s each are streamed. The seed waits for their ends, however
long that takes; ours gives them 4 s.
First batch: both just started, ours with 2 processes, and only conversations one after the other before it."""


@dataclass(frozen=True)
class Measure:
    """A row. Wanted is a `ratio` of ours to the seed's, or an `absolute` of ours; of a rate at least, else at most."""

    title: str
    unit: str
    ratio: float | None = None
    absolute: float | None = None

    @property
    def wanted(self) -> str:
        """In words."""
        sign = ">=" if self.unit == "/s" else "<="
        if self.ratio is not None:
            return f"{sign} {self.ratio:g} x"
        return "" if self.absolute is None else f"{sign} {self.absolute:g} {self.unit}".strip()

    def reached(self, theirs: float, own: float) -> bool | None:
        """Whether two medians are as wanted; None where nothing is."""
        bound = theirs * self.ratio if self.ratio is not None else self.absolute
        if bound is None:
            return None
        return own >= bound if self.unit == "/s" else own <= bound


MEASURES = {
    "new": Measure("first token: new conversation, own system prompt", "s", ratio=0.11),
    "later": Measure("first token: the same, after longer conversations", "s", ratio=0.11),
    "history": Measure(f"first token: a history of {HISTORY} turns from cold", "s", ratio=0.2),
    "turns": Measure(f"first token: turns 2-{TURNS} of one conversation", "s", ratio=0.08),
    "edited": Measure("first token: 4 turns, their 2nd user message changed", "s", ratio=0.12),
    "cut": Measure("first token: cut back to the changed 2nd user message", "s", ratio=0.12),
    "cold rate": Measure(f"{BATCH}, first batch: rate", "/s", ratio=8),
    "cold p50": Measure(f"{BATCH}, first batch: first token p50", "s"),
    "rate": Measure(f"{BATCH}, further batch: rate", "/s", ratio=8),
    "p50": Measure(f"{BATCH}, further batch: first token p50", "s"),
    "processes": Measure("most claude processes at once", "", absolute=LIMIT),
    "body": Measure('request body upstream for "Hello"', "chars"),
    "gone": Measure("SIGTERM to the end of every process", "s", absolute=6),
}


class Bench:
    """One run: the samples of every measure on both servers."""

    def __init__(self, api: ScriptedServer, claude: Path) -> None:
        self._api = api
        self._claude = claude
        self.samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def round(self, number: int) -> None:
        """Starts both and takes every measure on each in turn."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            servers = [
                stack.enter_context(seed(folder, self._api, self._claude)),
                stack.enter_context(ours(folder, self._api, self._claude)),
            ]
            if number % 2:
                servers.reverse()
            for _ in range(SAMPLES):
                for server in servers:
                    self._first("new", server, system(), user())
            for measure in (
                self._history,
                self._turns,
                self._edited,
                self._later,
                self._body,
                self._batches,
                self._gone,
            ):
                for server in servers:
                    measure(server)

    def _first(self, key: str, server: Server, *messages: Message) -> str:
        server.rest()
        answer = ask(server.url, *messages)
        self._note(key, server, answer.first)
        return answer.text

    def _turns(self, server: Server) -> None:
        self._conversation(server, TURNS, "turns")

    def _history(self, server: Server) -> None:
        """A conversation that neither has seen before, as another program's is when it is taken up."""
        for _ in range(SAMPLES):
            past = [system()]
            for turn in range(HISTORY):
                past += [user(), {"role": "assistant", "content": f"answer {turn}"}]
            self._first("history", server, *past, user())

    def _edited(self, server: Server) -> None:
        for _ in range(SAMPLES - 1):
            history = self._conversation(server, 4)[:-1]
            history[3] = user("changed")
            self._first("edited", server, *history)
            self._first("cut", server, *history[:3], user("changed again"))

    def _later(self, server: Server) -> None:
        for _ in range(SAMPLES):
            self._first("later", server, system(), user())

    def _conversation(self, server: Server, turns: int, key: str = "") -> list[Message]:
        """A live one: the messages after `turns` answers. `key` notes the first token of each turn but the first."""
        history = [system()]
        for turn in range(turns):
            history.append(user())
            said = self._first(key if turn else "", server, *history)
            history.append({"role": "assistant", "content": said})
        return history

    def _body(self, server: Server) -> None:
        server.rest()
        ask(server.url, {"role": "user", "content": "Hello"})
        body = self._api.api.bodies()[-1]
        self._note("body", server, len(json.dumps(body, ensure_ascii=False, separators=(",", ":"))))

    def _batches(self, server: Server) -> None:
        for prefix in ("cold ", ""):
            server.rest()
            done = batch(server.url, REQUESTS, AT_ONCE)
            self._note(f"{prefix}rate", server, done.rate)
            self._note(f"{prefix}p50", server, statistics.median(answer.first for answer in done.answers))
        server.rest()
        # Counting costs processor time, so it is not done while anything is timed.
        with counted(server.pid, server.claude) as crowd:
            batch(server.url, REQUESTS, AT_ONCE)
        self._note("processes", server, crowd.processes)

    def _gone(self, server: Server) -> None:
        server.rest()
        before = self._api.api.arrived

        def run() -> None:
            with suppress(OSError, RuntimeError, ValueError):
                ask(server.url, system(), slow(LONG_SECONDS))

        clients = [threading.Thread(target=run, daemon=True) for _ in range(IN_FLIGHT)]
        for client in clients:
            client.start()
        self._api.wait_for(before + IN_FLIGHT, 60)
        time.sleep(0.3)
        self._note("gone", server, server.end())
        for client in clients:
            client.join(30)

    def _note(self, key: str, server: Server, value: float) -> None:
        if key:
            self.samples[key][server.name].append(value)


def rows(samples: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    """A row for each measure: the medians, what is wanted, and every sample."""
    found = []
    for key, measure in MEASURES.items():
        middle = max if key == "processes" else statistics.median
        theirs, own = (float(middle(samples[key][name])) for name in ("seed", "ours"))
        row = {"measure": measure.title, "unit": measure.unit, "seed": theirs, "ours": own, "ratio": own / theirs}
        row |= {"wanted": measure.wanted, "reached": measure.reached(theirs, own), "samples": dict(samples[key])}
        found.append(row)
    return found


def setting(claude: Path, rounds: int) -> dict[str, Any]:
    """The machine and the versions."""

    def says(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": [round(load, 1) for load in os.getloadavg()],
        "claude": says(str(claude), "--version"),
        "seed": f"{SEED} {SEED_VERSION} on node {says('node', '--version')}",
        "ours": f"{says(str(Path(sys.executable).parent / 'claude-max'), '--version')} on {platform.python_version()}",
        "rounds": rounds,
    }


def table(found: list[dict[str, Any]]) -> str:
    """The rows as a markdown table."""
    lines = ["| measure | seed | ours | ratio | wanted | |", "|---|---|---|---|---|---|"]
    for row in found:
        cells = [row["measure"], *(_amount(row[name], row["unit"]) for name in ("seed", "ours"))]
        verdict = {True: "yes", False: "NO", None: ""}[row["reached"]]
        lines.append(f"| {' | '.join(cells)} | {row['ratio']:.3g} | {row['wanted']} | {verdict} |")
    return "\n".join(lines)


def _amount(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if unit in ("", "chars") else f"{value:.3f}" if value < 1 else f"{value:.2f}"
    return f"{number} {unit}".strip()


def main() -> None:
    """Runs and prints; a missed target is printed, never an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON, with every sample")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    claude = bundled_claude()
    install_seed()
    with scripted_in_thread(ScriptedAPI()) as api:
        bench = Bench(api, claude)
        where = setting(claude, options.rounds)
        for number in range(options.rounds):
            bench.round(number)
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    found = rows(bench.samples)
    if options.json:
        print(json.dumps({"setting": where, "rows": found, "notes": NOTES.splitlines()}, indent=2))
        return
    print("\n".join(f"{name}: {value}" for name, value in where.items()), table(found), NOTES, sep="\n\n")


if __name__ == "__main__":
    main()
