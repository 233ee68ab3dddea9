"""Lines of NAME=value, as in shells and dotenv files. Other lines and comments are preserved. Pure."""

import re
from typing import Any

from .steps import Path, Unfit

_LINE = re.compile(
    r"^(?P<head>[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*)"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\r\n]*?)(?P<rest>(?:[ \t]+#[^\r\n]*)?[ \t]*)(?=\r?$)",
    re.MULTILINE,
)
_PLAIN = re.compile(r"[\w.:/+=@%,~*-]*")


class DotenvDocument:
    """The text and its values. A path has one step, the name."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = "\r\n" if "\r\n" in text else "\n"

    def value(self) -> dict[str, str]:
        """Every name with its value; the last assignment wins."""
        return {found["name"]: _unquoted(found["value"]) for found in _LINE.finditer(self._text)}

    def text(self) -> str:
        """The whole file."""
        return self._text

    def set(self, path: Path, value: Any) -> None:
        """Sets a name, in its existing line or in a new one at the end. Raises Unfit."""
        name, new = _name(path), _quoted(str(value))
        found = self._last(name)
        if found is None:
            gap = "" if not self._text or self._text.endswith("\n") else self._line
            self._text += f"{gap}{name}={new}{self._line}"
        elif _unquoted(found["value"]) != str(value):
            self._text = self._text[: found.start("value")] + new + self._text[found.end("value") :]

    def remove(self, path: Path) -> None:
        """Removes the last line that sets a name, so that an earlier one applies again. Raises Unfit."""
        found = self._last(_name(path))
        if found is not None:
            end = found.end()
            ending = re.match(r"\r?\n", self._text[end:])
            self._text = self._text[: found.start()] + self._text[end + (ending.end() if ending else 0) :]

    def _last(self, name: str) -> re.Match[str] | None:
        found = [each for each in _LINE.finditer(self._text) if each["name"] == name]
        return found[-1] if found else None


def _name(path: Path) -> str:
    if len(path) != 1 or not isinstance(path[0], str):
        raise Unfit("a file of NAME=value has no levels")
    return path[0]


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        inside = value[1:-1]
        return inside if value[0] == "'" else re.sub(r'\\(["\\$`])', r"\1", inside)
    return value


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value and "\n" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'
