"""Parses the plan's limits that the CLI reports: the windows, their use, and whether extra usage has begun. Pure.

From `rate_limit_info` of its `rate_limit_event` (Claude Code 2.1.330), which it writes when something has changed:
`status`, `rateLimitType`, `resetsAt` (unix seconds), `utilization` (0 to 1), `isUsingOverage`, `overageStatus`, and
`unifiedWindows`, by name `utilization` and `resetsAt`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# Shares of a window at which there is a warning.
WARNINGS = (0.8, 0.95)
# Descriptions of the CLI's names for the windows of a plan.
WINDOWS = {
    "five_hour": "five-hour limit",
    "seven_day": "weekly limit",
    "seven_day_opus": "weekly Opus limit",
    "seven_day_sonnet": "weekly Sonnet limit",
    "overage": "extra usage limit",
}


@dataclass(frozen=True, slots=True)
class Window:
    """One window of the plan. `used` is 0 to 1, `resets` unix seconds; None if the CLI does not report it."""

    name: str
    used: float | None = None
    resets: float | None = None

    @property
    def label(self) -> str:
        """In words."""
        return WINDOWS.get(self.name, self.name.replace("_", " "))

    @property
    def warning(self) -> float | None:
        """The highest of the WARNINGS that has been reached."""
        return max((share for share in WARNINGS if self.used is not None and self.used >= share), default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """The CLI's last report.

    `extra`: extra usage is being used; `next_is_extra`: the next request would use it. `ends` is when that is over, in
    unix seconds: the reset of the full window.
    """

    status: str = ""
    windows: tuple[Window, ...] = ()
    extra: bool = False
    next_is_extra: bool = False
    ends: float | None = None
    info: Mapping[str, Any] = field(default_factory=dict, compare=False)


def limits(info: Mapping[str, Any] | None, now: float) -> Limits:
    """`rate_limit_info` as of `now` (unix seconds): a window that has been reset since then is empty."""
    said = info or {}
    resets = _number(said.get("resetsAt"))
    is_over = resets is not None and resets <= now
    status = str(said.get("status") or "")
    extra = bool(said.get("isUsingOverage") or said.get("overageInUse")) and not is_over
    # Full, and the service continues with extra usage.
    follows = status == "rejected" and said.get("overageStatus") in ("allowed", "allowed_warning")
    return Limits(
        status="allowed" if is_over else status,
        windows=tuple(_current(window, now) for window in _windows(said, resets)),
        extra=extra,
        next_is_extra=extra or (follows and not is_over),
        ends=None if is_over else resets,
        info=said,
    )


def when(moment: float) -> str:
    """Unix seconds as local time with its offset, such as `2026-11-26 18:00 UTC+01:00`.

    Empty for a value out of range.
    """
    try:
        local = datetime.fromtimestamp(moment, UTC).astimezone()
        return f"{local:%Y-%m-%d %H:%M} {offset(local)}"
    except (ValueError, OverflowError, OSError):
        return ""


def offset(local: datetime) -> str:
    """The offset of a local time, such as `UTC+01:00`."""
    return f"UTC{local.isoformat(timespec='seconds')[-6:]}"


def _windows(said: Mapping[str, Any], resets: float | None) -> list[Window]:
    found: dict[str, Window] = {}
    unified = said.get("unifiedWindows")
    for name, value in unified.items() if isinstance(unified, dict) else ():
        if isinstance(value, dict):
            found[name] = Window(str(name), _number(value.get("utilization")), _number(value.get("resetsAt")))
    name = said.get("rateLimitType")
    if isinstance(name, str) and name not in found:
        found[name] = Window(name, _number(said.get("utilization")), resets)
    return list(found.values())


def _current(window: Window, now: float) -> Window:
    return Window(window.name, 0.0, None) if window.resets is not None and window.resets <= now else window


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
