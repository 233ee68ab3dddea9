"""When a window of the plan will be full, at the rate at which it fills now. Pure.

The rate is measured over the last hour of a five-hour window, and over the last two days of a week, so that nights
count. Early in a window, it is measured from the start of the window, when it was empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .ledger import Sample

HOUR, DAY = 3600.0, 24 * 3600.0
# Seconds of a window, by the prefix of its name.
LENGTHS = {"five_hour": 5 * HOUR, "seven_day": 7 * DAY, "model_scoped": 7 * DAY}
# The part of it that is used for the rate.
LOOKS_BACK = {5 * HOUR: HOUR, 7 * DAY: 2 * DAY}
# Resets closer than this are the same: the service rounds them.
SAME_RESET = 120.0
# A rate from less than this share of the look-back time is not meaningful.
LEAST = 0.1


@dataclass(frozen=True, slots=True)
class Forecast:
    """`rate` is the share that fills in an hour; `full_at` (unix seconds) is None where the window resets before."""

    rate: float
    full_at: float | None


def length_of(name: str) -> float | None:
    """Seconds of the window of this name, None where that is not known."""
    return next((length for begin, length in LENGTHS.items() if name.startswith(begin)), None)


def forecast(name: str, used: float, resets: float, now: float, samples: Sequence[Sample] = ()) -> Forecast | None:
    """When a window is full that is `used` (0 to 1) `now` and `resets` then; None where too little is known.

    `samples` are what was known of it before, the oldest first; those of other windows do not count.
    """
    length = length_of(name)
    if length is None or resets <= now:
        return None
    begun = resets - length
    points = [(begun, 0.0)]
    points += [
        (each.at, each.used) for each in samples if abs(each.resets - resets) <= SAME_RESET and begun < each.at < now
    ]
    points.append((now, used))
    look = LOOKS_BACK[length]
    since = max(begun, now - look)
    if now - since < LEAST * look:
        return None
    rate = max(0.0, used - _at(points, since)) / (now - since)
    if used >= 1:
        return Forecast(rate * HOUR, now)
    full = now + (1 - used) / rate if rate > 0 else None
    return Forecast(rate * HOUR, full if full is not None and full < resets else None)


def _at(points: Sequence[tuple[float, float]], moment: float) -> float:
    """How full it was then, between what is known before and after."""
    before = max((point for point in points if point[0] <= moment), default=points[0])
    after = min((point for point in points if point[0] >= moment), default=points[-1])
    if after[0] <= before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (moment - before[0]) / (after[0] - before[0])
