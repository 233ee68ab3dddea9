"""What an answer's headers tell of its cost: time, way, cached share, and what is left of the plan.

`x-claude-max-window` is a structured field (RFC 8941): `five_hour;used=0.83;resets=1795710565, seven_day;used=0.5`.
"""

import time

from ..events import Usage
from ..plan import Limits
from .accounts import Tab

TIMING = "server-timing"
WAY = "x-claude-max-way"
CACHED = "x-claude-max-cached"
WINDOW = "x-claude-max-window"
WARNING = "x-claude-max-warning"
NAMES = (TIMING, WAY, CACHED, WINDOW, WARNING)


def receipt_headers(tab: Tab, usage: Usage, found: Limits, warnings: list[str]) -> dict[str, str]:
    """The headers of an answer whose first event has come, with the usage that it told."""
    headers: dict[str, str] = {}
    if tab.call is not None and tab.found is not None:
        prepared = max(0.0, tab.found - tab.begun - tab.call.queued)
        spans = {"prepare": prepared, "queue": tab.call.queued, "first": time.monotonic() - tab.found}
        headers[TIMING] = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in spans.items())
        headers[WAY] = f"{tab.call.way}; {'warm' if tab.call.warm else 'new'}"
    if usage.prompt:
        headers[CACHED] = f"{usage.cache_read / usage.prompt:.3f}"
    if text := window_field(found):
        headers[WINDOW] = text
    if warnings:
        headers[WARNING] = "; ".join(warnings)
    return headers


def window_field(found: Limits) -> str:
    """The known windows of the plan."""
    parts = []
    for window in found.windows:
        # A window's name is a token of the service's; anything else would break the header.
        if not window.name.replace("_", "").isalnum() or not window.name.isascii():
            continue
        used = f";used={window.used:.3f}".rstrip("0").rstrip(".") if window.used is not None else ""
        resets = f";resets={int(window.resets)}" if window.resets is not None else ""
        parts.append(f"{window.name}{used}{resets}")
    if found.extra:
        parts.append("extra_usage")
    return ", ".join(parts)
