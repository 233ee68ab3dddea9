"""Reads which proxy the clients on this machine are set up for. Changes nothing."""

from collections.abc import Sequence

from claude_max.proxy.config import Settings
from claude_max.proxy.doctor import ClientRecord

from . import here
from .catalogue import catalogue
from .change import present
from .fill import bound
from .formats.json_scan import Unreadable
from .places import Refused, Surroundings, target_of, text_of
from .recipe import Recipe, Target
from .record import Store


def setup_of(recipe: Recipe, surroundings: Surroundings, store: Store, target: Target) -> ClientRecord | None:
    """A client's current set-up; None if it does not use a claude-max.

    It does if `connect` wrote its file, if it has an entry with our name, or if its address is the proxy's.
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
    return ClientRecord(recipe.name, recipe.title, path, found["url"], found.get("key"), found.get("model"))


def clients(settings: Settings) -> Sequence[ClientRecord]:
    """Every client on this machine that is set up for a claude-max; `settings` are those of the one that runs."""
    target = here.target(settings, None)
    found = [setup_of(recipe, here.surroundings(), here.store(), target) for recipe in catalogue().values()]
    return [client for client in found if client is not None]
