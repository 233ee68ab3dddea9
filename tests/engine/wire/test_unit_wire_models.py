"""The CLI's list of models, however much of it is missing."""

import pytest

from claude_max.proxy.engine.wire.models import models_of
from claude_max.proxy.events import Model


def test_rows_of_the_clis_answer() -> None:
    rows = [
        {"value": "opus", "resolvedModel": "claude-opus-4-9", "displayName": "Opus", "description": "Best",
         "supportsEffort": True, "supportedEffortLevels": ["low", "high"], "supportsThinkingOff": True},
        {"value": "haiku", "supportedEffortLevels": ["low"]},
        {"value": ""}, {"displayName": "no value"}, "nonsense", None,
    ]  # fmt: skip
    assert models_of({"models": rows}) == (
        Model("opus", "claude-opus-4-9", "Opus", "Best", ("low", "high"), thinking_off=True), Model("haiku", "haiku"),
    )  # fmt: skip


@pytest.mark.parametrize("answer", [{}, {"models": None}, {"models": "x"}, {"models": []}])
def test_no_rows(answer: dict[str, object]) -> None:
    assert models_of(answer) == ()
