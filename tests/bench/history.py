"""The history of the benchmark: one line of JSON a run, oldest first, and the documentation's table of the newest.

    uv run python tests/bench/history.py [--write | --check]

The table stands in docs/performance.md between `<!-- benchmark -->` and `<!-- end benchmark -->`. While there is no
line, the block is left as it is.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.report import markdown
from bench.rows import NPM, OURS, PYPI, Row
from bench.scenarios import ROWS

FILE = Path(__file__).with_name("history.jsonl")
DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
BLOCK = re.compile(r"(<!-- benchmark -->\n).*?(<!-- end benchmark -->)", re.DOTALL)


def append(line: Mapping[str, Any], file: Path = FILE) -> None:
    """Adds a run."""
    with file.open("a", encoding="utf-8") as history:
        history.write(json.dumps(line, ensure_ascii=False) + "\n")


def newest(file: Path = FILE) -> dict[str, Any] | None:
    """The last run; None where there is none."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    found: dict[str, Any] | None = json.loads(lines[-1]) if lines else None
    return found


def block(line: Mapping[str, Any], rows: Mapping[str, Row] = ROWS) -> str:
    """What the documentation says of a run: when, where, of what, and its table."""
    machine, versions, run = line["machine"], line["versions"], line["run"]
    told = [versions[name] for name in (NPM, PYPI, OURS) if versions.get(name)]
    told += [f"Claude Code {versions['cli']}", f"Python {versions['python']}"]
    where = f"{machine['cores']} cores ({machine['processor']}), {machine['memory GB']:g} GB, {machine['system']}"
    loud = "" if run["quiet"] else f" **The machine was not quiet**: others used {run['cores used by others']} cores."
    head = f"Measured on {line['date']}, in {run['rounds']} rounds, on {where}: {'; '.join(told)}.{loud}\n\n"
    found = {key: row for key, row in line["rows"].items() if key in rows}
    return head + markdown(found, rows, (NPM, PYPI, OURS)) + "\n"


def document(text: str, line: Mapping[str, Any] | None, rows: Mapping[str, Row] = ROWS) -> str:
    """`text` with its block made of `line`; the same where there is no run. Raises ValueError without a block."""
    if BLOCK.search(text) is None:
        raise ValueError("the page has no <!-- benchmark --> block")
    if line is None:
        return text
    made = block(line, rows)
    return BLOCK.sub(lambda match: match[1] + made + match[2], text)


def main() -> None:
    """Prints the block, writes it, or fails where the page has another."""
    line, text = newest(), DOCUMENT.read_text("utf-8")
    made = document(text, line)
    if "--write" in sys.argv:
        DOCUMENT.write_text(made, "utf-8")
    elif "--check" in sys.argv:
        if made != text:
            sys.exit(f"{DOCUMENT} is not of the newest run: uv run python tests/bench/history.py --write")
    else:
        print("no run yet" if line is None else block(line))


if __name__ == "__main__":
    main()
