"""TOML and YAML, by libraries that keep comments and order. Pure.

If the library would reformat other parts of a file, the file is Unreadable here, and the user gets the lines to paste.
"""

import io
import re
from typing import Any

import tomlkit
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from tomlkit.exceptions import TOMLKitError

from .json_scan import Unreadable
from .steps import MISSING, Item, Path, depth, look, nested, position

# Wider than any line, so that long lines are not wrapped.
WIDTH = 100_000
# Indentation of mappings, sequences and offset, as is common.
LAYOUTS = ((2, 4, 2), (2, 2, 0), (4, 6, 4), (4, 4, 2), (4, 4, 0), (4, 2, 0), (2, 5, 3))


def _put(root: Any, path: Path, value: Any) -> None:
    there = depth(root, path)
    if there == len(path):
        holder = look(root, path[:-1])
        at = position(holder, path[-1])
        if holder[at] != value:
            holder[at] = value
        return
    holder, step = look(root, path[:there]), path[there]
    # Raises where the container is of the other kind.
    position(holder, step)
    new = nested(path[there + 1 :], value)
    if isinstance(step, Item):
        holder.append(new)
    else:
        holder[step] = new


def _drop(root: Any, path: Path) -> None:
    if look(root, path) is not MISSING:
        holder = look(root, path[:-1])
        del holder[position(holder, path[-1])]


class TomlDocument:
    """A TOML text, by tomlkit."""

    def __init__(self, text: str) -> None:
        try:
            self._root = tomlkit.parse(text)
        except (TOMLKitError, ValueError) as error:
            raise Unreadable(str(error)) from None
        # tomlkit itself would end new lines differently than the others.
        self._windows = "\r\n" in text

    def value(self) -> Any:
        """All of it, as plain values."""
        return self._root.unwrap()

    def text(self) -> str:
        """The whole file."""
        text = tomlkit.dumps(self._root)
        return text.replace("\r\n", "\n").replace("\n", "\r\n") if self._windows else text

    def set(self, path: Path, value: Any) -> None:
        """Puts a value there, in place of the one that is there; containers on the way are made. Raises Unfit."""
        name = path[0]
        plain = not isinstance(value, dict) and len(path) == 1
        if plain and name not in self._root and any(isinstance(each, dict) for each in self._root.values()):
            line = tomlkit.document()
            line.add(str(name), tomlkit.item(value))
            self._root = tomlkit.parse(_before_tables(tomlkit.dumps(self._root), tomlkit.dumps(line)))
            return
        _put(self._root, path, value)
        self._root = tomlkit.parse(tomlkit.dumps(self._root))

    def remove(self, path: Path) -> None:
        """Takes away what is there; nothing happens where nothing is. Raises Unfit."""
        _drop(self._root, path)


def _before_tables(text: str, line: str) -> str:
    """The text with a line outside of all tables: after the last such line, else after the comment at the top."""
    head = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    lines = text[: head.start()].splitlines(keepends=True) if head else []
    bare = [each.strip() for each in lines]
    at = next((at for at in range(len(bare), 0, -1) if bare[at - 1] and bare[at - 1][0] != "#"), None)
    if at is None:
        at = bare.index("") if "" in bare else 0
    return "".join(lines[:at]) + line + "".join(lines[at:]) + text[head.start() if head else 0 :]


class YamlDocument:
    """A YAML text, by ruamel.yaml."""

    def __init__(self, text: str) -> None:
        self._windows = "\r\n" in text
        plain = text.replace("\r\n", "\n")
        # Adds a missing newline at the end, as editors do.
        plain += "" if not plain or plain.endswith("\n") else "\n"
        self._head = ""
        for layout in LAYOUTS:
            self._yaml = _reader(layout)
            try:
                self._root = self._yaml.load(plain)
                if self._root is None:
                    # Only comments, which ruamel cannot represent.
                    self._head, self._root = plain, None
                    return
                same = self._dumped() == plain
            except (YAMLError, ValueError, AttributeError, NotImplementedError) as error:
                raise Unreadable(" ".join(str(error).split())) from None
            if same:
                return
        raise Unreadable("its layout would not survive a change")

    def value(self) -> Any:
        """All of it, as plain values."""
        return None if self._root is None else _plain(self._root)

    def text(self) -> str:
        """The whole file."""
        text = self._head + (self._dumped() if self._root is not None else "")
        return text.replace("\n", "\r\n") if self._windows else text

    def set(self, path: Path, value: Any) -> None:
        """Puts a value there, in place of the one that is there; containers on the way are made. Raises Unfit."""
        if self._root is None:
            self._head += "" if not self._head or self._head.endswith("\n") else "\n"
            self._root = nested(path, value)
            return
        _put(self._root, path, value)

    def remove(self, path: Path) -> None:
        """Takes away what is there; nothing happens where nothing is. Raises Unfit."""
        if self._root is not None:
            _drop(self._root, path)

    def _dumped(self) -> str:
        stream = io.StringIO()
        self._yaml.dump(self._root, stream)
        return stream.getvalue()


def _reader(layout: tuple[int, int, int]) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=layout[0], sequence=layout[1], offset=layout[2])
    return yaml


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
