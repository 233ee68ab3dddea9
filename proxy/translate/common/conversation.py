"""Builds the messages of a Turn from a conversation of any shape. Pure; takes plain values.

The rules:
- System texts are joined in order, with a blank line between them, wherever they stand.
- Adjacent messages of one role are merged; their blocks keep their order. Blank texts and empty messages are dropped.
- Results come first in the user message after their calls. Every call has exactly one result, in any order, and every
  result has a call. `repairs` enforces this: a late result moves to its place, a call without one gets NO_RESULT, the
  last of repeated results counts, and a result without a call becomes text. Without `repairs` these are refused.
- The last message is the user's or holds results, unless the dialect lets the model continue its own. A late result
  that came last is announced there.
- A conversation that starts with an assistant message gets a user message before it: the service requires one first.
  If there are only system texts, the last one becomes the user message.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import orjson

from ...errors import BadRequest
from ...events import Block, JsonObject, Message, Text, ToolCall, ToolResult
from ...json_text import compact, loads
from .names import OTHER_NAMES, api_id, api_name, digest
from .repairs import REFUSING, Repairs
from .validation import too_deep, whole_escapes

OPENING = "(The conversation begins with the assistant.)"
NO_RESULT = "(This call was given no result.)"
LATE_RESULT = "(The result of an earlier call has come in.)"
NO_CALL = "(The result of a call that is not in this conversation:)"
# Levels of a call's arguments that are serialized unchanged.
ARGUMENT_DEPTH = 190
_LETTERS = re.compile(r"[^a-zA-Z0-9]+")
Role = Literal["user", "assistant"]
B = TypeVar("B", bound=Block)


@dataclass(slots=True, eq=False)
class _Call:
    """A call: the key that its result will name, and its id at the service."""

    key: str
    id: str
    is_open: bool = True


@dataclass(slots=True, eq=False)
class _Part:
    """A message being built. The `results` of an assistant's calls are kept beside the calls."""

    role: Role
    blocks: list[Block] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)


