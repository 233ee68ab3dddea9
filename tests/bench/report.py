"""The samples of a run as rows, and rows as a table. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from .rows import BESIDE, NPM, OURS, PYPI, TIMES, Row, amount, figures, ratio

HEADS = {NPM: "npm", PYPI: "PyPI", BESIDE: "beside", OURS: "claude-max"}
VERDICT = {True: "yes", False: "**no**", None: ""}


def found(
    rows: Mapping[str, Row], samples: Mapping[str, Mapping[str, Sequence[float]]], servers: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """A row of the history for each that has a sample: the figure of each server, the ratio, whether it is as wanted.

    `ratio` is ours by the npm package's, `ratio beside` ours by the other checkout's.
    """
    made = {}
    for key, row in rows.items():
        if not samples.get(key):
            continue
        told = figures(row, samples[key], servers)
        made[key] = {
            **{name: _short(value) for name, value in told.items()},
            "ratio": _short(ratio(told)),
            "reached": row.reached(told),
        }
        if BESIDE in servers:
            made[key]["ratio beside"] = _short(ratio(told, BESIDE))
    return made


def markdown(lines: Mapping[str, Mapping[str, Any]], rows: Mapping[str, Row], servers: Sequence[str]) -> str:
    """A table of these lines, a column for each of `servers`. A ratio is of ours to the npm package's."""
    beside = BESIDE in servers
    heads = [
        "",
        *(HEADS[name] for name in servers),
        "ratio",
        *(["ratio beside"] if beside else []),
        "wanted",
        "reached",
    ]
    made = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for key, line in lines.items():
        row = rows[key]
        cells = [row.title, *(amount(line.get(name), row.unit) for name in servers), _times(line.get("ratio"))]
        cells += [_times(line.get("ratio beside"))] if beside else []
        made.append(f"| {' | '.join([*cells, row.wanted, VERDICT[line.get('reached')]])} |")
    return "\n".join(made)


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.3g} {TIMES}" if value < 100 else f"{value:.0f} {TIMES}"


def _short(value: float | None) -> float | None:
    """Four digits: more are not measured."""
    return None if value is None else float(f"{value:.4g}")
