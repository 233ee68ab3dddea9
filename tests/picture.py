"""The README's picture, drawn from what `serve` and `chat` print with --demo, and a test that compares.

`uv run python tests/picture.py [--write]`. Needs the CLI of the development dependencies, and no account.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.forked import Process, start
from harness.proxy import home_environment
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE = Path(__file__).parent.parent / "docs" / "demo.svg"
WIDTH = 96
QUESTION = "What answers here?"
# The last line that `serve --demo` prints before it serves.
LAST = "Demo:"
SECONDS = 60
# Colours without a terminal, and nothing that moves.
COLOURS = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
# Rich's own form names a host that fonts are fetched from.
FORM = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def drawn() -> str:
    """The picture as it should be."""
    with tempfile.TemporaryDirectory() as home:
        serve, chat = ["serve", "--demo"], ["chat", "--demo", QUESTION]
        # A port that is free, in the place of the one that everybody has.
        banner = re.sub(
            r"localhost:\d+", "localhost:3456", _said([*serve, "--port", "0"], Path(home), COLOURS, until=LAST)
        )
        answer = _said(chat, Path(home), {})
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for words, text in (("serve --demo", banner), (f'chat --demo "{QUESTION}"', answer)):
        console.print(Text.assemble(("$ ", "bold green"), (f"claude-max {words}", "bold")))
        console.print(Text.from_ansi(text.strip("\n")), "", highlight=False)
    svg = console.export_svg(title="claude-max", theme=MONOKAI, code_format=FORM, unique_id="claude-max")
    return "\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n"


def _said(arguments: Sequence[str], home: Path, environ: Mapping[str, str], until: str | None = None) -> str:
    """What a command prints, up to the end of the line that holds `until`, where it would not end by itself."""
    with _running(arguments, home, environ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.decode())
            if until is not None and until in lines[-1]:
                break
        return "".join(lines)


@contextmanager
def _running(arguments: Sequence[str], home: Path, more: Mapping[str, str]) -> Iterator[Process]:
    # No other `claude` than the one of the [cli] extra.
    environ = {**home_environment(home), **more, "PATH": os.defpath}
    process = start(
        arguments,
        environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS)
        assert process.stdout is not None
        process.stdout.close()


def main(write: bool) -> int:
    """Compares, or writes. Returns the exit code."""
    new = drawn()
    old = PICTURE.read_text(encoding="utf-8") if PICTURE.exists() else ""
    if new != old and write:
        PICTURE.write_text(new, encoding="utf-8", newline="\n")
    elif new != old:
        sys.stderr.write(f"{PICTURE.name}: out of date; uv run python tests/picture.py --write\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv))
