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

Made by `uv run python tests/dialect_table.py --write` from `tests/dialects`, where each entry names its test. "no
effect, named" means that the request is answered and the response header `x-claude-max-ignored` names the parameter;
"refused" is an error that says what to do instead; "-" means that the API does not have it.
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

Codex then has its functions (shell, and so on) and compacts long conversations by itself. If you make one of OpenAI's
model names an alias (`aliases`), Codex uses that model's tools: `apply_patch`, or JavaScript. With `openai_base_url`
instead of a provider it tries a WebSocket first, gets a 426, falls back to HTTP, and lets the server compact. Its web
search is left out and named unless the setting `web_search` allows it.
"""
ANTHROPIC = """
## Anthropic's API, and Claude Code as a client

```sh
export ANTHROPIC_BASE_URL=http://localhost:3456     # without /v1
export ANTHROPIC_AUTH_TOKEN=anything                # or the `api_key` that is set; ANTHROPIC_API_KEY works, too
```

Messages and tools reach the service as the client sent them, with every kind of block. This needs the exact
composition; the lines composition refuses some requests and changes others, as
[SECURITY](../SECURITY.md#what-is-sent) lists. `system` becomes one text, on which the CLI sets its own cache marks.
They use two of the service's four, so the last two of the client's are kept, and the others named. Parts of a
conversation that the service would refuse (lost results, blank texts) are [repaired](compatibility-requests.md) and
named. The CLI chooses the betas in `anthropic-beta` itself, so the client's header is named. `GET /v1/models` has
Anthropic's shape if the request has the header `anthropic-version`.

`POST /v1/messages/count_tokens` uses the CLI's own count and costs no tokens. The CLI has the service count the
messages, as it would send them line by line. The system prompt is counted as a message, which adds some tokens;
functions are counted as the CLI declares them, less 500 tokens in all (few and short ones count as 0), and tools that
the service runs are not counted. If the service does not count, because of a limit or without a network, the number is
the CLI's estimate by length. An answer's `usage` is the service's, and includes the CLI's two lines before the system
prompt.

Do not set `ANTHROPIC_BASE_URL` where claude-max itself starts: it would be its own upstream, and exits with an error.
"""
OLLAMA = """
## Ollama's clients

Most clients accept another address (`OLLAMA_HOST=http://localhost:3456`). For those that only use ollama's port, start
with `--also-listen 11434`, or set `also_listen = [11434]`; it is off by default, and ollama itself must not be running.
Models are named `sonnet:latest`, or without the tag. `/api/tags`, `/api/show`, `/api/ps` and `/api/version` answer from
what is known; `/api/pull`, `/api/embed` and their like are errors that say why. JSON is taken without a content type
below `/api/`, as ollama's documentation posts it, but from no page in a browser.
"""
STORED = """
## What is stored

Requests and answers of `/v1/responses` are kept so that `previous_response_id` works: in the file
`claude-max/responses.db` of your state folder (on Linux `~/.local/state`), which only your user can read. They are
deleted `responses_keep_days` (7) after they were last used, or when all of them are over `responses_keep_mb` (256); 0
in either setting keeps nothing. `store: false` in a request keeps nothing of it. `DELETE /v1/responses/{id}` deletes
one, and deleted data is overwritten on disk.
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
    return f"{HEAD}\n" + "\n".join(lines) + f"\n{ANTHROPIC}{OLLAMA}{CODEX}{STORED}"


def _cell(row: Row) -> str:
    return f"{SAID[row.state]}, {row.note}" if row.note else SAID[row.state]


if __name__ == "__main__":
    if "--write" in sys.argv:
        DOCUMENT.write_text(document(), encoding="utf-8")
    else:
        print(document())
