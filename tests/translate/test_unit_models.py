"""Names of models: never silently another."""

import re

import pytest

from claude_max.proxy.config import Settings
from claude_max.proxy.errors import ModelNotFound
from claude_max.proxy.events import Model
from claude_max.proxy.translate.common.models import ids, model_object, resolve

OFFERED = (
    Model("default", "claude-opus-4-9"), Model("sonnet[1m]", "claude-sonnet-4-9[1m]"), Model("next", "next"),
    Model("small", "claude-haiku-4-9"), Model("haiku", "claude-haiku-4-9"),
)  # fmt: skip
ALIASES = {"gpt-4o": "sonnet", "my/own": "haiku", "fast": "claude-haiku-4-5-20251001", "lost": "nowhere"}

NAMES = [
    ("sonnet", "sonnet"),
    ("opus", "opus"),
    ("default", "default"),
    ("claude-sonnet-4", "sonnet"),
    ("claude-opus-4", "opus"),
    ("claude-haiku-4", "haiku"),
    # By its own name where the CLI has one, a family's before others.
    ("claude-opus-4-9", "default"),
    ("claude-haiku-4-9", "haiku"),
    ("claude-whatever-20300101", "claude-whatever-20300101"),
    ("sonnet[1m]", "sonnet[1m]"),
    ("next", "next"),
    ("anthropic/claude-opus-4-5", "claude-opus-4-5"),
    ("openrouter/anthropic/sonnet", "sonnet"),
    ("gpt-4o", "sonnet"),
    ("openai/gpt-4o", "sonnet"),
    ("my/own", "haiku"),
    ("fast", "claude-haiku-4-5-20251001"),
]


@pytest.mark.parametrize(("requested", "name"), NAMES)
def test_resolved(requested: str, name: str) -> None:
    assert resolve(requested, OFFERED, ALIASES) == name


@pytest.mark.parametrize("requested", ["gpt-5", "Sonnet", "lost", "sonnet/", "", " sonnet", "claude", "own", "4o"])
def test_unknown_ones_are_told_what_there_is(requested: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve(requested, OFFERED, ALIASES)
    assert caught.value.param == "model"
    assert repr(requested) in caught.value.message
    assert all(name in caught.value.message for name in ("claude-sonnet-4", "opus", "sonnet[1m]", "gpt-4o"))


def test_the_hint_names_the_setting_that_there_is() -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve("gpt-5", OFFERED, {})
    assert re.findall(r"`(.+?)`", caught.value.message) == ["aliases"]
    assert "aliases" in Settings.model_fields


def test_ids_come_once_each() -> None:
    found = ids((*OFFERED, Model("sonnet", "claude-sonnet-4")), {"opus": "sonnet", "mine": "opus"})
    assert len(found) == len(set(found))
    assert found[:6] == ["claude-opus-4", "claude-sonnet-4", "claude-haiku-4", "opus", "sonnet", "haiku"]
    assert {"default", "claude-opus-4-9", "next", "mine"} <= set(found)


def test_a_model_as_openai_shows_it() -> None:
    assert model_object("x", 5) == {"id": "x", "object": "model", "created": 5, "owned_by": "anthropic"}
