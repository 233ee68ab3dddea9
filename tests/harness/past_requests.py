"""A ledger as after a month of use, for what shows it."""

import random
import time
from contextlib import closing
from pathlib import Path

from claude_max.proxy.records import Row
from claude_max.proxy.store import ledger
from claude_max.proxy.store.database import opened
from claude_max.proxy.store.ledger import Sample

FILE = Path(".local/state/claude-max/ledger.db")
CLIENTS = (("Claude Code", "messages", 34), ("Codex", "responses", 22), ("opencode", "chat_completions", 15),
           ("Zed", "chat_completions", 11), ("aider", "chat_completions", 9), ("Open WebUI", "ollama_chat", 6),
           ("curl", "chat_completions", 3))  # fmt: skip
MODELS = (
    ("sonnet", "claude-sonnet-5-5", 6, 2e-6),
    ("opus", "claude-opus-5-5", 2, 5e-6),
    ("haiku", "claude-haiku-5-5", 3, 1e-6),
)
DAYS = 30


def month(home: Path, rows: int) -> None:
    """Writes so many requests of the last DAYS days into the ledger of a home; the same ones each time."""
    dice, now = random.Random(11), time.time()
    made = []
    for number in range(rows):
        day = dice.choices(range(DAYS), [1 + (29 - day) / 15 + (day % 7 in (0, 3)) for day in range(DAYS)])[0]
        client, dialect, _ = dice.choices(CLIENTS, [each[2] for each in CLIENTS])[0]
        asked, model, _, price = dice.choices(MODELS, [each[2] for each in MODELS])[0]
        failed = dice.random() < 0.015
        prompt, output = round(dice.lognormvariate(9, 1)), round(dice.lognormvariate(5.5, 0.8))
        cached = round(prompt * dice.choice([0, 0.6, 0.85, 0.95]))
        total = round(output * dice.uniform(9, 16) + dice.uniform(400, 1500))
        made.append(
            Row(
                at=now - 60 - day * 86400 - dice.random() * 40_000,
                id=f"req_{number:024}",
                dialect=dialect,
                client=client,
                asked=asked,
                model="" if failed else model,
                status=429 if failed else 200,
                error="rate_limited" if failed else "",
                calls=1,
                input=0 if failed else prompt - cached,
                cache_read=0 if failed else cached,
                output=0 if failed else output,
                first_ms=None if failed else round(dice.uniform(400, 1500)),
                total_ms=300 if failed else total,
                way="exact",
                warm=dice.random() < 0.9,
                cost=0.0 if failed else (prompt - cached) * price + cached * price / 10 + output * price * 5,
                basis="list",
            )
        )
    told = [Sample("five_hour", now - 3000, 0.18, now + 3600), Sample("seven_day", now - 86400, 0.2, now + 86400)]
    with closing(opened(home / FILE, ledger.MIGRATIONS)) as database:
        ledger.put(database, made, told)
