"""Reads the messages of a chat request into a Conversation. Pure."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from ...errors import BadRequest
from ...events import Media, Message, Text, ToolCall, ToolResult
from ..common.conversation import Conversation, arguments_of, without_blanks
from ..common.names import digest
from ..common.repairs import REFUSING, Repairs
from .content import THOUGHTS, block_of, blocks_of, mark_of, text_of
from .schema import MessageParam, Part, ToolCallParam


def conversation(
    messages: Sequence[MessageParam], system: str | Sequence[Part] | None = None, repairs: Repairs = REFUSING
) -> tuple[str, tuple[Message, ...]]:
    """The system prompt and the messages with alternating roles. Raises BadRequest.

    The last message is the user's, or the assistant's for the model to continue. `system` is the field beside them.
    """
    made = Conversation(repairs=repairs)
    made.system(text_of(system, "system", repairs))
    speakers = Speakers(messages)
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        match message.role:
            case "system" | "developer":
                made.system(text_of(message.content, f"{where}.content", repairs))
            case "tool":
                _add_result(made, message, message.tool_call_id, f"{where}.tool_call_id", repairs)
            case "function":
                _add_result(made, message, message.name, f"{where}.name", repairs)
            case "user":
                # Reported before errors in the message itself.
                if not _is_results(message):
                    made.require_answered(where)
                if message.content is None:
                    raise BadRequest(f"{where}.content is missing.", param=f"{where}.content")
                _add_said(made, message, where, speakers, repairs)
            case "assistant":
                made.require_answered(where)
                _add_answer(made, message, where, speakers, repairs)
    return made.build(may_continue=True)


class Speakers:
    """Who speaks: a name is said where a role has several speakers, and else means nothing to the model."""

    def __init__(self, messages: Sequence[MessageParam]) -> None:
        named = {(message.role, message.name) for message in messages if message.role in ("user", "assistant")}
        roles = [role for role, _ in named]
        self._said = {role for role in roles if roles.count(role) > 1}
        self.unsaid = any(
            message.name and message.role not in ("tool", "function") and message.role not in self._said
            for message in messages
        )

    def before(self, message: MessageParam) -> list[Text]:
        """The text that says who speaks, as the first of the message's."""
        return [Text(f"{message.name}:")] if message.name and message.role in self._said else []


def _is_results(message: MessageParam) -> bool:
    """Whether a user's message begins with results, as in the Messages API."""
    return isinstance(message.content, list) and bool(message.content) and message.content[0].type == "tool_result"


def _add_said(made: Conversation, message: MessageParam, where: str, speakers: Speakers, repairs: Repairs) -> None:
    """What the user says; results in it as the Messages API has them."""
    content = message.content
    if not isinstance(content, list):
        made.user([*_named(speakers, message, blocks_of(content, f"{where}.content"))], where)
        return
    said: list[Text | Media] = []
    for index, part in enumerate(content):
        at = f"{where}.content[{index}]"
        if part.type == "tool_result":
            found = blocks_of(_parts(part.content, f"{at}.content"), f"{at}.content", repairs)
            result = ToolResult(part.tool_use_id or "", tuple(found), bool(part.is_error), mark_of(part.cache_control))
            if without_blanks(said):
                repairs.tell(where, "results moved before what is said")
            made.result(result, f"{at}.tool_use_id")
        else:
            said.append(block_of(part, at, repairs))
    made.user(_named(speakers, message, said), where)


def _named(speakers: Speakers, message: MessageParam, blocks: list[Any]) -> list[Any]:
    return [*speakers.before(message), *blocks] if blocks else blocks


def _parts(content: Any, where: str) -> str | list[Part] | None:
    """The content of a result of the Messages API."""
    if content is None or isinstance(content, str):
        return content
    try:
        return [Part.model_validate(part) for part in content]
    except (ValidationError, TypeError):
        raise BadRequest(f"{where} must be a text or a list of content parts.", param=where) from None


def _add_result(made: Conversation, message: MessageParam, key: str | int | None, where: str, repairs: Repairs) -> None:
    if key is None and repairs.strict:
        raise BadRequest(f"{where} is missing.", param=where)
    content = f"{where.rpartition('.')[0]}.content"
    made.result(ToolResult(_id(key), tuple(blocks_of(message.content, content, repairs))), where)


def _add_answer(made: Conversation, message: MessageParam, where: str, speakers: Speakers, repairs: Repairs) -> None:
    parts = message.content if isinstance(message.content, list) else []
    said = [part for part in parts if part.type not in (*THOUGHTS, "tool_use")]
    texts = text_of(said if parts else message.content, f"{where}.content", repairs)
    if message.refusal and not texts:
        texts = [message.refusal]
    made.assistant(_named(speakers, message, [Text(text) for text in texts]))
    kinds = [part.type for part in parts]
    if "tool_use" in kinds and any(part in said and part.text for part in parts[kinds.index("tool_use") :]):
        repairs.tell(where, "calls moved behind what is said")
    for index, part in enumerate(parts):
        if part.type == "tool_use":
            at = f"{where}.content[{index}]"
            arguments = arguments_of(part.input)
            made.call(ToolCall(part.id or _made_id(at), part.name or "", arguments), f"{at}.id")
    for index, call in enumerate(message.tool_calls or ()):
        _add_call(made, call, f"{where}.tool_calls[{index}]")
    if message.function_call is not None:
        called = message.function_call
        at = f"{where}.function_call"
        arguments = arguments_of(called.arguments)
        # The legacy format has no ids and links by name, so an id is derived from the call.
        id = f"call_{digest(f'{where} {called.name} {called.arguments}')}"
        made.call(ToolCall(id, called.name, arguments), at, key=called.name)


def _add_call(made: Conversation, call: ToolCallParam, at: str) -> None:
    id = _id(call.id) or _made_id(at)
    if call.function is not None and call.type in (None, "", "function"):
        arguments = arguments_of(call.function.arguments)
        made.call(ToolCall(id, call.function.name, arguments), f"{at}.id")
    elif call.custom is not None:
        made.call(ToolCall(id, call.custom.name, {"input": call.custom.input}), f"{at}.id")
    else:
        raise BadRequest(f"{at}.type: only function and custom calls are supported.", param=f"{at}.type")


def _id(given: str | int | None) -> str:
    return "" if given is None else str(given)


def _made_id(where: str) -> str:
    return f"call_{digest(where)}"
