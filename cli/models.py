"""`claude-max models`: the models of this login, and the names that clients may use.

Sends no request to a model. A running proxy is asked first, because its login may be another one, or it may be a demo.
"""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

import httpx2
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from claude_max.proxy.config import Settings
from claude_max.proxy.engine.probe import queries
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.events import Model
from claude_max.proxy.port_check import address
from claude_max.proxy.translate.common import models as names

from .connect.here import proxy
from .output import WARN, Result, render

DEFAULT = "default"
# In a narrower terminal a table would break words.
WIDE = 100
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """One model as the CLI lists it. `default` marks the one that answers when a client asks for "default"."""

    id: str
    resolves_to: str
    name: str
    description: str
    efforts: tuple[str, ...]
    default: bool


@dataclass(frozen=True, slots=True)
class Models(Result):
    """The available models; `ids` maps each name that clients may use to its full id.

    `lost` are aliases that do not resolve to a model, with their targets.
    """

    models: tuple[Row, ...]
    ids: dict[str, str]
    lost: dict[str, str] = field(default_factory=dict)

    def view(self) -> Iterable[RenderableType]:
        """The models with the names of each; every name is listed once."""
        yield Offered(self)
        yield Text()
        yield Text("Clients may use a model's id, any of its names, and any full claude-… id.", "dim")
        for name, target in self.lost.items():
            yield Text(f"The alias {name} points to {target!r}, which is not a model.", WARN)


@dataclass(frozen=True, slots=True)
class Offered:
    """One row per model; in a narrow terminal several lines."""

    found: Models

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        for title in ("Model", "Names", "Effort", "Description"):
            table.add_column(title, overflow="fold")
        for id, called, efforts, description in self._rows():
            table.add_row(Text(id, "bold"), called, efforts, description)
        if options.max_width >= WIDE:
            yield table
            return
        for id, called, efforts, description in self._rows():
            yield Text(id, "bold", overflow="fold")
            yield from (
                Text(f"  {line}", overflow="fold") for line in (*called.split(", "), efforts, description) if line
            )

    def _rows(self) -> Iterable[tuple[str, str, str, str]]:
        for id in dict.fromkeys(self.found.ids.values()):
            rows = [row for row in self.found.models if row.resolves_to == id]
            # The row of "default" describes the choice, not the model.
            told = next((row for row in rows if row.id != DEFAULT), rows[0] if rows else None)
            names = ", ".join(name for name, target in self.found.ids.items() if target == id and name != id)
            yield id, names, " ".join(told.efforts) if told else "", told.description if told else ""


def models(*, json: bool) -> NoReturn:
    """Prints the models. Exits NO_CLI or NEEDS_LOGIN if the CLI cannot be asked."""
    render(_models, json=json, doing="Asking Claude Code…")


def _models() -> Models:
    settings, answers = proxy()
    offered = (_of_proxy(settings) if answers else ()) or _of_cli(settings)
    default = next((model.id for model in offered if model.name == DEFAULT), None)
    full = {model.name: model.id for model in offered}
    ids = {}
    aliases = settings.all_aliases
    for id in names.ids(offered, aliases):
        target = names.resolve(id, offered, aliases)
        ids[id] = full.get(target, target)
    rows = [
        Row(model.name, model.id, model.display_name, model.description, model.efforts, model.id == default)
        for model in offered
    ]
    return Models(tuple(rows), ids, names.lost_aliases(offered, aliases))


def _of_cli(settings: Settings) -> tuple[Model, ...]:
    cli = locate(settings.claude_path, os.environ)
    environ = environment(os.environ, allow_api_key=settings.allow_anthropic_api_key)
    return asyncio.run(queries.models(cli.path, environ))


def _of_proxy(settings: Settings) -> tuple[Model, ...]:
    """The models of a running proxy; none if it requires another key, or does not know its models yet."""
    key = {} if settings.api_key is None else {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
    try:
        with httpx2.Client(timeout=SECONDS, trust_env=False, headers=key) as http:
            listed = http.get(f"{address(settings)}/v1/models").raise_for_status().json()["data"]
        found = {each["id"]: each for each in listed if each.get("canonical_slug")}
    except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        return ()
    # The rest are names of the CLI's own list, where each is also listed under its full id.
    ours = {*names.SEED_IDS, *settings.all_aliases, *(each["canonical_slug"] for each in found.values())}
    return tuple(
        Model(
            id,
            each["canonical_slug"],
            each.get("name", ""),
            each.get("description", ""),
            tuple(each.get("reasoning_efforts", ())),
        )
        for id, each in found.items()
        if id not in ours
    )
