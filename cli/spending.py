"""Usage and list price of requests from the ledger: today, 7 and 30 days, by model, client or day."""

import csv
import io
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

from platformdirs import user_state_path
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from claude_max.proxy.config import ConfigError
from claude_max.proxy.store import ledger
from claude_max.proxy.store import usage as store_usage
from claude_max.proxy.store.database import read_only
from claude_max.proxy.store.ledger import By
from claude_max.proxy.store.usage import Line, begin, grouped, total

from .output import Result, printable

# What a plan costs a month, in US dollars (2026-11); one name may stand for two.
PRICES = {"pro": (20.0,), "max": (100.0, 200.0)}
GROUPS: tuple[By, ...] = get_args(By)
_SPAN = re.compile(r"(\d+)([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


@dataclass(frozen=True, slots=True)
class Spending(Result):
    """Sums of the ledger since a time (ISO 8601), grouped by `by`."""

    since: str
    by: str
    total: Line
    rows: tuple[Line, ...]

    def view(self) -> Iterable[RenderableType]:
        """A table."""
        yield Text(f"Since {self.since[:16].replace('T', ' ')}, by {self.by}", "bold")
        if not self.rows:
            yield Text("No requests.")
            return
        yield table((*self.rows, self.total))

    def csv(self) -> str:
        """The rows with a header line."""
        text = io.StringIO()
        names = [self.by, *Line.__slots__[1:]]
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        for line in self.rows:
            writer.writerow([_safe(line.name), *(getattr(line, name) for name in names[1:])])
        return text.getvalue()


def ledger_file() -> Path:
    """The path of the ledger, which may not exist."""
    return user_state_path("claude-max") / "ledger.db"


def since(text: str | None, now: datetime) -> datetime:
    """A span back from now (`36h`, `7d`, `2w`), or a local date or time in ISO 8601. Raises ConfigError."""
    if text is None:
        return begin(now, "30 days")
    if found := _SPAN.fullmatch(text):
        try:
            return now - timedelta(hours=int(found[1]) * _HOURS[found[2]])
        except OverflowError:
            raise ConfigError(f"--since {text}: that is too long ago") from None
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        raise ConfigError(f"--since {text}: write a span such as 36h, 7d or 2w, or a date such as 2026-11-01") from None


def spending(by: str | None, text: str | None) -> Spending:
    """Sums of the ledger. Raises ConfigError for a wrong option, sqlite3.Error."""
    group = by or "model"
    if group not in GROUPS:
        raise ConfigError(f"--by {group}: use one of {', '.join(GROUPS)}")
    start = since(text, datetime.now().astimezone())
    with read_only(ledger_file()) as database:
        rows = () if database is None else grouped(database, group, start)
    return Spending(start.isoformat(timespec="seconds"), group, total(rows), rows)


def periods() -> tuple[Line, ...]:
    """Today, 7 and 30 days, by local midnights; empty if there is no ledger. Raises sqlite3.Error."""
    with read_only(ledger_file()) as database:
        return () if database is None else store_usage.periods(database, datetime.now().astimezone())


def samples(name: str, length: float) -> list[ledger.Sample]:
    """Readings of a window since it can have been opened. Raises sqlite3.Error."""
    with read_only(ledger_file()) as database:
        return [] if database is None else ledger.samples(database, name, time.time() - length)


def price(plan: str | None, own: float | None) -> tuple[float, ...]:
    """The plan's monthly price: the user's setting, or the published price for its name."""
    return (own,) if own is not None else PRICES.get((plan or "").lower(), ())


def table(lines: Iterable[Line]) -> Table:
    """Lines side by side; the last one, of several, is their total."""
    made = Table.grid("", Column(justify="right"), *(Column(justify="right") for _ in range(4)), padding=(0, 2))
    made.add_row(*(Text(head, "dim") for head in ("", "requests", "input", "cached", "output", "list price")))
    for line in lines:
        prompt = line.input_tokens + line.cache_read_tokens + line.cache_write_tokens
        share = "" if line.cached is None else f"{line.cached * 100:.0f} %"
        value = f"${line.value_usd:,.2f}" + (" +" if line.unpriced else "")
        requests = f"{line.requests:,}" + (f" ({line.failed} failed)" if line.failed else "")
        made.add_row(printable(line.name), requests, tokens(prompt), share, tokens(line.output_tokens), value)
    return made


def tokens(count: int) -> str:
    """A number of tokens with about three digits."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= limit:
            return f"{count / limit:.3g} {unit}"
    return str(count)


def _safe(name: str) -> str:
    """Escapes a client's name that a spreadsheet would read as a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@") else name
