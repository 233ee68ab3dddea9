"""`claude-max usage`: how much of the plan's windows is used, when they are full and reset, and the ledger's sums.

The CLI reports the windows; the sums are from the ledger (`spending`).
"""

import asyncio
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from claude_max.proxy.config import load
from claude_max.proxy.engine.probe import queries
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.errors import NotSignedIn, ServerFault, UpstreamFault
from claude_max.proxy.events import JsonObject
from claude_max.proxy.plan import WINDOWS, offset
from claude_max.proxy.port_check import address, listener
from claude_max.proxy.store.forecast import forecast, length_of
from claude_max.proxy.store.usage import Line

from .output import UNBOUNDED, WARN, Result, render, render_text
from .spending import Spending, ledger_file, periods, price, samples, spending, table

LABELS = {**WINDOWS, "seven_day_oauth_apps": "weekly limit of other apps"}
BAR = 24
# Utilization from which a bar changes its colour.
HIGH, FULL = 75, 95


@dataclass(frozen=True, slots=True)
class Window:
    """One window of the plan.

    `utilization` is 0 to 100, times are ISO 8601; None if the service does not report it. `full_at` is when it will be
    full at the current rate, None if it resets before or there is too little data.
    """

    name: str
    label: str
    utilization: float | None
    resets_at: str | None
    full_at: str | None = None


@dataclass(frozen=True, slots=True)
class Usage(Result):
    """The windows of this login's plan. `available` False: it has none (an API key, a token without the scope)."""

    plan: str | None
    available: bool
    windows: tuple[Window, ...]
    extra_usage: JsonObject | None
    periods: tuple[Line, ...] = ()
    plan_price: tuple[float, ...] = ()

    def view(self) -> Iterable[RenderableType]:
        """One bar per window, and the sums of today, 7 and 30 days."""
        yield from self._windows()
        if self.periods:
            yield Text()
            yield table(self.periods)
            if self.plan_price:
                both = " or ".join(f"${price:,.0f}" for price in self.plan_price)
                yield Text(f"The plan costs {both} a month. List price is what the API would have charged.", "dim")

    def _windows(self) -> Iterable[RenderableType]:
        if not self.available:
            yield Text("This login has no plan limits to show.")
            yield Text(
                "Tokens of `claude setup-token` and API keys have none; a login with `claude-max login` has them.",
                "dim",
            )
            return
        if self.plan:
            yield Text(f"Plan: {self.plan}", "bold")
        if not self.windows:
            yield Text("The plan reports no limits.")
        yield Windows(self.windows)
        if any(window.resets_at for window in self.windows):
            yield Text(f"Times are local ({offset(datetime.now().astimezone())}).", "dim")
        extra = self.extra_usage or {}
        if extra.get("is_enabled"):
            used, limit, currency = extra.get("used_credits"), extra.get("monthly_limit"), extra.get("currency") or ""
            yield Text(f"Extra usage: {used} of {limit or 'no limit'} {currency}".rstrip())


@dataclass(frozen=True, slots=True)
class Windows:
    """One bar per window: in one row if the terminal is wide enough, else in three, wrapped between words."""

    windows: tuple[Window, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table.grid("", "", Column(justify="right"), "", padding=(0, 1))
        rows = [_row(window) for window in self.windows]
        for label, bar, used, reset in rows:
            table.add_row(label, bar, used, reset)
        if Measurement.get(console, options.update(max_width=UNBOUNDED), table).maximum <= options.max_width:
            yield table
            return
        for label, bar, used, reset in rows:
            yield from (label, bar, Text(), used + Text(" ") + reset)


def usage(*, json: bool, by: str | None = None, since: str | None = None, csv: bool = False) -> NoReturn:
    """Prints the plan's windows, and what was used; with one of the other options only that, without a request.

    Exits NO_CLI, NEEDS_LOGIN, or FAILED where the CLI could not get the windows or the ledger cannot be read.
    """
    if csv and not json:
        render_text(lambda: _spending(by, since).csv())
    if csv or by is not None or since is not None:
        render(lambda: _spending(by, since), json=json)
    render(_usage, json=json, doing="Asking Claude Code…")


def from_get_usage(answer: JsonObject) -> Usage:
    """The CLI's answer to `get_usage`. Raises UpstreamFault where it has the windows but could not get them."""
    limits = answer.get("rate_limits")
    available = bool(answer.get("rate_limits_available"))
    if available and limits is None:
        raise UpstreamFault(
            "Claude Code could not get the usage from Anthropic. Try again, or run `claude-max doctor`."
        )
    found = limits if isinstance(limits, dict) else {}
    extra = found.get("extra_usage")
    plan = answer.get("subscription_type")
    return Usage(plan, available, tuple(_windows(found)), extra if isinstance(extra, dict) else None)


def resets(at: str | None, now: datetime) -> str:
    """ "resets Thu 14:00, in 2 h 5 min", in local time; empty when it is not known."""
    moment = _moment(at)
    if moment is None:
        return ""
    left = max(moment - now, timedelta())
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if not days else ""]
    return f"resets {moment.astimezone():%a %H:%M}, in {' '.join(part for part in parts if part)}"


