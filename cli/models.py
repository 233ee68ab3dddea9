"""`claude-max models`: what the CLI offers this login, and which names clients may use. Asks no model anything."""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from claude_max.proxy.config import load
from claude_max.proxy.engine.probe import queries
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.wire.command import environment
from claude_max.proxy.translate.common import models as names

from .output import Result, render

DEFAULT = "default"


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
    """What is offered; `ids` maps each name that clients may use to the full id that it stands for."""

    models: tuple[Row, ...]
    ids: dict[str, str]

    def view(self) -> Iterable[RenderableType]:
        """A table of the models, and a list of the names."""
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        for title in ("", "Model", "Resolves to", "Effort", "Description"):
            table.add_column(title, overflow="fold")
        for row in self.models:
            efforts = " ".join(row.efforts)
            table.add_row("*" if row.default else "", Text(row.id, "bold"), row.resolves_to, efforts, row.description)
        yield table
        yield Text()
        yield Text("* answers when a client asks for `default`.", "dim")
        yield Text("Clients may use:", "bold")
        for name in self.ids:
            resolved = self.ids[name]
            yield Text(f"  {name}" if name == resolved else f"  {name} → {resolved}")
        yield Text("and any full claude-… id.")


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
    for id in names.ids(offered, settings.aliases):
        target = names.resolve(id, offered, settings.aliases)
        ids[id] = full.get(target, target)
    rows = [
        Row(model.name, model.id, model.display_name, model.description, model.efforts, model.id == default)
        for model in offered
    ]
    return Models(tuple(rows), ids)
