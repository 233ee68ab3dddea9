"""`claude-max usage`: how full the plan's windows are and when they reset, as the CLI itself reports them."""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
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
from claude_max.proxy.errors import UpstreamFault
from claude_max.proxy.events import JsonObject
from claude_max.proxy.plan import WINDOWS

from .output import UNBOUNDED, Result, render

LABELS = {**WINDOWS, "seven_day_oauth_apps": "weekly limit of other apps"}
BAR = 24
# Colours at which a person may want to slow down.
HIGH, FULL = 75, 95


@dataclass(frozen=True, slots=True)
class Window:
    """One window of the plan. `utilization` is 0 to 100, `resets_at` ISO 8601; None where the service does not say."""

    name: str
    label: str
    utilization: float | None
    resets_at: str | None


@dataclass(frozen=True, slots=True)
class Usage(Result):
    """The windows of this login's plan. `available` False: it has none (an API key, a token without the scope)."""

    plan: str | None
    available: bool
    windows: tuple[Window, ...]
    extra_usage: JsonObject | None

    def view(self) -> Iterable[RenderableType]:
        """A bar a window."""
        if not self.available:
            yield Text("This login has no plan windows to show.")
            yield Text(
                "A token of `claude setup-token` and an API key have none; a login of `claude-max login` has.", "dim"
            )
            return
        if self.plan:
            yield Text(f"Plan: {self.plan}", "bold")
        if not self.windows:
            yield Text("The plan reports no windows.")
        yield Windows(self.windows)
        extra = self.extra_usage or {}
        if extra.get("is_enabled"):
            used, limit, currency = extra.get("used_credits"), extra.get("monthly_limit"), extra.get("currency") or ""
            yield Text(f"Extra usage: {used} of {limit or 'no limit'} {currency}".rstrip())


@dataclass(frozen=True, slots=True)
class Windows:
    """A bar a window: in one row where the terminal is wide enough, else in three, broken between words."""

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


def usage(*, json: bool) -> NoReturn:
    """Prints the plan's windows. Exits NO_CLI, NEEDS_LOGIN, or FAILED where the CLI could not get them."""
    render(_usage, json=json, doing="Asking Claude Code…")


def from_get_usage(answer: JsonObject) -> Usage:
    """The CLI's answer to `get_usage`. Raises UpstreamFault where it has the windows but could not get them."""
    limits = answer.get("rate_limits")
    available = bool(answer.get("rate_limits_available"))
    if available and limits is None:
        raise UpstreamFault("Claude Code could not get the usage from Anthropic. Try again; `claude-max doctor` looks.")
    found = limits if isinstance(limits, dict) else {}
    extra = found.get("extra_usage")
    plan = answer.get("subscription_type")
    return Usage(plan, available, tuple(_windows(found)), extra if isinstance(extra, dict) else None)


def resets(at: str | None, now: datetime) -> str:
    """ "resets Thu 14:00, in 2 h 5 min", in local time; empty when it is not known."""
    try:
        moment = datetime.fromisoformat(at or "")
    except ValueError:
        return ""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    left = max(moment - now, timedelta())
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if not days else ""]
    return f"resets {moment.astimezone():%a %H:%M}, in {' '.join(part for part in parts if part)}"


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
    style = "red" if used >= FULL else "yellow" if used >= HIGH else "green"
    return (
        Text(window.label[:1].upper() + window.label[1:]),
        ProgressBar(total=100, completed=min(used, 100), width=BAR, complete_style=style, finished_style=style),
        Text("?" if window.utilization is None else f"{used:.0f} %"),
        Text(resets(window.resets_at, datetime.now(UTC)), "dim"),
    )


def _usage() -> Usage:
    settings = load()
    cli = locate(settings.claude_path, os.environ)
    environ = environment(os.environ, allow_api_key=settings.allow_anthropic_api_key)
    return from_get_usage(asyncio.run(queries.usage(cli.path, environ)))
