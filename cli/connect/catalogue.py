"""All recipes, discovered in `recipes`: one file each."""

import difflib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from claude_max.proxy.config import ConfigError

from . import recipes
from .recipe import Recipe


@cache
def catalogue() -> Mapping[str, Recipe]:
    """Every recipe by its name, sorted."""
    found = [import_module(f"{recipes.__name__}.{each.name}").RECIPE for each in pkgutil.iter_modules(recipes.__path__)]
    return {recipe.name: recipe for recipe in sorted(found, key=lambda recipe: recipe.name)}


def recipe_of(name: str) -> Recipe:
    """The recipe with this name. Raises ConfigError, which suggests the nearest name."""
    known = catalogue()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    said = f"Is it {near[0]}? " if near else ""
    raise ConfigError(f"Unknown client {name!r}. {said}`claude-max connect` lists them.")
