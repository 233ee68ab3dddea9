"""Blocks of README, SECURITY and the pages in docs that are made from the program, and a test that compares.

`uv run python tests/readme_blocks.py [--write]`.

A block is what stands between `<!-- help: doctor -->` (or `help: config show`, `help:` for the whole program),
`<!-- settings -->`, `<!-- environment -->`, `<!-- contract -->`, `<!-- errors -->`, `<!-- exit codes -->`,
`<!-- clients -->`, `<!-- certified -->`, `<!-- compat -->` or `<!-- team -->`, and the next `<!-- end -->`.
"""

import json
import os
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from claude_max.cli.connect.catalogue import catalogue
from claude_max.cli.main import app
from claude_max.cli.output import MEANINGS
from claude_max.proxy import errors
from claude_max.proxy.config import PREFIX, Settings
from claude_max.proxy.engine.probe.contract import CAPABILITIES
from claude_max.proxy.engine.wire.command import KEPT
from claude_max.proxy.translate.common import openai_errors
from claude_max.proxy.translate.messages import errors as anthropic_errors

ROOT = Path(__file__).parent.parent
SECURITY = ROOT / "SECURITY.md"
DOCUMENTS = [ROOT / "README.md", SECURITY, *sorted((ROOT / "docs").glob("*.md"))]
CERTIFIED = Path(__file__).parent / "certified" / "outcomes.json"
TEAM = ROOT / "templates" / "compose" / "team.yaml"
COMPAT = Path(__file__).parent / "compat" / "outcomes.json"
WORKS = ("a plain answer", "a tool makes a file", "a 429", "a cut stream", "launch")
_NAMES = "help:[^>]*?|settings|environment|contract|errors|exit codes|clients|certified|compat|team"
BLOCK = re.compile(rf"(<!-- ({_NAMES}) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
MARKER = re.compile(rf"<!-- (?:{_NAMES}) -->")
# Not 80: GitHub and package indexes show code blocks of this width whole, and so does a terminal.
WIDTH = "80"


def filled(text: str) -> str:
    """The text with every block made anew. Raises ValueError for a marker without its end."""
    if len(MARKER.findall(text)) != len(BLOCK.findall(text)):
        raise ValueError("a marker has no <!-- end -->, or no line of its own")
    return BLOCK.sub(lambda block: f"{block[1]}\n{made(block[2])}\n\n{block[4]}", text)


def made(name: str) -> str:
    """What belongs into a block."""
    match name:
        case "settings":
            return settings_table()
        case "environment":
            return table(("Variable", "Why it is kept"), [(f"`{name}`", why) for name, why in KEPT.items()])
        case "contract":
            return table(("Capability", "What is tried"), [(f"`{name}`", what) for name, what in CAPABILITIES.items()])
        case "errors":
            return errors_table()
        case "exit codes":
            return table(("Exit code", "Meaning"), [(str(int(code)), why) for code, why in MEANINGS.items()])
        case "clients":
            return clients_table()
        case "certified":
            return certified_table()
        case "team":
            return f"```yaml\n{TEAM.read_text(encoding='utf-8').strip()}\n```"
        case "compat":
            return compat_table()
        case _:
            return f"```\n{help_text(*name.removeprefix('help:').split())}\n```"


def help_text(*command: str) -> str:
    """What `claude-max COMMAND --help` prints, 80 columns wide and without colour."""
    # What a test runner or CI sets would colour or widen it.
    plain = dict.fromkeys(("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH", "LINES"))
    result = CliRunner().invoke(
        app,
        [*command, "--help"],
        prog_name="claude-max",
        env={**plain, "COLUMNS": WIDTH, "NO_COLOR": "1", "TERM": "dumb"},
    )
    if result.exit_code != 0:
        raise ValueError(f"there is no help for {' '.join(command)!r}")
    return "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines()).strip("\n")


def settings_table() -> str:
    """Every setting: its name in the file, its variable, its flag of `serve`, its default, and what it is for."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{json.dumps(field.default)}`"
        about = (field.description or "").replace("|", "\\|")
        rows.append((f"`{name}`", f"`{PREFIX}{name.upper()}`", flag(name), default, about))
    return table(("Setting", "Variable", "Flag of `serve`", "Default", "Meaning"), rows)


def errors_table() -> str:
    """Every failure that a client can meet: the status and the names that it has in each API."""
    rows = []
    for kind, error in sorted(kinds().items(), key=lambda item: (item[1].status, item[0])):
        name, code = openai_errors.TYPES[kind]
        made = error("")
        status = anthropic_errors.status(made)
        other = f"`{anthropic_errors.TYPES[kind]}`" + (f", {status}" if status != error.status else "")
        meaning = (error.__doc__ or "").strip().splitlines()[0]
        rows.append((str(error.status), f"`{code}`", f"`{name}`", other, meaning))
    return table(("Status", "OpenAI: code", "OpenAI: type", "Anthropic: type", "Meaning"), rows)


def kinds() -> dict[errors.Kind, type[errors.ProxyError]]:
    """The error of each kind; of several with the same one the general one."""
    found: dict[errors.Kind, type[errors.ProxyError]] = {}
    ahead: list[type[errors.ProxyError]] = [errors.ServerFault, *errors.ProxyError.__subclasses__()]
    for error in ahead:
        found.setdefault(error.kind, error)
        ahead += error.__subclasses__()
    return found


@cache
def _commands() -> dict[str, Any]:
    found: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})
    return found


def commands() -> list[str]:
    """The names of all commands of the top level, former ones aside."""
    return sorted(name for name, command in _commands().items() if not command.hidden)


def clients_table() -> str:
    """Every recipe: its command, the files that it writes, whether it can be launched, what is left to do by hand."""
    rows = []
    for recipe in catalogue().values():
        files = "<br>".join(f"`{place}`" for file in recipe.files for place in (*file.moved, file.places[-1]))
        launched = f"`claude-max launch {recipe.name}`" if recipe.launch else ""
        notes = "; ".join(note.rstrip(".") for note in recipe.notes)
        by_hand = "all steps are printed" if not recipe.files else "one step is printed" if recipe.steps else ""
        also = "; ".join(text for text in (by_hand, notes) if text)
        rows.append((recipe.title, f"`claude-max connect {recipe.name}`", files, launched, also))
    return table(("Client", "Command", "File", "For once", "Good to know"), rows)


def certified_table() -> str:
    """What tests/certified found out last: each client with its version, and what worked when; and who is missing."""
    outcomes = json.loads(CERTIFIED.read_text(encoding="utf-8"))
    rows = [
        (
            catalogue()[name].title,
            one["version"],
            *(one["works"].get(what, "not tried") for what in WORKS),
            one["date"],
            one["note"],
        )
        for name, one in sorted(outcomes.items())
    ]
    missing = ", ".join(
        sorted((each.title for each in catalogue().values() if each.name not in outcomes), key=str.lower)
    )
    tried = table(("Client", "Version", *WORKS, "Tried", "Good to know"), rows)
    return f"{tried}\n\nNot tried with the program itself, but set up as its documentation says: {missing}."


def compat_table() -> str:
    """What tests/compat found out last of each version of the CLI, the newest first."""
    outcomes = json.loads(COMPAT.read_text(encoding="utf-8"))
    newest_first = sorted(outcomes, key=lambda text: [int(part) for part in text.split(".")], reverse=True)
    what = sorted({each for one in outcomes.values() for each in one["works"]})
    rows = [
        (
            version,
            outcomes[version]["package"],
            *(outcomes[version]["works"].get(each, "not tried") for each in what),
            outcomes[version]["date"],
        )
        for version in newest_first
    ]
    return table(("Claude Code", "claude-agent-sdk", *what, "Tried"), rows)


def flag(setting: str) -> str:
    """The flag of `serve` that sets it, or nothing."""
    names = {setting, setting.removesuffix("s")}
    options = [option for param in _commands()["serve"].params if param.name in names for option in param.opts]
    return f"`{options[0]}`" if options else ""


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(write: bool) -> int:
    """Compares, or writes. Returns the exit code."""
    stale = []
    for document in DOCUMENTS:
        old = document.read_text(encoding="utf-8")
        new = filled(old)
        if old != new and write:
            document.write_text(new, encoding="utf-8", newline="\n")
        elif old != new:
            stale.append(document.name)
    if stale:
        sys.stderr.write(f"{' and '.join(stale)}: out of date; uv run python tests/readme_blocks.py --write\n")
    return 1 if stale else 0


if __name__ == "__main__":
    os.environ.pop("FORCE_COLOR", None)
    sys.exit(main("--write" in sys.argv))
