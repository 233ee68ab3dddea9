"""`claude-max models`: what the CLI offers this login, and which names clients may use. Asks no model anything."""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from claude_max.proxy.config import load
from claude_max.proxy.engine.probe import queries
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.translate.common import models as names

from .output import Result, render

DEFAULT = "default"
# Below it a table breaks words.
WIDE = 100


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
    """What is offered; `ids` maps each name that clients may use to the full id that it stands for.

    `lost` are aliases that lead to no model, with what they lead to.
    """

    models: tuple[Row, ...]
    ids: dict[str, str]
    lost: dict[str, str] = field(default_factory=dict)

    def view(self) -> Iterable[RenderableType]:
        """The models, each with the names that lead to it; every name stands once."""
        yield Offered(self)
        yield Text()
        yield Text("Clients may use a model's id, any of its names, and any full claude-… id.", "dim")
        for name, target in self.lost.items():
            yield Text(f"The alias {name} leads to {target!r}, which is not a model.", "yellow")


@dataclass(frozen=True, slots=True)
class Offered:
    """A row a model; where the terminal is too narrow for that, some lines a model."""

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
    """Prints what the CLI offers. Exits NO_CLI or NEEDS_LOGIN where there is nothing to ask."""
    render(_models, json=json, doing="Asking Claude Code…")


def _models() -> Models:
    settings = load()
    cli = locate(settings.claude_path, os.environ)
    environ = environment(os.environ, allow_api_key=settings.allow_anthropic_api_key)
    offered = asyncio.run(queries.models(cli.path, environ))
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
