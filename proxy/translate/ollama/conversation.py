"""Reads the messages of an ollama chat into a Conversation. Pure.

Ollama's calls mostly have no id, and its results name the tool, or nothing. A result belongs to the call of its id,
else to the first open call of its tool, else to the first open call.
"""

from collections.abc import Sequence

from ...errors import BadRequest
from ...events import Media, Message, Text, ToolCall, ToolResult
from ..common.conversation import Conversation, arguments_of
from ..common.media import SIGNATURES, image_at, image_of, kind_of_base64
from ..common.names import digest
from ..common.repairs import REFUSING, Repairs
from .schema import CallParam, MessageParam


def conversation(
    messages: Sequence[MessageParam], system: str = "", repairs: Repairs = REFUSING
) -> tuple[str, tuple[Message, ...]]:
    """The system prompt and the messages with alternating roles. Raises BadRequest.

    The last message is the user's, or the assistant's for the model to continue.
    """
    made = Conversation(repairs=repairs)
    made.system([system])
    open_calls: list[tuple[str, str]] = []
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        text = [Text(message.content)] if message.content else []
        match message.role.lower():
            case "system" | "developer":
                made.system([message.content or ""])
            case "user":
                made.user([*text, *images_of(message.images or (), f"{where}.images", repairs)], where)
            case "assistant":
                made.require_answered(where)
                made.assistant(text)
                for number, call in enumerate(message.tool_calls or ()):
                    open_calls.append(_call(made, call, f"{where}.tool_calls[{number}]"))
            case "tool":
                key = _answered(open_calls, message)
                parts: list[Text | Media] = [*text, *images_of(message.images or (), f"{where}.images", repairs)]
                made.result(ToolResult(key, tuple(parts)), where)
            case role:
                raise BadRequest(f"{where}.role: unknown role {role!r}.", param=f"{where}.role")
    return made.build(may_continue=True)


def images_of(images: Sequence[str], where: str, repairs: Repairs = REFUSING) -> list[Media]:
    """Images by their base64 text; what kind each is, its first bytes tell. Raises BadRequest."""
    return [_image(data, f"{where}[{index}]", repairs) for index, data in enumerate(images)]


def _image(data: str, where: str, repairs: Repairs) -> Media:
    if data.startswith("data:"):
        return image_at(data, where, repairs)
    kind = kind_of_base64(data)
    if kind is None:
        raise BadRequest(f"{where} is not the base64 text of one of {', '.join(SIGNATURES)}.", param=where)
    return image_of(kind, data, where, repairs)


def _call(made: Conversation, call: CallParam, where: str) -> tuple[str, str]:
    """Adds a call; its key and its tool's name."""
    arguments = arguments_of(call.function.arguments or {})
    key = call.id or f"{where} {call.function.name}"
    id = call.id or f"call_{digest(key)}"
    made.call(ToolCall(id, call.function.name, arguments), f"{where}.id", key=key)
    return key, call.function.name


def _answered(open_calls: list[tuple[str, str]], message: MessageParam) -> str:
    """The key of the call that a result answers, which is open no longer; else what the result says itself."""
    name = message.tool_name or message.name
    by_id = [each for each in open_calls if each[0] == message.tool_call_id]
    by_name = [each for each in open_calls if each[1] == name]
    for found in (by_id, by_name, open_calls if name is None else []):
        if found:
            call = found[0]
            open_calls.remove(call)
            return call[0]
    return message.tool_call_id or name or ""
