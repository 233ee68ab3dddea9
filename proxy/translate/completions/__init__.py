"""The dialect of the legacy `POST /v1/completions`.

Chat models do not continue a text; the prompt is sent as a user message, as OpenAI-compatible servers do.
`schema` the request's model · `request` turns it into a Turn · `answer` turns events into a text completion or its
chunks.
"""

from ..common.dialect import Dialect
from ..common.openai_completions import STREAM
from ..common.openai_errors import OPENAI_ERRORS
from .request import to_turn
from .schema import CompletionRequest

DIALECT = Dialect(
    name="completions",
    description="A text completion; server-sent events when `stream` is true.",
    paths=("/v1/completions",),
    request=CompletionRequest,
    to_turn=to_turn,
    errors=OPENAI_ERRORS,
    stream=STREAM,
    fields={"messages": "prompt"},
)
