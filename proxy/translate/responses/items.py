"""Reads the items of a conversation into a Conversation. Pure.

OpenAI's items are a flat list: thinking, texts and calls of one answer are adjacent items, and the output of a call may
come anywhere after it. Each output is moved to directly after the answer that made the call.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ...errors import BadRequest
from ...events import Media, Message, RedactedThinking, Text, Thinking, ToolCall, ToolResult
from ..common.conversation import Conversation, arguments_of
from ..common.names import digest
from ..common.repairs import REFUSING, Repairs
from .content import blocks_of, text_of
from .schema import Item
from .summary import unpacked
from .thinking import decrypted
from .tools import INPUT, TOOL_SEARCH, flat_name

# Items of OpenAI's own tools in a past answer. The texts around them contain the results.
LEFT_OUT = ("web_search_call",)
CALLS = ("function_call", "custom_tool_call", "tool_search_call")
OUTPUTS = ("function_call_output", "custom_tool_call_output", "tool_search_output")
# Items that offer more tools; `request` reads them.
WITH_TOOLS = ("additional_tools", "tool_search_output")
FIELD = "input"


@dataclass(frozen=True, slots=True)
class History:
    """What the items say."""

    system: str
    messages: tuple[Message, ...]
    ignored: tuple[str, ...] = ()


def history(instructions: str | None, items: Sequence[tuple[str, Item]], repairs: Repairs = REFUSING) -> History:
    """The conversation of items, each with its path. Raises BadRequest that names the item.

    The last message is the user's, or the assistant's for the model to continue.
    """
    return _Reader(items, repairs).read(instructions)


class _Reader:
    """Reads one list of items."""

    def __init__(self, items: Sequence[tuple[str, Item]], repairs: Repairs) -> None:
        _require_once(items, repairs)
        self._items = items
        self._repairs = repairs
        self._outputs = _outputs(items, repairs)
        self._made = Conversation(FIELD, repairs)
        self._calls: list[tuple[int, str, str]] = []
        self._thinking: list[Thinking | RedactedThinking] = []
        self._ignored: list[str] = []

    def read(self, instructions: str | None) -> History:
        self._made.system([instructions or ""])
        for index, (where, item) in enumerate(self._items):
            self._read(index, where, item)
        self._answer_ended()
        system, messages = self._made.build(may_continue=True)
        return History(system, messages, tuple(dict.fromkeys(self._ignored)))

    def _read(self, index: int, where: str, item: Item) -> None:
        match item.type:
            case "reasoning":
                self._reason(item)
            case kind if kind in CALLS:
                self._call(index, where, item)
            case None | "message" if item.role == "assistant":
                self._say([Text(text) for text in text_of(item.content, f"{where}.content", self._repairs)])
            case None | "message":
                self._answer_ended()
                self._message(where, item)
            case kind if kind in OUTPUTS:
                self._answer_ended()
                if index in self._outputs:
                    self._result(where, item, item.call_id or "")
                self._made.end_in_result()
            case "compaction":
                self._answer_ended()
                self._compacted(where, item)
            case "compaction_trigger":
                raise BadRequest(f"{where}: a compaction_trigger must be the last item.", param=f"{where}.type")
            case kind if kind in LEFT_OUT:
                self._ignored.append(f"{FIELD}.{kind}")
            case "additional_tools":
                pass
            case kind:
                raise BadRequest(f"{where}: items of type {kind!r} are not supported.", param=f"{where}.type")

    def _message(self, where: str, item: Item) -> None:
        if item.role is None:
            raise BadRequest(f"{where}.role is missing.", param=f"{where}.role")
        if item.content is None:
            raise BadRequest(f"{where}.content is missing.", param=f"{where}.content")
        if item.role == "user":
            self._made.user(blocks_of(item.content, f"{where}.content", self._repairs), where)
        else:
            self._made.system(text_of(item.content, f"{where}.content", self._repairs))

    def _reason(self, item: Item) -> None:
        block = decrypted(item.encrypted_content) if item.encrypted_content else None
        if block is not None:
            self._thinking.append(block)
        elif item.encrypted_content:
            # Thinking of another server. It can be dropped: its summary is only for display.
            self._ignored.append(f"{FIELD}.encrypted_content")

    def _compacted(self, where: str, item: Item) -> None:
        summary = unpacked(item.encrypted_content or "")
        if summary is None:
            raise BadRequest(
                f"{where}: this compaction was made by another server.",
                hint="Send the conversation itself.",
                param=f"{where}.encrypted_content",
            )
        self._made.user([Text(summary)], where)

    def _say(self, blocks: Sequence[Text]) -> None:
        if blocks:
            self._made.assistant([*self._thinking, *blocks])
            self._thinking.clear()

    def _call(self, index: int, where: str, item: Item) -> None:
        call_id = item.call_id or ""
        if not call_id:
            self._repairs.note(
                f"{where}.call_id", "call without an id; given one", refusal=f"{where}.call_id is missing."
            )
            call_id = f"call_{digest(where)}"
        name = TOOL_SEARCH if item.type == "tool_search_call" else item.name
        if not name:
            raise BadRequest(f"{where}.name is missing.", param=f"{where}.name")
        is_custom = item.type == "custom_tool_call"
        arguments = {INPUT: item.input or ""} if is_custom else arguments_of(item.arguments)
        self._made.assistant(self._thinking)
        self._thinking.clear()
        call = ToolCall(call_id, flat_name(name, item.namespace), arguments)
        self._made.call(call, f"{where}.call_id")
        self._calls.append((index, where, call_id))

    def _answer_ended(self) -> None:
        """Before anything that is not the assistant's: what was called is answered."""
        if self._thinking:
            # The service refuses thinking as the last block of a message.
            self._repairs.tell(FIELD, "reasoning that nothing follows left out")
            self._thinking.clear()
        for index, where, call_id in self._calls:
            if index in self._outputs:
                self._result(*self._outputs[index], call_id)
            elif self._repairs.strict:
                raise BadRequest(f"{where}: No tool output found for function call {call_id}.", param=FIELD)
        self._calls.clear()

    def _result(self, where: str, output: Item, call_id: str) -> None:
        if output.type == "tool_search_output":
            content: Sequence[Text | Media] = _found(output)
        else:
            content = blocks_of(output.output, f"{where}.output", self._repairs)
        self._made.result(ToolResult(call_id, tuple(content)), f"{where}.call_id")


