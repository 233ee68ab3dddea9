"""`claude-max config path|show`: where the settings are read from, and what is in force. Shows no key."""

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from claude_max.proxy.config import PREFIX, Settings, config_path, load

from .output import Result, render


@dataclass(frozen=True, slots=True)
class Where(Result):
    """The configuration file, which need not exist."""

    path: Path
    exists: bool

    def view(self) -> Iterable[RenderableType]:
        """Only the path, for `$EDITOR "$(claude-max config path)"`."""
        yield Text(str(self.path))


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in force. `source` is "default", "file" or "environment"; a secret's value is "set" or "not set"."""

    name: str
    value: Any
    source: str
    about: str


@dataclass(frozen=True, slots=True)
class Shown(Result):
    """All settings in force, before flags."""

    path: Path
    exists: bool
    settings: tuple[Setting, ...]

    def view(self) -> Iterable[RenderableType]:
        """A table; what is not a default stands out."""
        yield Text(f"{self.path}{'' if self.exists else ' (there is none)'}", "dim")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("Setting", "Value", "From"):
            table.add_column(title, overflow="fold")
        for setting in self.settings:
            style = "dim" if setting.source == "default" else "bold"
            value = "" if setting.value is None else str(setting.value)
            table.add_row(setting.name, Text(value, overflow="fold"), setting.source, style=style)
        yield table


def path(*, json: bool) -> NoReturn:
    """Prints where the configuration file is or would be."""
    render(lambda: Where(config_path(), config_path().exists()), json=json)


def show(*, json: bool) -> NoReturn:
    """Prints every setting with its value and where that came from. Exits USAGE when one of them is wrong."""
    render(_show, json=json)


def _show() -> Shown:
    settings, file = load(), config_path()
    in_file = tomllib.loads(file.read_text("utf-8")).keys() if file.exists() else set()
    # Names of variables count in any case, as pydantic-settings reads them.
    in_environment = {name.upper() for name in os.environ}
    shown = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if "SecretStr" in str(field.annotation):
            value = "not set" if value is None else "set"
        variable = f"{PREFIX}{name.upper()}" in in_environment
        source = "environment" if variable else "file" if name in in_file else "default"
        shown.append(Setting(name, value, source, field.description or ""))
    return Shown(file, file.exists(), tuple(shown))
