"""The messages and the system prompt of a request. Pure.

Nothing is merged, dropped or renamed: the service accepts adjacent messages of one role, and the client's own ids.
Only a conversation that it would refuse (`checks`) is repaired (`rebuilt`).
"""

from collections.abc import Iterator, Sequence

from ...errors import BadRequest
from ...events import Message
from ..common.repairs import Repairs
from .checks import Placed, blocks_in, check
from .content import MARK, blocks_of
from .rebuilt import rebuilt
from .schema import Asked, Content, MessageParam

MARKS = 4


def messages_of(params: Sequence[MessageParam], repairs: Repairs) -> tuple[str, tuple[Message, ...]]:
    """The texts of system messages ("" for none), and the messages. Raises BadRequest.

    A system message without content is left out: it carries a setting (the CLI's own carry the effort), and `unread`
    names it.
    """
    kept = [(f"messages[{index}]", param) for index, param in enumerate(params)]
    kept = [(where, param) for where, param in kept if param.content or param.role != "system"]
    if not kept:
        raise BadRequest("messages: at least one message is required", param="messages")
    try:
        check(kept)
    except BadRequest as refusal:
        if repairs.strict:
            raise
        try:
            return rebuilt(kept, repairs)
        except BadRequest:
            raise refusal from None
    return "", tuple(Message(each.role, blocks_of(each.content, f"{where}.content", repairs)) for where, each in kept)


def unread(params: Sequence[MessageParam]) -> list[str]:
    """The names of what messages hold beside a role and content."""
    return sorted({f"messages.{name}" for param in params for name in param.model_extra or {}})


def system_of(content: Content | None) -> tuple[str, list[str]]:
    """The system prompt of a request, and the names of what else its blocks hold. Raises BadRequest.

    Blocks become one text, a blank line between them: the CLI takes one, and sets its own cache marks on it.
    """
    if content is None or isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    texts = []
    for index, block in enumerate(content):
        text, where = block.get("text"), f"system[{index}]"
        if block.get("type") != "text" or not isinstance(text, str):
            raise BadRequest(f"{where}: system must be a text, or a list of text blocks", param=where)
        if not text:
            raise BadRequest(f"{where}: text content blocks must be non-empty", param=where)
        texts.append(text)
    named = [f"system.{key}" for key in sorted({key for block in content for key in block} - {"type", "text"})]
    return "\n\n".join(texts), named


def check_marks(request: Asked) -> None:
    """Raises BadRequest for more cache marks than the service takes, on the system prompt too, and for what is none."""
    for where, json in _marked(request):
        if not isinstance(json.get(MARK) or {}, dict):
            at = f"{where}.{MARK}"
            raise BadRequest(f"{at}: Input should be an object", param=at)
    found = sum(bool(block.json.get(MARK)) for block in _marked(request)) + bool((request.model_extra or {}).get(MARK))
    if found > MARKS:
        raise BadRequest(f"A maximum of {MARKS} blocks with cache_control may be provided. Found {found}.")


def _marked(request: Asked) -> Iterator[Placed]:
    """Everything that may have a mark."""
    yield from (Placed(f"tools[{index}]", tool) for index, tool in enumerate(request.tools or ()))
    yield from blocks_in("system", request.system or "")
    for index, message in enumerate(request.messages):
        for placed in blocks_in(f"messages[{index}].content", message.content):
            yield placed
            if placed.json.get("type") == "tool_result":
                yield from blocks_in(f"{placed.where}.content", placed.json.get("content") or "")
