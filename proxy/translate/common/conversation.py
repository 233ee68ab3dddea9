"""Conversations of any shape, mapped by one written rule or refused. Pure, and fed with plain values.

The rule:
- Texts for the system prompt, wherever they stand, are joined in their order, a blank line between.
- Neighbours of one role become one message; its blocks keep their order. Blank texts are dropped, and messages with
  nothing left in them.
- Results stand at the head of the user message that follows their calls. Every call needs exactly one result before
  the user speaks again, in any order; a result needs its call.
- The last message must be the user's, or hold results, unless the dialect lets the model continue its own.
- A conversation that opens with an assistant message gets a user message before it, because the service wants one
  first.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

import orjson

from ...errors import BadRequest
from ...events import Block, JsonObject, Message, Text, ToolCall, ToolResult
from .validation import too_deep

OPENING = "(The conversation begins with the assistant.)"
ARGUMENT_DEPTH = 100
_API_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
Role = Literal["user", "assistant"]
B = TypeVar("B", bound=Block)


class Conversation:
    """Collects a conversation, piece by piece in its order, then `build`.

    `field` is the body's field that holds it. `where` is always the path of what is given, for the BadRequest that
    names it.
    """

    def __init__(self, field: str = "messages") -> None:
        self._field = field
        self._system: list[str] = []
        self._merged: list[tuple[Role, list[Block]]] = []
        self._last: Role | None = None
        # The service's id of each call without a result yet, by the key that its result will name.
        self._open: dict[str, str] = {}
        self._used: set[str] = set()

    def system(self, texts: Iterable[str]) -> None:
        """Texts for the system prompt."""
        self._system += [text for text in texts if text.strip()]
        self._last = None

    def user(self, blocks: Sequence[Block], where: str) -> None:
        """What the user says. Raises BadRequest while calls have no result."""
        self.require_answered(where)
        self._add("user", blocks)

    def assistant(self, blocks: Sequence[Block]) -> None:
        """What the assistant says or thinks. Its calls follow, each by `call`."""
        self._add("assistant", blocks)

    def call(self, call: ToolCall, where: str, *, key: str | None = None) -> None:
        """A call by the assistant; `where` is the path of its id.

        `call.id` is the client's own, in any form: the service gets one that it takes, once in a conversation. Results
        name it by `key` where that is not the id. Raises BadRequest where a call of this key is open already.
        """
        key = call.id if key is None else key
        if key in self._open:
            raise BadRequest(f"{where}: {key!r} is given twice.", param=where)
        own = api_id(call.id)
        own = own if own not in self._used else f"call_{digest(f'{where} {call.id}')}"
        self._used.add(own)
        self._open[key] = own
        self._add("assistant", [replace(call, id=own)])

    def result(self, result: ToolResult, where: str) -> None:
        """What a call gave back; `result.call_id` is the call's key, `where` the path of that. Raises BadRequest."""
        key = result.call_id
        if key not in self._open:
            raise BadRequest(
                f"{where}: {key!r} answers no open call; a result must follow the message whose call it answers, once.",
                param=where,
            )
        content = tuple(without_blanks(result.content))
        self._add("user", [replace(result, call_id=self._open.pop(key), content=content)])

    def require_answered(self, where: str) -> None:
        """Raises BadRequest while calls have no result; `where` is the path of what comes too early."""
        if self._open:
            missing = ", ".join(self._open)
            raise BadRequest(f"{where}: these tool calls have no result: {missing}.", param=self._field)

    def build(self, *, may_continue: bool = False) -> tuple[str, tuple[Message, ...]]:
        """The system prompt ("" for none) and the messages, with alternating roles. Raises BadRequest.

        The last message is the user's; where `may_continue`, it may be the assistant's.
        """
        field = self._field
        self.require_answered(field)
        if not self._merged:
            raise BadRequest(f"{field}: there is no user message with any content.", param=field)
        if self._merged[-1][0] == "assistant" and not may_continue:
            if self._last == "assistant":
                raise BadRequest(
                    f"{field}: the last message is the assistant's; Claude models do not continue a begun answer. "
                    "End with a user message.",
                    param=field,
                )
            raise BadRequest(f"{field}: the last message has no content.", param=field)
        opening = [Message("user", (Text(OPENING),))] if self._merged[0][0] == "assistant" else []
        messages = (*opening, *(Message(role, tuple(blocks)) for role, blocks in self._merged))
        return "\n\n".join(self._system), messages

    def _add(self, role: Role, blocks: Sequence[Block]) -> None:
        self._last = role
        kept = without_blanks(blocks)
        if self._merged and self._merged[-1][0] == role:
            self._merged[-1][1].extend(kept)
        elif kept:
            self._merged.append((role, kept))


def without_blanks(blocks: Sequence[B]) -> list[B]:
    """The blocks without texts of nothing but white space, which the service refuses."""
    return [block for block in blocks if not isinstance(block, Text) or block.text.strip()]


def arguments_of(text: str, where: str) -> JsonObject:
    """A call's arguments from their JSON text. Raises BadRequest where they are nested too deeply.

    The service takes objects only. A model may have written something else, and must see that it did: that becomes
    `{"arguments": text}`.
    """
    try:
        value = orjson.loads(text.strip() or "{}")
    except orjson.JSONDecodeError:
        return {"arguments": text}
    if not isinstance(value, dict):
        return {"arguments": text}
    if too_deep(value, ARGUMENT_DEPTH):
        raise BadRequest(f"{where} has more than {ARGUMENT_DEPTH} levels.", param=where)
    return value


def api_id(given: str) -> str:
    """An id the service takes: the client's own where it has the right form, else one made from it."""
    return given if _API_ID.fullmatch(given) else f"call_{digest(given)}"


def digest(text: str) -> str:
    """24 hexadecimal digits, the same for the same text."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
