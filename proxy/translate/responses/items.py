"""The items of a conversation, in the words of a Conversation. Pure.

OpenAI's items are a flat list: thinking, texts and calls of one answer stand side by side, and the output of a call may
come anywhere behind it. Here each output is moved to directly behind the answer that made its call.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import BadRequest
from ...events import Message, RedactedThinking, Text, Thinking, ToolCall, ToolResult
from ..common.conversation import Conversation, arguments_of
from .content import blocks_of, text_of
from .schema import Item
from .summary import unpacked
from .thinking import decrypted
from .tools import INPUT, TOOL_SEARCH, flat_name

# What of OpenAI's own tools stands in a past answer. The texts around it say what came of it.
LEFT_OUT = ("web_search_call",)
CALLS = ("function_call", "custom_tool_call", "tool_search_call")
OUTPUTS = ("function_call_output", "custom_tool_call_output", "tool_search_output")
# Items that add to what is offered; `request` reads them.
WITH_TOOLS = ("additional_tools", "tool_search_output")
FIELD = "input"


@dataclass(frozen=True, slots=True)
class History:
    """What the items say."""

    system: str
    messages: tuple[Message, ...]
    ignored: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


def history(instructions: str | None, items: Sequence[tuple[str, Item]]) -> History:
    """The conversation of items, each with its path. Raises BadRequest that names the item."""
    return _Reader(items).read(instructions)


class _Reader:
    """Reads one list of items."""

    def __init__(self, items: Sequence[tuple[str, Item]]) -> None:
        _require_once(items)
        self._items = items
        self._outputs = _outputs(items)
        self._made = Conversation(FIELD)
        self._calls: list[tuple[str, str]] = []
        self._thinking: list[Thinking | RedactedThinking] = []
        self._ignored: list[str] = []
        self._repaired: list[str] = []

    def read(self, instructions: str | None) -> History:
        self._made.system([instructions or ""])
        for where, item in self._items:
            self._read(where, item)
        self._answer_ended()
        system, messages = self._made.build()
        return History(
            system,
            messages,
            tuple(dict.fromkeys(self._ignored)),
            tuple(dict.fromkeys(self._repaired)),
        )

    def _read(self, where: str, item: Item) -> None:
        match item.type:
            case "reasoning":
                self._reason(item)
            case kind if kind in CALLS:
                self._call(where, item)
            case None | "message" if item.role == "assistant":
                self._say([Text(text) for text in text_of(item.content, f"{where}.content")])
            case None | "message":
                self._answer_ended()
                self._message(where, item)
            case kind if kind in OUTPUTS:
                self._answer_ended()
                if item.call_id in self._outputs:
                    # Its call is still to come: an answered one is no longer there.
                    raise _no_call(where, item.call_id)
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
                raise BadRequest(f"{where}: items of type {kind!r} cannot be carried.", param=f"{where}.type")

    def _message(self, where: str, item: Item) -> None:
        if item.role is None:
            raise BadRequest(f"{where}.role is missing.", param=f"{where}.role")
        if item.content is None:
            raise BadRequest(f"{where}.content is missing.", param=f"{where}.content")
        if item.role == "user":
            self._made.user(blocks_of(item.content, f"{where}.content"), where)
        else:
            self._made.system(text_of(item.content, f"{where}.content"))

    def _reason(self, item: Item) -> None:
        block = decrypted(item.encrypted_content) if item.encrypted_content else None
        if block is not None:
            self._thinking.append(block)
        elif item.encrypted_content:
            # Another server's. Without any there is nothing to lose: a summary is for people.
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

    def _call(self, where: str, item: Item) -> None:
        if not item.call_id:
            raise BadRequest(f"{where}.call_id is missing.", param=f"{where}.call_id")
        name = TOOL_SEARCH if item.type == "tool_search_call" else item.name
        if not name:
            raise BadRequest(f"{where}.name is missing.", param=f"{where}.name")
        if item.type == "custom_tool_call":
            arguments = {INPUT: item.input or ""}
        elif isinstance(item.arguments, dict):
            arguments = item.arguments
        else:
            arguments = arguments_of(item.arguments or "", f"{where}.arguments")
        self._made.assistant(self._thinking)
        self._thinking.clear()
        call = ToolCall(item.call_id, flat_name(name, item.namespace), arguments)
        self._made.call(call, f"{where}.call_id")
        self._calls.append((where, item.call_id))

    def _answer_ended(self) -> None:
        """Before anything that is not the assistant's: what was called is answered."""
        if self._thinking:
            # The service takes no thinking at the end of a message, which nothing follows.
            self._repaired.append("reasoning that nothing follows was left out")
            self._thinking.clear()
        for where, call_id in self._calls:
            if call_id not in self._outputs:
                raise BadRequest(f"{where}: No tool output found for function call {call_id}.", param=FIELD)
            at, output = self._outputs.pop(call_id)
            content = (
                _found(output) if output.type == "tool_search_output" else blocks_of(output.output, f"{at}.output")
            )
            self._made.result(ToolResult(call_id, tuple(content)), f"{at}.call_id")
        self._calls.clear()


def _outputs(items: Sequence[tuple[str, Item]]) -> dict[str, tuple[str, Item]]:
    """The outputs by the ids of their calls. Raises BadRequest for one without a call before it."""
    found: dict[str, tuple[str, Item]] = {}
    called: set[str] = set()
    for where, item in items:
        if item.type in CALLS and item.call_id:
            called.add(item.call_id)
        elif item.type in OUTPUTS:
            if not item.call_id:
                raise BadRequest(f"{where}.call_id is missing.", param=f"{where}.call_id")
            if item.output is None and item.type not in WITH_TOOLS:
                raise BadRequest(f"{where}.output is missing.", param=f"{where}.output")
            if item.call_id not in called:
                raise _no_call(where, item.call_id)
            if item.call_id in found:
                raise BadRequest(f"{where}: the call {item.call_id} has two outputs.", param=FIELD)
            found[item.call_id] = (where, item)
    return found


def _found(output: Item) -> list[Text]:
    """What a search for tools found, by name; the tools themselves are offered from here on."""
    names = [str(tool.get("name")) for tool in output.tools or () if isinstance(tool, dict)]
    return [Text(f"These tools can be called now: {', '.join(names)}." if names else "No tool was found.")]


def _no_call(where: str, call_id: str | None) -> BadRequest:
    return BadRequest(f"{where}: No tool call found for function call output with call_id {call_id}.", param=FIELD)


def _require_once(items: Sequence[tuple[str, Item]]) -> None:
    """Raises BadRequest for an id that two items have."""
    seen: set[str] = set()
    for where, item in items:
        if item.id and item.id in seen:
            raise BadRequest(
                f"{where}: Duplicate item found with id {item.id}. Remove duplicate items from your input and try "
                "again.",
                param=FIELD,
            )
        seen.add(item.id or "")
