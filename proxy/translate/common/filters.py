"""Filters that an answer's events pass before they become a response. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ...events import BlockCompleted, Event, Finished, Started, StopReason, TextDelta, ToolCallStarted, Usage

# Approximate characters per token of English text.
CHARACTERS_PER_TOKEN = 4
# How a request that wants no answer is asked, and what its client is told. The service refuses to stream an answer of
# none, and the CLI streams.
PREWARM_TOKENS = 1
PREWARMED = "one token asked for and left out (the CLI cannot ask for none)"


class Filter(Protocol):
    """Fed the events of one answer in their order; returns those that take their place.

    `done` says that the answer is complete: Finished has been returned, and what follows is not wanted.
    """

    done: bool

    def feed(self, event: Event) -> list[Event]:
        """The events instead of this one."""
        ...


class StopCut:
    """Ends an answer at a stop sequence that the service does not take.

    The model is not heard to its end then, so the output tokens are an estimate: those of the text until there.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.done = False
        self._stops = stops
        self._longest = max(map(len, stops))
        self._held = ""
        self._length = 0
        self._usage = Usage()

    def feed(self, event: Event) -> list[Event]:
        """A text may wait for the next one, because a sequence may begin at its end."""
        if isinstance(event, TextDelta):
            return self._text(event.text)
        if isinstance(event, Started):
            self._usage = event.usage
        flushed: list[Event] = []
        if isinstance(event, BlockCompleted | ToolCallStarted | Finished) and self._held:
            flushed, self._held = [TextDelta(self._held)], ""
        return [*flushed, event]

    def _text(self, text: str) -> list[Event]:
        self._held += text
        self._length += len(text)
        found = [(place, stop) for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            place, stop = min(found)
            self.done = True
            seen = self._length - len(self._held) + place
            output = max(self._usage.output, -(-seen // CHARACTERS_PER_TOKEN))
            end = Finished("stop_sequence", replace(self._usage, output=output), stop)
            return [*([TextDelta(self._held[:place])] if place else []), end]
        keep = next(
            (n for n in range(self._longest - 1, 0, -1) if any(s.startswith(self._held[-n:]) for s in self._stops)), 0
        )
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return [TextDelta(shown)] if shown else []


class Prewarm:
    """Leaves out an answer that was asked for to fill the prompt cache. `reason` is why it ends, if not refused."""

    def __init__(self, reason: StopReason) -> None:
        self.done = False
        self._reason = reason

    def feed(self, event: Event) -> list[Event]:
        """Its start and its end."""
        if isinstance(event, Finished):
            reason = event.reason if event.reason == "refusal" else self._reason
            return [Finished(reason, event.usage)]
        return [event] if isinstance(event, Started) else []


# The start of a JSON object, not of a word in braces; waits while it may still become one.
_OPENING = re.compile(r'\{\s*["}]|\{\s*\Z')
_FENCED_LIST = re.compile(r"\s*(?:```\w*\s*)?\[")
_MAY_BE_LIST = re.compile(r"\s*(?:`{0,2}|```\w*\s*)\Z")
_STRUCTURE = re.compile(r'["\\{}]')


class JsonOnly:
    """Takes fences and prose from around a JSON object in an answer's text. A text without one passes unchanged."""

    def __init__(self) -> None:
        self.done = False
        self._waiting = ""
        self._depth = 0
        self._in_string = self._escaped = False
        self._state = "before"

    def feed(self, event: Event) -> list[Event]:
        """Text before the object waits, because it may be all there is."""
        if isinstance(event, TextDelta):
            shown = self._text(event.text)
            return [TextDelta(shown)] if shown else []
        if isinstance(event, ToolCallStarted | Finished) and self._waiting:
            shown, self._waiting = self._waiting, ""
            return [TextDelta(shown), event]
        return [event]

    def _text(self, text: str) -> str:
        if self._state == "before":
            self._waiting += text
            if _FENCED_LIST.match(self._waiting):
                self._state = "plain"
                text, self._waiting = self._waiting, ""
                return text
            found = None if _MAY_BE_LIST.match(self._waiting) else _OPENING.search(self._waiting)
            if found is None or found[0][-1] not in '"}':
                return ""
            text, self._waiting, self._state = self._waiting[found.start() :], "", "inside"
        if self._state == "inside":
            return self._inside(text)
        return text if self._state == "plain" else ""

    def _inside(self, text: str) -> str:
        place = 0
        if self._escaped and text:
            self._escaped, place = False, 1
        while (found := _STRUCTURE.search(text, place)) is not None:
            place = found.end()
            if self._in_string:
                if found[0] == "\\":
                    # The escaped character may be in the next text.
                    self._escaped = place == len(text)
                    place += 1
                elif found[0] == '"':
                    self._in_string = False
            elif found[0] == '"':
                self._in_string = True
            elif found[0] in "{}":
                self._depth += 1 if found[0] == "{" else -1
                if not self._depth:
                    self._state = "after"
                    return text[:place]
        return text