def _outputs(items: Sequence[tuple[str, Item]], repairs: Repairs) -> dict[int, tuple[str, Item]]:
    """The output of each call, with its path, by the call's place; one without a call by its own place.

    An output belongs to the nearest call of its id before it, in which no other stands yet. Raises BadRequest, unless
    `repairs` allows it, for one that has none.
    """
    calls: dict[str, list[int]] = {}
    for index, (_, item) in enumerate(items):
        if item.type in CALLS and item.call_id:
            calls.setdefault(item.call_id, []).append(index)
    found: dict[int, tuple[str, Item]] = {}
    # How many messages that are not the assistant's stand before each item.
    is_said = (item.type in (None, "message") and item.role != "assistant" for _, item in items)
    spoken = list(accumulate(is_said, initial=0))
    for index, (where, item) in enumerate(items):
        if item.type not in OUTPUTS:
            continue
        _check_output(where, item, repairs)
        own = calls.get(item.call_id or "", [])
        before = own[: bisect_left(own, index)]
        if not before and repairs.strict:
            raise BadRequest(
                f"{where}: No tool call found for function call output with call_id {item.call_id}.", param=FIELD
            )
        if not own:
            found[index] = (where, item)
            continue
        if not before:
            repairs.note(where, "output before its call; moved behind it")
        place = next((each for each in reversed(before) if each not in found), (before or own)[-1])
        if place in found:
            repairs.note(
                where,
                "repeated output; the last one counts",
                refusal=f"{where}: the call {item.call_id} has two outputs.",
                param=FIELD,
            )
        elif spoken[place] < spoken[index]:
            repairs.tell(where, "late output; moved behind its call")
        found[place] = (where, item)
    return found


def _check_output(where: str, item: Item, repairs: Repairs) -> None:
    if repairs.strict and not item.call_id:
        raise BadRequest(f"{where}.call_id is missing.", param=f"{where}.call_id")
    if item.output is None and item.type not in WITH_TOOLS:
        repairs.note(f"{where}.output", "output without content", refusal=f"{where}.output is missing.")


def _found(output: Item) -> list[Text]:
    """What a search for tools found, by name; the tools themselves are offered from here on."""
    names = [str(tool.get("name")) for tool in output.tools or () if isinstance(tool, dict)]
    return [Text(f"These tools can be called now: {', '.join(names)}." if names else "No tool was found.")]


def _require_once(items: Sequence[tuple[str, Item]], repairs: Repairs) -> None:
    """Raises BadRequest, unless `repairs` allows it, for an id that two items have: it means nothing here."""
    seen: set[str] = set()
    for where, item in items:
        if item.id and item.id in seen:
            repairs.note(
                where,
                f"id {item.id} given twice",
                refusal=f"{where}: Duplicate item found with id {item.id}. Remove duplicate items from your input and "
                "try again.",
                param=FIELD,
            )
        seen.add(item.id or "")
