"""Names of models: never silently another."""

import re

import pytest
from harness.shape import Shape

from claude_max.proxy.config import Settings
from claude_max.proxy.errors import ModelNotFound
from claude_max.proxy.events import Model
from claude_max.proxy.translate.common.models import ids, lost_aliases, model_object, resolve

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


@pytest.mark.parametrize("requested", ["gpt-5", "lost", "sonnet/", "", " sonnet", "claude", "own", "4o"])
def test_unknown_ones_are_told_what_there_is(requested: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve(requested, OFFERED, ALIASES)
    assert caught.value.param == "model"
    assert repr(requested) in caught.value.message
    assert all(name in caught.value.message for name in ("claude-sonnet-4", "opus", "sonnet[1m]", "gpt-4o"))


# `expected` is what the CLI is given.
SPELLINGS: dict[str, Shape] = {
    "capitals": Shape("`Sonnet`", "as `sonnet`", "Sonnet", "sonnet"),
    "a dot": Shape("`claude-sonnet-4.5`", "as `claude-sonnet-4-5`", "claude-sonnet-4.5", "claude-sonnet-4-5"),
    "a dot before a date": Shape(
        "`claude-haiku-4.5-20251001`",
        "as `claude-haiku-4-5-20251001`",
        "claude-haiku-4.5-20251001",
        "claude-haiku-4-5-20251001",
    ),
    "the version first": Shape(
        "`claude-4.5-sonnet` (Cursor)", "as `claude-sonnet-4-5`", "claude-4.5-sonnet", "claude-sonnet-4-5"
    ),
    "the version first, without a minor": Shape("`claude-4-opus`", "as `claude-opus-4`", "claude-4-opus", "opus"),
    "ollama's tag": Shape("`sonnet:latest`", "as `sonnet`", "sonnet:latest", "sonnet"),
    "a provider": Shape(
        "`anthropic/claude-sonnet-4.5`", "as `claude-sonnet-4-5`", "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"
    ),
    "fable": Shape("`fable`, `best`, `opusplan`: the CLI's own other names", "given to the CLI", "fable", "fable"),
    "best": Shape("`best`", "given to the CLI", "best", "best"),
    "opusplan": Shape("`opusplan`", "given to the CLI", "opusplan", "opusplan"),
    "a larger window": Shape("`opus[1m]`", "given to the CLI", "opus[1m]", "opus[1m]"),
    "an old id": Shape(
        "`claude-3-5-sonnet-20241022`",
        "given to the CLI; the API decides",
        "claude-3-5-sonnet-20241022",
        "claude-3-5-sonnet-20241022",
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_another_spelling_is_the_same_name(name: str) -> None:
    assert resolve(SPELLINGS[name].given, (), {}) == SPELLINGS[name].expected


@pytest.mark.parametrize(("requested", "near"), [("sonet", "sonnet"), ("Opuss", "opus")])
def test_a_near_name_is_offered(requested: str, near: str) -> None:
    with pytest.raises(ModelNotFound, match=f"did you mean {near}"):
        resolve(requested, (), {})


def test_patterns_of_aliases() -> None:
    aliases = {"gpt-4o": "opus", "gpt-*-mini": "haiku", "gpt-*": "sonnet"}
    asked = ["gpt-4o", "gpt-4o-mini", "openai/gpt-5"]
    assert [resolve(name, (), aliases) for name in asked] == ["opus", "haiku", "sonnet"]
    assert not any("*" in id for id in ids((), aliases))


READY = [
    ("gpt-4o", "sonnet"),
    ("gpt-4o-mini", "haiku"),
    ("gpt-5-nano", "haiku"),
    ("o3", "sonnet"),
    ("o4-mini", "haiku"),
]


@pytest.mark.parametrize(("name", "model"), READY)
def test_openai_names_behind_a_setting(name: str, model: str) -> None:
    on = Settings.model_construct(openai_names=True, aliases={"gpt-5-nano": "haiku"})
    assert resolve(name, (), on.all_aliases) == model
    with pytest.raises(ModelNotFound, match="openai_names = true"):
        resolve(name, (), Settings.model_construct(openai_names=False).all_aliases)
    assert resolve(name, (), Settings.model_construct(openai_names=True, aliases={"*": "opus"}).all_aliases) == "opus"


def test_an_alias_that_leads_nowhere() -> None:
    assert lost_aliases(OFFERED, ALIASES) == {"lost": "nowhere"}
    assert "lost" not in ids(OFFERED, ALIASES)
    with pytest.raises(ModelNotFound, match="leads to 'nowhere'"):
        resolve("lost", OFFERED, ALIASES)


def test_what_is_known_of_a_model_is_shown() -> None:
    row = Model("sonnet", "claude-sonnet-5-5", "Sonnet", "Good", ("low", "high"), None, 1_000_000, 128_000)
    shown = model_object("x", 5, row)
    assert (shown["canonical_slug"], shown["name"], shown["description"]) == ("claude-sonnet-5-5", "Sonnet", "Good")
    assert (shown["context_length"], shown["max_output_tokens"]) == (1_000_000, 128_000)
    assert shown["reasoning_efforts"] == ["low", "high"]
    assert shown["architecture"]["input_modalities"] == ["text", "image", "file"]
    assert "context_length" not in model_object("x", 5, Model("sonnet", "claude-sonnet-5-5"))


def test_the_hint_names_the_setting_that_there_is() -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve("llama", OFFERED, {})
    assert re.findall(r"`(.+?)`", caught.value.message) == ["aliases"]
    assert "aliases" in Settings.model_fields


def test_ids_come_once_each() -> None:
    found = ids((*OFFERED, Model("sonnet", "claude-sonnet-4")), {"opus": "sonnet", "mine": "opus"})
    assert len(found) == len(set(found))
    assert found[:6] == ["claude-opus-4", "claude-sonnet-4", "claude-haiku-4", "opus", "sonnet", "haiku"]
    assert {"default", "claude-opus-4-9", "next", "mine"} <= set(found)


def test_a_model_as_openai_shows_it() -> None:
    assert model_object("x", 5) == {"id": "x", "object": "model", "created": 5, "owned_by": "anthropic"}
