"""The messages of a chat request, in the words of a Conversation. Pure."""

from collections.abc import Sequence

from ...errors import BadRequest
from ...events import Message, Text, ToolCall, ToolResult
from ..common.conversation import Conversation, arguments_of, digest
from .content import blocks_of, text_of
from .schema import MessageParam


def conversation(messages: Sequence[MessageParam]) -> tuple[str, tuple[Message, ...]]:
    """The system prompt and the messages with alternating roles, the last one the user's. Raises BadRequest."""
    made = Conversation()
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        match message.role:
            case "system" | "developer":
                made.system(text_of(message.content, f"{where}.content"))
            case "tool":
                _add_result(made, message, message.tool_call_id, f"{where}.tool_call_id")
            case "function":
                _add_result(made, message, message.name, f"{where}.name")
            case "user":
                # Told before what is wrong with the message itself.
                made.require_answered(where)
                if message.content is None:
                    raise BadRequest(f"{where}.content is missing.", param=f"{where}.content")
                made.user(blocks_of(message.content, f"{where}.content"), where)
            case "assistant":
                made.require_answered(where)
                _add_answer(made, message, where)
    return made.build()


def _add_result(made: Conversation, message: MessageParam, key: str | None, where: str) -> None:
    if key is None:
        raise BadRequest(f"{where} is missing.", param=where)
    content = f"{where.rpartition('.')[0]}.content"
    made.result(ToolResult(key, tuple(blocks_of(message.content, content))), where)


def _add_answer(made: Conversation, message: MessageParam, where: str) -> None:
    if message.refusal and not message.content:
        made.assistant([Text(message.refusal)])
    else:
        made.assistant([Text(text) for text in text_of(message.content, f"{where}.content")])
    for index, call in enumerate(message.tool_calls or ()):
        at = f"{where}.tool_calls[{index}]"
        if call.type != "function" or call.function is None:
            raise BadRequest(f"{at}.type: only function calls are carried.", param=f"{at}.type")
        arguments = arguments_of(call.function.arguments, f"{at}.function.arguments")
        made.call(ToolCall(call.id, call.function.name, arguments), f"{at}.id")
    if message.function_call is not None:
        called = message.function_call
        at = f"{where}.function_call"
        arguments = arguments_of(called.arguments, f"{at}.arguments")
        # The legacy form has no ids: the name is the link, so an id is made from what the call is.
        id = f"call_{digest(f'{where} {called.name} {called.arguments}')}"
        made.call(ToolCall(id, called.name, arguments), at, key=called.name)
