"""claude-max beside the npm package `claude-max-api-proxy` and PyPI's `claude-code-openai`, in one run.

    uv run python tests/bench/run.py [--json] [--quick] [--rounds N] [--only ROW,...] [--beside CHECKOUT]

The same CLI and the same scripted service are behind all of them. Each measurement is taken on each server in turn, so
that what the machine does otherwise meets all of them; ratios count, not times. A peer that cannot do what a row
measures, or is not to be had here, has a dash.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import history, report
from bench.peers import Peer, bundled_claude, npm, ours, pypi
from bench.rows import BESIDE, NPM, OURS, PYPI
from bench.runner import Runner
from bench.scenarios import ROWS, chosen
from bench.usage import Others
from claude_max.proxy.scripted import ScriptedAPI, scripted_in_thread

ROUNDS = 3


def machine() -> dict[str, Any]:
    """Cores, processor, memory and system of this one."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory GB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def had(make: Callable[[Path], Peer], claude: Path, name: str) -> Peer | None:
    """A peer, or None and a word about why it is not to be had."""
    try:
        return make(claude)
    except (OSError, subprocess.CalledProcessError) as why:
        print(f"{name} is not to be had here, its figures are dashes: {why}", file=sys.stderr)
        return None


def compared(options: argparse.Namespace, claude: Path) -> list[Peer]:
    """The servers of this run, ours last. Raises FileNotFoundError where another checkout is not synced."""
    peers = [] if options.no_peers else [had(npm, claude, NPM), had(pypi, claude, PYPI)]
    found = [peer for peer in peers if peer is not None]
    serve = options.serve.split()
    if options.beside is not None:
        found.append(ours(claude, serve, options.beside.resolve()))
    return [*found, ours(claude, serve)]


def measured(options: argparse.Namespace, claude: Path, peers: Sequence[Peer]) -> dict[str, Any]:
    """The run, as a line of the history. `missing` says of each server why it has no figure of a row."""
    scenarios = chosen(options.only, quick=options.quick)
    rounds = options.rounds or (1 if options.quick else ROUNDS)
    others = Others()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, scripted_in_thread(ScriptedAPI()) as api:
        runner = Runner(peers, api, Path(folder))
        runner.run(scenarios, rounds)
    versions = {peer.name: peer.version for peer in peers}
    for name in (NPM, PYPI):
        versions.setdefault(name, "")
    said = subprocess.run([claude, "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "machine": machine(),
        "versions": {**versions, "cli": said, "python": platform.python_version()},
        "run": {"rounds": rounds, **others.told()},
        "rows": report.found(ROWS, runner.samples, _servers(versions)),
        "missing": runner.missing,
    }


def _servers(versions: dict[str, str]) -> list[str]:
    return [name for name in (NPM, PYPI, BESIDE, OURS) if name in versions]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs and prints; a missed target is printed, never an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help=f"append the run to {history.FILE.name}")
    parser.add_argument("--quick", action="store_true", help="one round, without the slow rows")
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}; peers take most rows once")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        metavar="ROW,...",
        help="these rows, and what is measured with them",
    )
    parser.add_argument("--rows", action="store_true", help="list the rows")
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="another checkout of this project, synced")
    parser.add_argument("--no-peers", action="store_true", help="without npm and PyPI")
    parser.add_argument("--serve", default="", metavar="OPTIONS", help="options of `claude-max serve`")
    options = parser.parse_args(arguments)
    if options.rows:
        print("\n".join(f"{key:18}{row.title}" for key, row in ROWS.items()))
        return
    if unknown := [key for key in options.only or () if key not in ROWS]:
        parser.error(f"unknown row {unknown[0]!r}; --rows lists them")
    if options.json and (options.only or options.quick or options.no_peers or options.serve):
        parser.error("--json takes a whole run: without --only, --quick, --no-peers and --serve")
    claude = bundled_claude()
    try:
        peers = compared(options, claude)
    except FileNotFoundError as why:
        parser.error(str(why))
    line = measured(options, claude, peers)
    if options.json:
        history.append(line)
    print("\n".join(f"{name}: {text}" for name, text in line["versions"].items()))
    print(line["machine"], line["run"], sep="\n")
    print(report.markdown(line["rows"], ROWS, _servers(line["versions"])))
    for name, reasons in line["missing"].items():
        print(*(f"{name} has no {key!r}: {why}" for key, why in reasons.items()), sep="\n")
    if not line["run"]["quiet"]:
        print("WARNING: the machine was not quiet, so these figures say little.")


if __name__ == "__main__":
    main()
