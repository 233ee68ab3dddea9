"""docs/dialects.md, made from tests/dialects: `uv run python tests/dialect_table.py [--write]`."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

from dialects.features import FEATURES, Row

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "dialects.md"
# The order of the columns; a file beside them that is not named here comes last.
ORDER = ("chat", "completions", "responses", "messages", "ollama")
SAID = {"yes": "yes", "named": "no effect, named", "refused": "refused", "no": "-"}
HEAD = """# What each API carries

Made by `uv run python tests/dialect_table.py --write` from `tests/dialects`, where each entry names the test that shows
it. "no effect, named" means that the request is answered and the response header `x-claude-max-ignored` names the
parameter; "refused" is an error that says what to do instead; "-" is what the API does not have.
"""
CODEX = """
## Codex

```toml
# ~/.codex/config.toml
model = "sonnet"
model_provider = "claudemax"

[model_providers.claudemax]
name = "claude-max"
base_url = "http://localhost:3456/v1"
wire_api = "responses"
```

Codex then has its functions (shell, and so on) and compacts long conversations by itself. A name of OpenAI's for a
model, made an alias here (`aliases`), gives it that model's tools: `apply_patch`, or JavaScript. With `openai_base_url`
in the place of a provider it tries a WebSocket first, is told 426 and uses HTTP, and lets the server compact. Its web
search is left out and named unless the setting `web_search` allows it.
"""
STORED = """
## What is stored

Answers of `/v1/responses`, and what was asked, are kept so that `previous_response_id` works: in the file
`claude-max/responses.db` of your state folder (on Linux `~/.local/state`), which only your user can read. They are
deleted `responses_keep_days` (7) after they were last used, or when all of them are over `responses_keep_mb` (256); 0
in either setting keeps nothing. `store: false` in a request keeps nothing of it. `DELETE /v1/responses/{id}` deletes
one, and what is deleted is overwritten on disk.
"""


class Column(Protocol):
    """One dialect's file."""

    TITLE: str
    PATHS: tuple[str, ...]
    ROWS: Mapping[str, Row]


def columns() -> list[Column]:
    """The dialects that have a file in tests/dialects."""
    names = {path.stem for path in (HERE / "dialects").glob("*.py")} - {"__init__", "features"}
    found = [name for name in names if not name.startswith("test_")]
    rank = {name: place for place, name in enumerate(ORDER)}
    ordered = sorted(found, key=lambda name: (rank.get(name, len(ORDER)), name))
    return [cast("Column", importlib.import_module(f"dialects.{name}")) for name in ordered]


def document() -> str:
    """The whole text of docs/dialects.md."""
    dialects = columns()
    lines = [
        "| | " + " | ".join(each.TITLE for each in dialects) + " |",
        "|---|" + "---|" * len(dialects),
        "| Path | " + " | ".join("<br>".join(f"`{path}`" for path in each.PATHS) for each in dialects) + " |",
    ]
    lines += [
        f"| {title} | " + " | ".join(_cell(each.ROWS[name]) for each in dialects) + " |"
        for name, title in FEATURES.items()
    ]
    return f"{HEAD}\n" + "\n".join(lines) + f"\n{CODEX}{STORED}"


def _cell(row: Row) -> str:
    return f"{SAID[row.state]}, {row.note}" if row.note else SAID[row.state]


if __name__ == "__main__":
    if "--write" in sys.argv:
        DOCUMENT.write_text(document(), encoding="utf-8")
    else:
        print(document())
