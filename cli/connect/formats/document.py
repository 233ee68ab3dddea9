"""The interface of all writers, and opening a text with the right one. Pure."""

from collections.abc import Mapping
from typing import Any, Protocol

from .dotenv import DotenvDocument
from .json_text import JsonDocument
from .steps import Path
from .tree import TomlDocument, YamlDocument


class Document(Protocol):
    """A configuration file's text, edited one value at a time; everything else is preserved."""

    def value(self) -> Any:
        """All of it, as plain values."""

    def set(self, path: Path, value: Any) -> None:
        """Sets the value at a path, and creates missing containers. Raises Unfit."""

    def remove(self, path: Path) -> None:
        """Removes the value at a path, if there is one. Raises Unfit."""

    def text(self) -> str:
        """The whole file."""


FORMATS: Mapping[str, type[JsonDocument] | type[TomlDocument] | type[YamlDocument] | type[DotenvDocument]] = {
    "json": JsonDocument,
    "toml": TomlDocument,
    "yaml": YamlDocument,
    "dotenv": DotenvDocument,
}


def opened(format: str, text: str) -> Document:
    """The document of a text. Raises Unreadable where it is not in that format."""
    return FORMATS[format](text)
