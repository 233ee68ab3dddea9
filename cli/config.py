"""`claude-max config path|show|validate`: the effective settings and where they come from.

Shows no keys. Commands that change the file are in `config_edit`.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import tomlkit
from rich.console import RenderableType
from rich.text import Text

from claude_max.proxy.config import PREFIX, Settings, config_path, load, open_to_all, unknown, written

from .output import WARN, Result, render


@dataclass(frozen=True, slots=True)
class Where(Result):
    """The configuration file, which may not exist."""

    path: Path
    exists: bool

    def view(self) -> Iterable[RenderableType]:
        """Only the path, for `$EDITOR "$(claude-max config path)"`."""
        yield Text(str(self.path))


@dataclass(frozen=True, slots=True)
class Setting:
    """An effective setting. `source` is "default", "file" or "environment"; a secret's value is "set" or "not set"."""

    name: str
    value: Any
    source: str
    about: str


@dataclass(frozen=True, slots=True)
class Shown(Result):
    """All effective settings, without flags."""

    path: Path
    exists: bool
    settings: tuple[Setting, ...]

    def view(self) -> Iterable[RenderableType]:
        """The settings as a TOML file; each line ends with the source of its value."""
        yield Text(
            f"# {self.path}{'' if self.exists else ' (does not exist: `claude-max config init` writes one)'}", "dim"
        )
        for setting in self.settings:
            source = setting.source
            if source == "environment":
                source = f"environment: {PREFIX}{setting.name.upper()}"
            style = "dim" if setting.source == "default" else "bold"
            yield Text(f"{_line(setting)}  # {source}", style)


@dataclass(frozen=True, slots=True)
class Validity(Result):
    """The file and the variables are valid for `serve`. `warnings` are variables without effect."""

    path: Path
    exists: bool
    warnings: tuple[str, ...]

    def view(self) -> Iterable[RenderableType]:
        """One line, and one for each warning."""
        yield Text(
            f"{self.path} is valid" if self.exists else f"Defaults and variables only: {self.path} does not exist"
        )
        yield from (Text(warning, WARN) for warning in self.warnings)


def path(*, json: bool) -> NoReturn:
    """Prints where the configuration file is or would be."""
    render(lambda: Where(config_path(), config_path().exists()), json=json)


def show(*, json: bool) -> NoReturn:
    """Prints every setting with its value and where it comes from. Exits USAGE if one of them is wrong."""
    render(_show, json=json)


def validate(*, json: bool) -> NoReturn:
    """Checks the file and the variables. Exits USAGE if one of them is wrong."""
    render(_validate, json=json)


def _validate() -> Validity:
    from claude_max.proxy.config import ConfigError

    settings, file = load(), config_path()
    if why := open_to_all(settings):
        raise ConfigError(why)
    return Validity(file, file.exists(), tuple(unknown().values()))


def _show() -> Shown:
    settings, file = load(), config_path()
    in_file = written(file).keys()
    # Names of variables count in any case, as pydantic-settings reads them; an empty one is unset.
    in_environment = {name.upper() for name, value in os.environ.items() if value}
    shown = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if is_secret(name):
            value = "not set" if value is None else "set"
        variable = f"{PREFIX}{name.upper()}" in in_environment
        source = "environment" if variable else "file" if name in in_file else "default"
        shown.append(Setting(name, value, source, field.description or ""))
    return Shown(file, file.exists(), tuple(shown))


def is_secret(name: str) -> bool:
    """Whether a setting's value must never be shown."""
    return "SecretStr" in str(Settings.model_fields[name].annotation)


def toml(name: str, value: Any) -> str:
    """`name = value` as a line of TOML."""
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update(value)
        value = table
    document = tomlkit.document()
    document.add(name, tomlkit.item(value))
    return tomlkit.dumps(document).strip()


def _line(setting: Setting) -> str:
    if is_secret(setting.name):
        return f"# {setting.name} is {setting.value}"
    return f"# {setting.name} is not set" if setting.value is None else toml(setting.name, setting.value)