class Conversation:
    """Collects a conversation, piece by piece in its order, then `build`.

    `field` is the body's field that holds it. `where` is always the path of what is given, for the BadRequest that
    names it. Without `repairs` nothing is repaired.
    """

    def __init__(self, field: str = "messages", repairs: Repairs | None = None) -> None:
        self._field = field
        self._repairs = REFUSING if repairs is None else repairs
        self._system: list[str] = []
        self._parts: list[_Part] = []
        self._last: Role | Literal["result"] | None = None
        self._used: set[str] = set()
        # The number of calls with this key that have no result yet.
        self._open: dict[str, int] = {}

    def system(self, texts: Iterable[str], where: str = "") -> None:
        """Texts for the system prompt. `where` is the path of a message that holds them in the conversation."""
        said = [text for text in texts if not is_blank(text)]
        if said and (where or self._parts):
            self._repairs.tell(where or self._field, "system message moved into the system prompt")
        self._system += said
        self._last = None

    def user(self, blocks: Sequence[Block], where: str) -> None:
        """What the user says. Raises BadRequest while calls have no result, and repairs are off."""
        self.require_answered(where)
        self._add("user", blocks)

    def assistant(self, blocks: Sequence[Block]) -> None:
        """What the assistant says or thinks. Its calls follow, each by `call`."""
        self._add("assistant", blocks)

    def call(self, call: ToolCall, where: str, *, key: str | None = None) -> None:
        """A call by the assistant; `where` is the path of its id.

        `call.id` and `call.name` are the client's own, in any form: the service gets ones that it takes, and each id
        once. Results name the call by `key` where that is not the id. A call whose key is open already is refused or
        repaired.
        """
        key = call.id if key is None else key
        if key in self._open:
            self._repairs.note(where, "repeated id of a call", refusal=f"{where}: {key!r} is given twice.")
        own = api_id(call.id)
        own = own if own not in self._used else f"call_{digest(f'{where} {call.id}')}"
        name = api_name(call.name)
        if own != call.id:
            self._repairs.tell(self._field, "ids of calls that the service does not take")
        if name != call.name:
            self._repairs.tell(self._field, OTHER_NAMES)
        self._used.add(own)
        self._add("assistant", [replace(call, id=own, name=name)])
        self._parts[-1].calls.append(_Call(key, own))
        self._open[key] = self._open.get(key, 0) + 1

    def result(self, result: ToolResult, where: str) -> None:
        """What a call gave back; `result.call_id` is the call's key, `where` the path of that.

        An empty key means the first call without a result. One that no open call has is refused or repaired.
        """
        result = replace(result, content=tuple(without_blanks(result.content)))
        key = result.call_id
        found = self._called(key, where)
        if found is None:
            self._repairs.note(
                where,
                "result without its call; sent as text",
                refusal=f"{where}: {key!r} answers no open call; a result must follow the message whose call it "
                "answers, once.",
            )
            self._add("user", [Text(NO_CALL), *result.content])
            return
        part, call = found
        if call.is_open:
            if self._is_spoken_since(part):
                self._repairs.note(where, "late result; moved behind its call")
        else:
            self._repairs.note(
                where,
                "repeated result; the last one counts",
                refusal=f"{where}: {key!r} answers no open call; a result must follow the message whose call it "
                "answers, once.",
            )
            part.results = [each for each in part.results if each.call_id != call.id]
        self._close(call)
        part.results.append(replace(result, call_id=call.id))
        if self._parts[-1] is part:
            self._parts.append(_Part("user"))
        self.end_in_result()

    def end_in_result(self) -> None:
        """Says that a result stands last so far, for a dialect that gives results at their calls."""
        self._last = "result"

    def require_answered(self, where: str) -> None:
        """Raises BadRequest while calls have no result, and repairs are off.

        `where` is the path of what comes too early.
        """
        if self._repairs.strict and self._open:
            missing = ", ".join(self._open)
            raise BadRequest(f"{where}: these tool calls have no result: {missing}.", param=self._field)

    def build(self, *, may_continue: bool = False) -> tuple[str, tuple[Message, ...]]:
        """The system prompt ("" for none) and the messages, with alternating roles. Raises BadRequest.

        The last message is the user's; where `may_continue`, it may be the assistant's.
        """
        field = self._field
        self.require_answered(field)
        self._answer_the_rest()
        self._let_the_system_ask()
        merged = [(part.role, part.blocks) for part in self._with_results() if part.blocks]
        if merged and merged[-1][0] == "assistant" and self._last == "result":
            self._repairs.tell(field, "user message added behind the assistant's last")
            merged.append(("user", [Text(LATE_RESULT)]))
        if not merged:
            raise BadRequest(f"{field}: there is no user message with any content.", param=field)
        if merged[-1][0] == "assistant" and not may_continue:
            if self._last == "assistant":
                raise BadRequest(
                    f"{field}: the last message is the assistant's; Claude models do not continue a begun answer. "
                    "End with a user message.",
                    param=field,
                )
            raise BadRequest(f"{field}: the last message has no content.", param=field)
        if merged[-1][0] == "assistant":
            # The service refuses trailing white space in a message to be continued.
            merged[-1] = ("assistant", _bare_end(merged[-1][1]))
        opening = [Message("user", (Text(OPENING),))] if merged[0][0] == "assistant" else []
        if opening:
            self._repairs.tell(field, "user message added before the assistant's first")
        messages = (*opening, *(Message(role, tuple(blocks)) for role, blocks in merged))
        return "\n\n".join(self._system), messages

    def _close(self, call: _Call) -> None:
        if call.is_open:
            call.is_open = False
            self._open[call.key] -= 1
            if not self._open[call.key]:
                del self._open[call.key]

    def _is_spoken_since(self, part: _Part) -> bool:
        """Whether something was said after this part."""
        since = itertools.takewhile(lambda each: each is not part, reversed(self._parts))
        return any(each.blocks for each in since)

    def _called(self, key: str, where: str) -> tuple[_Part, _Call] | None:
        """The call that a result of this key belongs to: the nearest open one, else the nearest that has a result.

        OpenClaw strips signs from ids, and not everywhere: letters and digits that agree are enough.
        """
        if not key:
            found = next(((part, call) for part, call in self._calls() if call.is_open), None)
            if found is not None:
                self._repairs.note(where, "result without an id; given to the first open call")
            return found
        bare = _LETTERS.sub("", key)
        tests: tuple[Callable[[_Call], bool], ...] = (
            lambda call: call.is_open and call.key == key,
            lambda call: call.is_open and bool(bare) and _LETTERS.sub("", call.key) == bare,
            lambda call: call.key == key,
        )
        return next((each for test in tests for each in self._calls() if test(each[1])), None)

    def _calls(self) -> Iterator[tuple[_Part, _Call]]:
        """Those of the last message first."""
        return ((part, call) for part in reversed(self._parts) for call in part.calls)

    def _answer_the_rest(self) -> None:
        for part in self._parts:
            for call in part.calls:
                if call.is_open:
                    self._close(call)
                    self._repairs.note(self._field, f"call {call.key} has no result; the model is told")
                    part.results.append(ToolResult(call.id, (Text(NO_RESULT),), is_error=True))

    def _let_the_system_ask(self) -> None:
        """The last system text as the user's, where there would be no question otherwise."""
        if self._repairs is REFUSING:
            return
        said = [part for part in self._parts if part.blocks or part.results]
        is_unasked = not said or (self._last is None and said[-1].role == "assistant" and not said[-1].results)
        if self._system and is_unasked:
            self._repairs.tell(self._field, "system text sent as the user message")
            self._add("user", [Text(self._system.pop())])

    def _with_results(self) -> list[_Part]:
        """The messages, with the results at the head of the user messages behind their calls."""
        made: list[_Part] = []
        for part in self._parts:
            before = made[-1] if made else None
            if before is not None and before.role == part.role:
                before.blocks += part.blocks
            elif part.blocks:
                made.append(_Part(part.role, list(part.blocks)))
            if part.results:
                made.append(_Part("user", list(part.results)))
        return made

    def _add(self, role: Role, blocks: Sequence[Block]) -> None:
        self._last = role
        kept = without_blanks(blocks)
        if self._parts and self._parts[-1].role == role:
            self._parts[-1].blocks.extend(kept)
        elif kept:
            self._parts.append(_Part(role, kept))


