"""What the clients on this machine are set up for, as their files say. Reads, and changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .catalogue import catalogue
from .change import present
from .fill import bound
from .formats.json_scan import Unreadable
from .places import Refused, Surroundings, target_of, text_of
from .recipe import Recipe, Target
from .record import Store


@dataclass(frozen=True, slots=True)
class Setup:
    """A client that is set up for a claude-max: `url` as in its file, without a path; None where one is not there."""

    client: str
    title: str
    path: Path
    url: str | None
    key: str | None
    model: str | None


def setup_of(recipe: Recipe, surroundings: Surroundings, store: Store, target: Target) -> Setup | None:
    """What a client is set up for; None where it is not set up for a claude-max.

    It is where `connect` wrote its file, where something stands under our name, or where its address is the proxy's.
    """
    known = bool(store.load(recipe.name))
    found: dict[str, str] = {}
    ours = False
    path = None
    for file in recipe.files:
        where = surroundings.where(file).absolute()
        try:
            text = text_of(target_of(where))
            there = [] if text is None else present(file, text)
        except (Refused, Unreadable):
            continue
        for put, value in there:
            ours = ours or put.own
            for name, said in bound(put.value, value).items():
                found.setdefault(name, said)
                path = path or where
    if path is None or "url" not in found or not (known or ours or found["url"] == target.url):
        return None
    return Setup(recipe.name, recipe.title, path, found.get("url"), found.get("key"), found.get("model"))


def setups(surroundings: Surroundings, store: Store, target: Target) -> Iterator[Setup]:
    """Every client that is set up for a claude-max."""
    for recipe in catalogue().values():
        if (found := setup_of(recipe, surroundings, store, target)) is not None:
            yield found
