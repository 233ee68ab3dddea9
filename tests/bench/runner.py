"""One run: rounds, in each every measurement on every server in turn; its samples, and what could not be measured."""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from claude_max.proxy.scripted import ScriptedServer

from .client import CannotError
from .peers import Peer
from .rows import BESIDE, OURS
from .scenarios import Needs, Scenario
from .servers import Server


class Runner:
    """`samples[row key][server]` are the figures so far; `missing[server]` says why a row has none."""

    def __init__(self, peers: Sequence[Peer], api: ScriptedServer, folder: Path) -> None:
        self._peers, self._api, self._folder = peers, api, folder
        self._open: dict[str, tuple[ExitStack, Server]] = {}
        self._started = 0
        self._failed: set[tuple[str, str]] = set()
        self.samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.missing: dict[str, dict[str, str]] = defaultdict(dict)

    def run(self, scenarios: Sequence[Scenario], rounds: int) -> None:
        """Takes each scenario in as many rounds as it wants; the servers are in another order in every other round."""
        for number in range(rounds):
            try:
                for scenario in scenarios:
                    peers = [peer for peer in self._peers if number < self._rounds(peer, scenario)]
                    for peer in peers if number % 2 == 0 else reversed(peers):
                        self._take(scenario, peer)
            finally:
                for peer in self._peers:
                    self._close(peer)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)

    def _rounds(self, peer: Peer, scenario: Scenario) -> int:
        return scenario.rounds if peer.name in (OURS, BESIDE) else min(scenario.rounds, scenario.peer_rounds)

    def _take(self, scenario: Scenario, peer: Peer) -> None:
        key = scenario.rows[0].key
        if (peer.name, key) in self._failed:
            return
        began = time.monotonic()
        try:
            found = list(scenario.measure(self._server(scenario, peer)))
        except (CannotError, RuntimeError, OSError, ValueError, psutil.Error) as why:
            self._failed.add((peer.name, key))
            self.missing[peer.name][key] = str(why)
            self._close(peer)
            return
        for row, value in found:
            self.samples[row][peer.name].append(value)
        print(f"{peer.name}: {key} ({time.monotonic() - began:.1f} s)", file=sys.stderr)

    def _server(self, scenario: Scenario, peer: Peer) -> Server:
        if scenario.needs is Needs.FRESH or (peer.alone and scenario.needs is not Needs.SAME):
            self._close(peer)
        if peer.name in self._open and not self._open[peer.name][1].runs:
            self._close(peer)
        if peer.name not in self._open:
            self._started += 1
            folder = self._folder / f"{peer.name}-{self._started}"
            folder.mkdir()
            with ExitStack() as stack:
                server = stack.enter_context(peer.start(folder, self._api))
                self._open[peer.name] = (stack.pop_all(), server)
        return self._open[peer.name][1]

    def _close(self, peer: Peer) -> None:
        if peer.name in self._open:
            self._open.pop(peer.name)[0].close()
