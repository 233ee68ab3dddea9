"""The dialect of `POST /v1/chat/completions`.

`schema` the request's model · `request` turns it into a Turn · `conversation`, `content`, `tools` its parts · `answer`
turns events into a completion or its chunks.
"""

from ..common.dialect import Dialect
from ..common.openai_completions import STREAM
from ..common.openai_errors import OPENAI_ERRORS
from .request import to_turn
from .schema import ChatRequest

DIALECT = Dialect(
    name="chat_completions",
    description="A chat completion; server-sent events when `stream` is true.",
    paths=("/v1/chat/completions",),
    request=ChatRequest,
    to_turn=to_turn,
    errors=OPENAI_ERRORS,
    stream=STREAM,
    fields={"schema": "response_format.json_schema.schema"},
)
