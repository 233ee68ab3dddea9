"""What a model's name says of it; a name that says nothing is a model that takes everything."""

import pytest

from claude_max.proxy.scripted.models import UNKNOWN, traits


@pytest.mark.parametrize("name", ["haiku", "claude-2.1", "gpt-5", "", "claude-instant"])
def test_a_name_without_a_version(name: str) -> None:
    assert traits(name) == UNKNOWN


@pytest.mark.parametrize(
    ("name", "sampling", "refuses", "thinks", "prefill", "images"),
    [
        ("claude-opus-4-20250514", "any", {"adaptive"}, False, True, 100),
        ("claude-opus-4-1", "one", {"adaptive"}, False, True, 100),
        ("claude-haiku-4-5-20251001", "one", {"adaptive"}, False, True, 100),
        ("claude-sonnet-4-6", "one", set(), False, False, 600),
        ("claude-opus-4-8", "default", {"enabled"}, False, False, 600),
        ("claude-sonnet-5", "default", {"enabled"}, True, False, 600),
        ("claude-sonnet-5-5[1m]", "default", {"enabled"}, True, False, 600),
        ("claude-opus-5-5", "default", {"enabled", "disabled"}, True, False, 600),
        ("claude-fable-5-1", "default", {"enabled", "disabled"}, True, False, 600),
    ],
)
def test_a_generation(name: str, sampling: str, refuses: set[str], *, thinks: bool, prefill: bool, images: int) -> None:
    found = traits(name)
    assert set(found.refuses) == refuses
    assert (str(found.sampling), found.thinks, found.prefill, found.images) == (sampling, thinks, prefill, images)


@pytest.mark.parametrize(
    ("name", "forced", "preserves"),
    [
        ("claude-sonnet-5-5", True, True),
        ("claude-haiku-5-5", True, True),
        ("claude-opus-5", True, False),
        ("claude-opus-5-5", False, True),
        ("claude-fable-5", True, False),
        ("claude-fable-5-1", False, True),
    ],
)
def test_the_newest(name: str, *, forced: bool, preserves: bool) -> None:
    assert (traits(name).forced, traits(name).preserves) == (forced, preserves)