def is_blank(text: str) -> bool:
    """Whether a text is nothing but white space, which the service refuses. U+FEFF is white space to it."""
    return not text.strip().strip("\ufeff \t\r\n")


def _bare_end(blocks: list[Block]) -> list[Block]:
    last = blocks[-1]
    return [*blocks[:-1], replace(last, text=last.text.rstrip())] if isinstance(last, Text) else blocks


def without_blanks(blocks: Sequence[B]) -> list[B]:
    """The blocks without texts of nothing but white space, which the service refuses."""
    return [block for block in blocks if not isinstance(block, Text) or not is_blank(block.text)]


def arguments_of(given: Any) -> JsonObject:
    """A call's arguments from their JSON text, or from the object itself.

    The service takes objects only. None, and the empty list that PHP writes for an empty object, are the empty object.
    A model may have written something else, or too deep an object, and must see what it did: that becomes
    `{"arguments": text}`.
    """
    value = given
    if isinstance(given, str):
        try:
            value = _parsed(given.strip() or "{}")
        except orjson.JSONDecodeError:
            return {"arguments": given}
    if value is None or value == []:
        return {}
    if not isinstance(value, dict) or too_deep(value, ARGUMENT_DEPTH):
        return {"arguments": given if isinstance(given, str) else compact(given)}
    return value


def _parsed(json: str) -> Any:
    """A model may have written a lone surrogate, which orjson refuses."""
    try:
        return loads(json)
    except orjson.JSONDecodeError:
        return loads(whole_escapes(json.encode()))