def _moment(at: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(at or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _windows(limits: dict[str, Any]) -> Iterable[Window]:
    # Any window that the service may add later has the same two fields; `extra_usage` has no reset.
    for name, value in limits.items():
        if isinstance(value, dict) and {"utilization", "resets_at"} <= value.keys():
            yield Window(name, LABELS.get(name, name.replace("_", " ")), value["utilization"], value["resets_at"])
    for row in limits.get("model_scoped") or ():
        label = f"weekly {row['display_name']} limit"
        yield Window(f"model_scoped:{row['display_name']}", label, row.get("utilization"), row.get("resets_at"))


def _row(window: Window) -> tuple[Text, ProgressBar, Text, Text]:
    used = window.utilization or 0
    style = "red" if used >= FULL else WARN if used >= HIGH else "green"
    return (
        Text(window.label[:1].upper() + window.label[1:]),
        ProgressBar(total=100, completed=min(used, 100), width=BAR, complete_style=style, finished_style=style),
        Text("?" if window.utilization is None else f"{used:.0f} %"),
        Text.assemble(*_when(window)),
    )


def _when(window: Window) -> Iterable[tuple[str, str]]:
    """ "full at 16:40 at this rate, resets Thu 18:00, …"."""
    if window.full_at is not None:
        full = datetime.fromisoformat(window.full_at).astimezone()
        yield (f"full {full:%a %H:%M} at this rate, ", WARN)
    yield (resets(window.resets_at, datetime.now(UTC)), "dim")


def _usage() -> Usage:
    settings = load()
    cli = locate(settings.claude_path, os.environ)
    environ = environment(os.environ, allow_api_key=settings.allow_anthropic_api_key)
    try:
        found = from_get_usage(asyncio.run(queries.usage(cli.path, environ)))
    except NotSignedIn as error:
        if not listener(settings).health.get("scripted"):
            raise
        demo = f"The proxy at {address(settings)} is a demo and uses no plan."
        raise NotSignedIn(f"{error.message} {demo}") from None
    try:
        windows = tuple(_foreseen(window) for window in found.windows)
        return replace(found, windows=windows, periods=periods(), plan_price=price(found.plan, settings.plan_price))
    except sqlite3.Error:
        # The windows are worth showing even without the ledger.
        return found


def _foreseen(window: Window) -> Window:
    length, resets_at = length_of(window.name), _moment(window.resets_at)
    if length is None or resets_at is None or window.utilization is None:
        return window
    now = datetime.now(UTC)
    known = samples(window.name, length)
    found = forecast(window.name, window.utilization / 100, resets_at.timestamp(), now.timestamp(), known)
    if found is None or found.full_at is None:
        return window
    return replace(window, full_at=datetime.fromtimestamp(found.full_at, UTC).isoformat(timespec="seconds"))


def _spending(by: str | None, since: str | None) -> Spending:
    try:
        return spending(by, since)
    except sqlite3.Error as error:
        raise ServerFault(f"The ledger cannot be read: {error} ({ledger_file()}).") from None
