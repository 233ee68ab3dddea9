"""When a window is full: held against weeks that are simulated, with nights, and against what cannot be known."""

import pytest

from claude_max.proxy.store.forecast import forecast
from claude_max.proxy.store.ledger import Sample

HOUR, DAY = 3600.0, 24 * 3600.0
# A Monday, 09:00.
MONDAY = 1_795_424_400.0


def week(share: float) -> list[Sample]:
    """A week's window: seven days of work from 9 to 19, a sample each half hour of it, `share` used in a day."""
    resets, used = MONDAY + 7 * DAY, 0.0
    found = []
    for day in range(7):
        for half in range(20):
            used += share / 20
            found.append(Sample("seven_day", MONDAY + day * DAY + (half + 1) * HOUR / 2, used, resets))
    return found


def test_a_week_that_ends_early_is_foreseen() -> None:
    samples = week(0.22)
    full = next(each.at for each in samples if each.used >= 1)
    checked = 0
    for index, each in enumerate(samples):
        if each.at < MONDAY + 2 * DAY or each.used >= 1:
            continue
        found = forecast("seven_day", each.used, each.resets, each.at, samples[:index])
        assert found is not None
        assert found.full_at is not None, "it is full before it resets"
        assert abs(found.full_at - full) < 0.5 * DAY
        checked += 1
    assert checked > 40
    # At night, when nobody asks, it does not recede.
    night = MONDAY + 3 * DAY - 2 * HOUR
    found = forecast("seven_day", 0.66, MONDAY + 7 * DAY, night, [each for each in samples if each.at < night])
    assert found is not None
    assert found.full_at is not None
    assert abs(found.full_at - full) < 0.5 * DAY


def test_a_week_that_lasts_is_not_said_to_end() -> None:
    samples = week(0.12)
    for index, each in enumerate(samples):
        if each.at >= MONDAY + 2 * DAY:
            found = forecast("seven_day", each.used, each.resets, each.at, samples[:index])
            assert found is not None
            assert found.full_at is None


def test_five_hours_at_a_steady_rate() -> None:
    resets = MONDAY + 5 * HOUR
    for minutes in range(30, 200, 10):
        now = MONDAY + minutes * 60
        known = [Sample("five_hour", MONDAY + each * 60, each / 200, resets) for each in range(5, minutes, 5)]
        found = forecast("five_hour", minutes / 200, resets, now, known)
        assert found is not None
        assert found.full_at == pytest.approx(MONDAY + 200 * 60, abs=60)
        assert found.rate == pytest.approx(0.3)


def test_the_last_hour_counts_and_not_the_one_before() -> None:
    resets, now = MONDAY + 5 * HOUR, MONDAY + 3 * HOUR
    slow = [Sample("five_hour", MONDAY + HOUR, 0.01, resets), Sample("five_hour", MONDAY + 2 * HOUR, 0.02, resets)]
    found = forecast("five_hour", 0.62, resets, now, slow)
    assert found is not None
    assert found.full_at == pytest.approx(now + 38 * 60, abs=1)
    # Another window's samples, one that was before this, tell nothing.
    before = [Sample("five_hour", now - HOUR, 0.9, resets - 5 * HOUR)]
    assert forecast("five_hour", 0.62, resets, now, [*before, *slow]) == found


def test_what_cannot_be_known() -> None:
    assert forecast("thirty_day_new", 0.5, MONDAY + DAY, MONDAY) is None
    assert forecast("five_hour", 0.5, MONDAY, MONDAY) is None
    # A minute tells nothing of an hour.
    assert forecast("five_hour", 0.05, MONDAY + 5 * HOUR - 60, MONDAY) is None
    idle = forecast("five_hour", 0.0, MONDAY + 2 * HOUR, MONDAY)
    assert idle is not None
    assert (idle.rate, idle.full_at) == (0, None)
    full = forecast("five_hour", 1.0, MONDAY + 2 * HOUR, MONDAY)
    assert full is not None
    assert full.full_at == MONDAY
