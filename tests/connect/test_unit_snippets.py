"""Recipes as texts to copy: every client has one, whole, and never a key that is set."""

import json
import re
import tomllib
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest

from claude_max.cli.connect.catalogue import catalogue
from claude_max.cli.connect.places import Surroundings
from claude_max.cli.connect.snippets import Snippet, snippets

URL = "http://localhost:4000"


@cache
def made(*, has_key: bool = False) -> dict[str, Snippet]:
    found = snippets(URL, Surroundings({}, Path("/home/me"), "linux"), has_key=has_key)
    return {each.name: each for each in found}


@pytest.mark.parametrize("name", list(catalogue()))
def test_every_client_has_a_whole_text(name: str) -> None:
    found = made()[name]
    text = json.dumps(asdict(found))
    assert not re.search(r"\{(url|key|model|port|file)\}", text)
    assert found.files or found.steps
    assert found.connect == f"claude-max connect {name}"
    assert "/home/me" not in text
    if found.files:
        assert URL in text or ":4000" in text


def test_a_key_that_is_set_is_left_to_its_owner() -> None:
    found = made(has_key=True)["codex"]
    (file,) = found.files
    assert file.place == "~/.codex/config.toml"
    assert tomllib.loads(file.text)["model_providers"]["claudemax"]["http_headers"] == {
        "Authorization": "Bearer YOUR_KEY"
    }
    assert found.launch == "claude-max launch codex"
    assert made()["zed"].launch == ""
