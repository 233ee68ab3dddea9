"""`claude-max config init|edit|set|unset`: changes the configuration file and keeps its comments and layout.

A file that would not be valid afterwards is not written.
"""

import getpass
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, get_args, get_origin

import tomlkit
from rich.console import RenderableType
from rich.text import Text
from tomlkit.exceptions import ParseError, TOMLKitError

from claude_max.proxy.config import ConfigError, Settings, check_values, config_path, unknown_setting
from claude_max.proxy.text_files import replace_text

from .config import is_secret, toml, validate
from .output import Exit, Result, fail, render

HEAD = """\
# Settings of claude-max. Each value is the default, or an example; remove the "# " before one to change it.
# `claude-max config validate` checks this file, `claude-max config show` prints what is in force.
"""


@dataclass(frozen=True, slots=True)
class Changed(Result):
    """The result of an edit. `outcome` is "written", "set", "unset" or "unchanged"."""

    path: Path
    outcome: str
    name: str = ""

    def view(self) -> Iterable[RenderableType]:
        """One line."""
        match self.outcome:
            case "written":
                yield Text(f"Wrote {self.path}")
            case "set":
                yield Text(f"Set {self.name} in {self.path}")
            case "unset":
                yield Text(f"Removed {self.name} from {self.path}")
            case _:
                yield Text(f"{self.name} is not set in {self.path}")


def init(*, json: bool) -> NoReturn:
    """Writes a file that lists every setting, commented out. Exits FAILED if the file exists."""

    def write() -> Changed:
        file = config_path()
        if file.exists():
            fail(f"{file} already exists: `claude-max config edit` opens it.", Exit.FAILED, json=json)
        _write(file, template())
        return Changed(file, "written")

    render(write, json=json)


def set_value(name: str, value: str, *, json: bool) -> NoReturn:
    """Sets one setting, such as `port` or `aliases.gpt-4o`; "-" reads it from stdin. Exits USAGE for a wrong value."""

    def change() -> Changed:
        setting, key = _named(name)
        given = _read_value(setting) if value == "-" else value
        file = config_path()
        text = _text(file) or template()
        _write(file, with_value(text, setting, key, _parsed(setting, key, given)), secret=is_secret(setting))
        return Changed(file, "set", name)

    render(change, json=json)


def unset(name: str, *, json: bool) -> NoReturn:
    """Removes one setting from the file, so that its default applies again."""

    def change() -> Changed:
        setting, key = _named(name)
        file = config_path()
        document = _document(_text(file), file)
        holder: Any = document.get(setting) if key else document
        if not isinstance(holder, dict) or (key or setting) not in holder:
            return Changed(file, "unchanged", name)
        del holder[key or setting]
        _write(file, tomlkit.dumps(document))
        return Changed(file, "unset", name)

    render(change, json=json)


def edit() -> NoReturn:
    """Opens the file in the editor, creating it if needed; then checks it."""
    file = config_path()
    try:
        if not file.exists():
            _write(file, template())
        ended = subprocess.run([*editor(), str(file)], check=False).returncode
    except OSError as error:
        fail(f"{error.filename or file}: {error.strerror}. Set EDITOR to an editor.", Exit.FAILED)
    if ended != 0:
        fail(f"The editor ended with exit code {ended}.", Exit.FAILED)
    validate(json=False)


def editor() -> list[str]:
    """VISUAL or EDITOR, which may have arguments; else one that the platform provides."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named:
        return shlex.split(named, posix=os.name == "posix")
    usual = ("notepad",) if os.name == "nt" else ("sensible-editor", "nano", "vi")
    return [next((name for name in usual if shutil.which(name)), usual[-1])]


def template() -> str:
    """A file with every setting, its meaning and its default, all commented out."""
    parts = [HEAD]
    for name, field in Settings.model_fields.items():
        value = (field.examples or [field.default])[0] if field.default in (None, [], {}) else field.default
        line = "\n".join(
            f"# {line}" for line in (toml(name, value) if name != "aliases" else _table(name, value)).splitlines()
        )
        parts.append(f"# {field.description}\n{line}\n")
    return "\n".join(parts)


def with_value(text: str, setting: str, key: str, value: Any) -> str:
    """The file's text with one value set: in the place of the commented line that `template` wrote, if there is one."""
    document = _document(text, config_path())
    commented = re.search(rf"^# ?{re.escape(setting)} = .*$", text, re.MULTILINE)
    # After a table header it would belong to the table.
    if (
        not key
        and commented
        and setting not in document
        and not re.search(r"^\s*\[", text[: commented.start()], re.MULTILINE)
    ):
        return f"{text[: commented.start()]}{toml(setting, value)}{text[commented.end() :]}"
    if key:
        if setting not in document:
            document.add(setting, tomlkit.table())
        holder: Any = document[setting]
        holder[key] = value
    elif setting in document or not _tables(document):
        document[setting] = value
    else:
        return f"{toml(setting, value)}\n{text}"
    return tomlkit.dumps(document)


def _tables(document: tomlkit.TOMLDocument) -> bool:
    return any(isinstance(value, dict) for value in document.values())


def _table(name: str, value: dict[str, str]) -> str:
    document = tomlkit.document()
    table = tomlkit.table()
    table.update(value)
    document.add(name, table)
    return tomlkit.dumps(document).strip()


def _named(name: str) -> tuple[str, str]:
    setting, _, key = name.partition(".")
    if setting not in Settings.model_fields:
        raise ConfigError(f"{setting}: {unknown_setting(setting)}")
    if key and get_origin(Settings.model_fields[setting].annotation) is not dict:
        raise ConfigError(f"{setting} has no parts: `claude-max config set {setting} VALUE`")
    return setting, key.strip("\"'")


def _parsed(setting: str, key: str, given: str) -> Any:
    """A value as typed in a shell: text needs no quotes, a list may be one word, anything else is TOML."""
    annotation: Any = Settings.model_fields[setting].annotation
    kinds = {annotation, *get_args(annotation)}
    if key or is_secret(setting) or (str in kinds and get_origin(annotation) is not list) or given in kinds:
        return given
    try:
        value = tomlkit.value(given)
    except (ParseError, TOMLKitError, ValueError):
        value = None
    if get_origin(annotation) is list and not isinstance(value, list):
        return [given]
    return given if value is None else value.unwrap()


def _read_value(setting: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{setting}: ") if is_secret(setting) else input(f"{setting}: ")
    return sys.stdin.read().strip()


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        ) from None


def _document(text: str, file: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from None


def _write(file: Path, text: str, *, secret: bool = False) -> None:
    check_values(_document(text, file).unwrap(), file)
    try:
        replace_text(file, text)
        if secret:
            # It may contain the key that clients must send.
            file.chmod(0o600)
    except OSError as error:
        raise ConfigError(f"{error.filename or file} cannot be written: {error.strerror}") from None
