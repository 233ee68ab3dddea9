"""Fills the placeholders of a recipe, and extracts address, key and model from a client's file. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from .recipe import Each, Recipe, Target

# The minimum of all models; with a smaller value a client would truncate conversations.
CONTEXT, OUTPUT = 200_000, 32_000
NAMES: Mapping[str, str] = {"opus": "Claude Opus", "sonnet": "Claude Sonnet", "haiku": "Claude Haiku"}
_WORDS = re.compile(r"\{(url|key|model|id|name|folder|file|port)\}")
_PATTERNS = {"url": r"https?://[^/\s]+", "key": r".+", "model": r".+"}


def filled(value: Any, target: Target, **more: str) -> Any:
    """A value with every placeholder filled in; values other than text are unchanged."""
    port = target.url.rpartition(":")[2]
    words = {"url": target.url, "port": port, "key": target.key, "model": target.model, **more}
    if isinstance(value, str):
        return _WORDS.sub(lambda found: words.get(found[1], found[0]), value)
    if isinstance(value, Each):
        models = {**({} if target.model in NAMES else {target.model: target.model}), **NAMES}
        made = {id: filled(value.value, target, id=id, name=name) for id, name in models.items()}
        return made if value.by_id else list(made.values())
    if isinstance(value, dict):
        return {filled(key, target, **more): filled(each, target, **more) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, target, **more) for each in value]
    return value


def bound(template: Any, value: Any) -> dict[str, str]:
    """The parts of a client's value at the recipe's placeholders: "url", "key" and "model", as far as found."""
    if isinstance(template, str) and isinstance(value, str):
        named: set[str] = set()

        def group(found: re.Match[str]) -> str:
            name = found[0].strip("\\{}")
            if name in named or name not in _PATTERNS:
                return ".*"
            named.add(name)
            return f"(?P<{name}>{_PATTERNS[name]})"

        pattern = re.sub(r"\\\{(\w+)\\\}", group, re.escape(template))
        found = re.fullmatch(pattern, value)
        return {name: said for name, said in found.groupdict().items() if said} if found else {}
    if isinstance(template, Each) and isinstance(value, dict | list):
        parts = [bound(template.value, each) for each in (value.values() if isinstance(value, dict) else value)]
    elif isinstance(template, dict) and isinstance(value, dict):
        parts = [bound(each, value[key]) for key, each in template.items() if key in value]
    elif isinstance(template, list) and isinstance(value, list):
        parts = [bound(one, two) for one, two in zip(template, value, strict=False)]
    else:
        parts = []
    return {name: said for part in reversed(parts) for name, said in part.items()}


def steps(recipe: Recipe, target: Target, file: str) -> tuple[str, ...]:
    """The steps for a person; `file` is where the recipe's file is."""
    return tuple(str(filled(step, target, file=file)) for step in recipe.steps)
