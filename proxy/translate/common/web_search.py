"""The service's own web search: how it is offered, and the sources of what it found. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...events import JsonObject, ServerTool

NAME = "web_search"


def search_tool(
    *, domains: Sequence[str] = (), place: Mapping[str, Any] | None = None, most: int | None = None
) -> ServerTool:
    """The declaration (Anthropic API reference, "Web search tool").

    `domains` are the only ones to look at, `place` is where the user is (`city`, `region`, `country`, `timezone`),
    `most` how many searches an answer may hold.
    """
    declared: JsonObject = {"type": "web_search_20250305", "name": NAME}
    if most is not None:
        declared["max_uses"] = most
    if domains:
        declared["allowed_domains"] = list(domains)
    known = {key: value for key, value in (place or {}).items() if value is not None and key != "type"}
    if known:
        declared["user_location"] = {"type": "approximate", **known}
    return ServerTool(declared)


@dataclass(frozen=True, slots=True)
class Source:
    """A page that a part of a text is from: the characters `start` to `end`."""

    start: int
    end: int
    url: str
    title: str


class CitedText:
    """A text in the making, with the sources of its parts. The service cites whole blocks."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = self._block = 0
        self._cited: list[JsonObject] = []
        self.sources: list[Source] = []

    def __str__(self) -> str:
        return "".join(self._parts)

    def say(self, text: str) -> None:
        """More of the text."""
        self._parts.append(text)
        self._length += len(text)

    def cite(self, citation: JsonObject) -> None:
        """A citation of the block that is being written; one without an address is not a page's."""
        if isinstance(citation.get("url"), str):
            self._cited.append(citation)

    def end_block(self) -> list[Source]:
        """The sources of the block that ends."""
        start, self._block = self._block, self._length
        cited, self._cited = self._cited, []
        found = [Source(start, self._length, each["url"], each.get("title") or each["url"]) for each in cited]
        self.sources += found
        return found
