"""This proxy alone under a batch of unrelated requests, each with a system prompt of its own; the same batch twice.

uv run python tests/bench/batch.py [--requests 100] [--at-once 8] [--json] [any option of claude-max serve]
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.client import batch, counted
from bench.servers import Server, bundled_claude, ours
from claude_max.proxy.scripted import ScriptedAPI, scripted_in_thread


def measure(server: Server, requests: int, at_once: int) -> dict[str, Any]:
    """One batch, its processes counted meanwhile."""
    with counted(server.pid, server.claude) as crowd:
        done = batch(server.url, requests, at_once)
    firsts = sorted(answer.first for answer in done.answers)
    return {
        "requests a second": round(done.rate, 1),
        "first token p50 (ms)": round(statistics.median(firsts) * 1000),
        "first token p95 (ms)": round(firsts[int(len(firsts) * 0.95)] * 1000),
        "processes at most": crowd.processes,
        "their memory at most (MB)": round(crowd.memory / 2**20),
    }


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=8)
    options, serve = parser.parse_known_args()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        scripted_in_thread(ScriptedAPI()) as api,
        ours(Path(folder), api, bundled_claude(), *serve) as server,
    ):
        found = {}
        for name in ("first batch", "second batch"):
            server.rest()
            found[name] = measure(server, options.requests, options.at_once)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, values in found.items():
        print(f"{name}: {', '.join(f'{what} {value}' for what, value in values.items())}")


if __name__ == "__main__":
    main()
